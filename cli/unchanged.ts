// `align run` where nothing has changed since the same run ended well: told from memory, without reading the program.
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { standingRun } from "../engine/standing.ts";
import type { RunOptions } from "./commands/run.ts";
import { chooseDevice } from "./device.ts";
import { storePath } from "./store-path.ts";
import { createDisplay, silent } from "./ui/display.ts";
import { printOutcome, statusOf } from "./ui/outcome.ts";

declare const ALIGN_VERSION: string;

/** Everything that a run is told, beside what it looks at, and who is told; undefined where that cannot be said. */
export function askedFor(file: string, options: RunOptions): unknown {
  if (typeof ALIGN_VERSION !== "string") return undefined;
  const { profile = null, set = {}, only = null, device = "auto" } = options;
  const settings = Object.entries(set).sort(([a], [b]) => (a < b ? -1 : 1));
  return [ALIGN_VERSION, program(), process.version, process.cwd(), file, profile, settings, only, device];
}

/** The files of Align itself: another build is another program. */
function program(): string[] {
  const dir = dirname(fileURLToPath(import.meta.url));
  return readdirSync(dir)
    .sort()
    .map((name) => {
      const { ino, size, mtimeNs, ctimeNs } = statSync(join(dir, name), { bigint: true });
      return `${name}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
    });
}

export function isVariableSet(name: string): boolean {
  return (process.env[name] ?? "") !== "";
}

/** The exit status, if the run was one that has nothing to do. */
export async function runUnchanged(file: string, options: RunOptions): Promise<number | undefined> {
  if (options.verifyInputs || options.dryRun || options.rehearse) return undefined;
  const asked = askedFor(file, options);
  const chosen = await chooseDevice(options.device ?? "auto");
  if (asked === undefined || "message" in chosen) return undefined;
  const now = { numerics: chosen.numerics, isSet: isVariableSet };
  const events = standingRun(storePath(file, options.store), asked, now);
  if (!events) return undefined;

  const display = options.json ? silent : await createDisplay();
  for (const event of events) display.handle(event);
  display.end();
  if (options.json) process.stdout.write(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  printOutcome(events, options.json ?? false);
  const last = events.at(-1);
  return last?.type === "run-finished" ? statusOf[last.outcome] : undefined;
}
