// Kills a pipeline again and again inside one of its stages, and holds what that stage ends with against the run that nobody touched.
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { type Event, openStore } from "../../engine/index.ts";
import { stream } from "../../tensor/index.ts";
import { bin } from "../align.ts";

export interface StageKills {
  /** What `align run` is told: the file, a profile, params. */
  readonly run: readonly string[];
  readonly stage: string;
  readonly kills: number;
  readonly seed: number;
  /** A store that has what the stage needs, but not the stage; it is copied, and filled where it has not. */
  readonly store?: string;
}

export interface StageVerdict {
  readonly kills: number;
  /** Where each kill met the stage. */
  readonly at: readonly string[];
  /** Attempts that went on from further than the beginning. */
  readonly resumed: number;
  readonly tree: string;
  readonly problems: readonly string[];
}

interface Attempt {
  /** Of the stage's artifact, if it was finished. */
  readonly tree?: string;
  /** Of the stage, from its start to its end. */
  readonly seconds: number;
  readonly first?: Progress;
  readonly last?: Progress;
}

type Progress = Extract<Event, { type: "task-progress" }>;

/** Another unit is a later part of the stage. */
const further = (a: Progress, b: Progress): boolean => a.unit !== b.unit || a.done > b.done;

export async function killStage(
  { run, stage, kills, seed, store }: StageKills,
  tell: (line: string) => void = () => {},
): Promise<StageVerdict> {
  const folder = mkdtempSync(join(tmpdir(), "align-kill-stage-"));
  const before = join(folder, "before");
  if (store !== undefined) cpSync(store, before, { recursive: true });
  const attempt = (at: string, killAfter?: number) =>
    perform([...run, "--only", stage, "--store", at], stage, killAfter);
  // As far as the stage's first moment.
  const { tree: cached } = await attempt(before, 0);
  if (cached !== undefined) throw new Error(`${stage} was done before it could be killed`);
  const copy = (name: string) => {
    cpSync(before, join(folder, name), { recursive: true });
    return join(folder, name);
  };
  const whole = await attempt(copy("whole"));
  tell(`undisturbed: ${stage} in ${whole.seconds.toFixed(1)} s, tree ${whole.tree}`);

  const random = stream(seed).split("kills");
  const at: string[] = [];
  const problems: string[] = [];
  let resumed = 0;
  for (let round = 1; at.length < kills; round++) {
    const killed = copy(`killed-${round}`);
    for (;;) {
      const after = at.length < kills ? random.uniform() * whole.seconds : undefined;
      const one = await attempt(killed, after);
      if (at.length > 0 && one.first && further(one.first, whole.first!)) resumed++;
      if (one.tree !== undefined) {
        if (one.tree !== whole.tree)
          problems.push(`${stage} is ${one.tree}, without kills it is ${whole.tree}`);
        break;
      }
      const { done, total, unit } = one.last ?? { done: 0, total: whole.last!.total, unit: whole.last!.unit };
      at.push(`${done} of ${total} ${unit}`);
      tell(`kill ${at.length}, ${after!.toFixed(1)} s into ${stage}: at ${at.at(-1)}`);
    }
    problems.push(...(await openStore(killed).verify()));
  }
  rmSync(folder, { recursive: true, force: true });
  return { kills: at.length, at, resumed, tree: whole.tree!, problems };
}

/** Runs to the end, or kills everything so many seconds after the stage began. */
async function perform(args: readonly string[], stage: string, killAfter?: number): Promise<Attempt> {
  const child = spawn(process.execPath, [bin, "run", ...args, "--json"], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ALIGN_DEVICE: "cpu" },
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  let [tree, first, last]: [string?, Progress?, Progress?] = [];
  let [began, seconds] = [0, 0];
  let killed = false;
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as Event;
    if (!("node" in event) || event.node !== stage) continue;
    if (event.type === "task-started") {
      began = performance.now();
      if (killAfter === undefined) continue;
      // Not awaited: what the stage says meanwhile is read on.
      void Promise.race([sleep(killAfter * 1000), ended]).then(() => {
        if (child.exitCode !== null || tree !== undefined) return;
        killed = true;
        process.kill(-child.pid!, "SIGKILL");
      });
    } else if (event.type === "task-progress") {
      first ??= event;
      last = event;
    } else if (event.type === "task-finished" || event.type === "task-cached") {
      tree = event.tree;
      seconds = (performance.now() - began) / 1000;
    }
  }
  await ended;
  if (!killed && tree === undefined)
    throw new Error(`align run ${args.join(" ")} ended with ${child.exitCode}`);
  return { seconds, ...(tree !== undefined && { tree }), ...(first && { first }), ...(last && { last }) };
}
