// What a run that ended well rests on: while all of it stands untouched, the same run has nothing to do and need not be planned.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Event, EventBody, Outcome } from "./events.ts";
import { eventsName, nameOfRun, recordRun } from "./journal.ts";
import type { Plan, PlannedArtifact } from "./plan/plan.ts";
import { type Clock, type FileSystem, systemClock, systemFiles, systemProcesses } from "./ports.ts";
import { problemOfSystem } from "./problem.ts";
import { inFolder, replaceFile } from "./store/durable.ts";
import { openLog } from "./store/log.ts";
import { hashFile, YOUNG_MS } from "./store/memo.ts";
import type { Store } from "./store/store.ts";

/** Everything about the world that was looked at, and how it looked. */
interface Standing {
  /** A path and its stamp, `dir` or nothing; of a folder that was listed, its path with `/` and its stamp. */
  readonly seen: readonly (readonly [path: string, state: string])[];
  /** Variables of the environment, and whether they were set. */
  readonly variables: readonly (readonly [name: string, isSet: boolean])[];
  readonly numerics: string;
  /** What has not reached the disk is lost with the next boot. */
  readonly boot: string;
  /** What the run would tell if it were made again. */
  readonly events: readonly EventBody[];
}

interface Sight {
  readonly state: string;
  /** Changed so shortly before that another change might not show. */
  readonly young: boolean;
  readonly content?: string;
}

/** Looks at files for others, and keeps in mind what they saw. */
export class Witness implements FileSystem {
  readonly variables = new Map<string, boolean>();
  readonly #seen = new Map<string, Sight>();
  readonly #clock: Clock;
  #blind = false;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  stat(path: string): ReturnType<FileSystem["stat"]> {
    const stat = systemFiles.stat(path);
    const state = stat?.kind === "file" ? stat.stamp : (stat?.kind ?? "");
    this.#note(path, { state, young: stat?.kind === "file" && this.#isYoung(stat.changedMs) });
    return stat;
  }

  list(dir: string): ReturnType<FileSystem["list"]> {
    const stat = systemFiles.stat(dir);
    const entries = systemFiles.list(dir);
    const young = stat !== undefined && this.#isYoung(stat.changedMs);
    this.#note(`${dir}/`, { state: stat?.stamp ?? "", young, content: names(entries) });
    return entries;
  }

  read(path: string): Uint8Array {
    this.stat(path);
    const bytes = systemFiles.read(path);
    this.knows(path, createHash("sha256").update(bytes).digest("hex"));
    return bytes;
  }

  /** What was in a file that it has looked at. */
  knows(path: string, sha256: string): void {
    const sight = this.#seen.get(resolve(path));
    if (sight) this.#seen.set(resolve(path), { ...sight, content: sha256 });
  }

  /** Something was asked that cannot be looked at again this way. */
  lookAway(): void {
    this.#blind = true;
  }

  /** What it saw, if all of it is still so; what was young is read again. */
  async testify(): Promise<Standing["seen"] | undefined> {
    if (this.#blind) return undefined;
    for (const [path, { state, young, content }] of this.#seen) {
      if (stateOf(path) !== state) return undefined;
      if (young && (content === undefined || content !== (await contentOf(path)))) return undefined;
    }
    return [...this.#seen].map(([path, { state }]) => [path, state]);
  }

  #isYoung(changedMs: number): boolean {
    return this.#clock.now() - changedMs <= YOUNG_MS;
  }

  #note(named: string, sight: Sight): void {
    const path = named.endsWith("/") ? `${resolve(named)}/` : resolve(named);
    const before = this.#seen.get(path);
    if (!before) this.#seen.set(path, sight);
    else if (before.state !== sight.state) this.#blind = true;
  }
}

function names(entries: ReturnType<FileSystem["list"]>): string {
  return JSON.stringify((entries ?? []).map(({ name, kind }) => [name, kind]).sort());
}

function stateOf(path: string): string {
  if (path.endsWith("/")) return systemFiles.stat(path.slice(0, -1))?.stamp ?? "";
  const stat = systemFiles.stat(path);
  return stat?.kind === "file" ? stat.stamp : (stat?.kind ?? "");
}

async function contentOf(path: string): Promise<string | undefined> {
  if (path.endsWith("/")) return names(systemFiles.list(path.slice(0, -1)));
  const size = systemFiles.stat(path)?.size;
  return size === undefined ? undefined : hashFile(path, size);
}

export interface Ended {
  readonly plan: Plan;
  readonly artifacts: ReadonlyMap<string, PlannedArtifact & { readonly key: string }>;
  /** Of this run. */
  readonly events: readonly Event[];
  readonly outcome: Outcome;
  /** Files that were published, or written beside them. */
  readonly published: readonly string[];
  readonly witness: Witness;
}

/** Keeps what a run rests on, under everything that was asked for; not if anything of it cannot be vouched for. */
export async function keepStanding(store: Store, asked: unknown, ended: Ended): Promise<void> {
  const { plan, artifacts, events, witness } = ended;
  const files = plan.tasks.flatMap(({ calls }) => calls.flatMap((call) => Object.values(call.files).flat()));
  for (const { path, sha256 } of files) witness.knows(path, sha256);
  const seen = await witness.testify();
  if (!seen) return;
  const paths = new Set(ended.published);
  for (const { id } of plan.tasks) {
    const kept = await store.filesOf(artifacts.get(id)!.key);
    if (!kept) return;
    for (const file of kept) paths.add(file);
  }
  const standing: Standing = {
    seen: [...seen, ...[...paths].map((path) => [path, stateOf(path)] as const)],
    variables: [...witness.variables],
    numerics: plan.numerics,
    boot: systemProcesses.self().boot,
    events: toldAgain(ended, events),
  };
  const path = placeOf(store.root, asked);
  try {
    inFolder(path, () =>
      replaceFile(path, (temporary) => writeFileSync(temporary, JSON.stringify(standing))),
    );
  } catch (error) {
    // It is only a memory.
    if (!problemOfSystem(error, "write what a run rests on")) throw error;
  }
}

/** The events of the same run, made again at once: everything is cached. */
function toldAgain({ plan, artifacts, outcome }: Ended, events: readonly Event[]): EventBody[] {
  const conclusion = events.flatMap((event): EventBody[] => {
    const { at: _, ...body } = event;
    if (body.type === "published") return [{ ...body, wrote: false }];
    return body.type === "expectation" || body.type === "publish-withheld" ? [body] : [];
  });
  const { pipeline, path, profile, tasks } = plan;
  return [
    {
      type: "run-started",
      run: "",
      pipeline,
      path,
      ...(profile === undefined ? {} : { profile }),
      store: "",
      swept: 0,
    },
    {
      type: "plan",
      tasks: tasks.map(({ id, kind, calls, needs }) => ({
        node: id,
        kind,
        ops: calls.map(({ op }) => op),
        needs,
        state: "cached",
        reason: "unchanged",
      })),
    },
    ...tasks.map(({ id }): EventBody => {
      const { key, tree, metrics, summary, seconds } = artifacts.get(id)!;
      const told = summary === undefined ? {} : { summary };
      return { type: "task-cached", node: id, key, tree, metrics, ...told, seconds };
    }),
    ...conclusion,
    { type: "run-finished", outcome, ran: 0, cached: tasks.length, failed: 0, skipped: 0, seconds: 0 },
  ];
}

/** The run that was asked for, if nothing that it rests on has changed: what it tells, which is journaled. */
export function standingRun(
  root: string,
  asked: unknown,
  now: { readonly numerics: string; readonly isSet: (name: string) => boolean },
): Event[] | undefined {
  const started = systemClock.now();
  const standing = load(placeOf(root, asked));
  if (!standing || standing.numerics !== now.numerics) return undefined;
  if (standing.boot !== systemProcesses.self().boot) return undefined;
  // What runs that are gone left behind is for a whole run to clear away.
  if (readdirSync(join(root, "attempts")).length > 0) return undefined;
  if (standing.variables.some(([name, wasSet]) => now.isSet(name) !== wasSet)) return undefined;
  if (standing.seen.some(([path, state]) => stateOf(path) !== state)) return undefined;

  const run = nameOfRun(started, process.pid);
  const at = new Date(started).toISOString();
  const events = standing.events.map((body): Event => {
    if (body.type === "run-started") return { ...body, at, run, store: root };
    if (body.type !== "run-finished") return { at, ...body };
    const ended = systemClock.now();
    return { ...body, at: new Date(ended).toISOString(), seconds: (ended - started) / 1000 };
  });
  try {
    const log = (name: string) => openLog(join(root, name));
    recordRun({ log }, (standing.events[0] as EventBody & { type: "run-started" }).pipeline, run);
    mkdirSync(join(root, "runs", run, "logs"), { recursive: true });
    log(eventsName(run)).append(events);
  } catch {
    // The whole run says what is wrong with the disk.
    return undefined;
  }
  return events;
}

function placeOf(root: string, asked: unknown): string {
  const name = createHash("sha256").update(JSON.stringify(asked)).digest("hex");
  return join(root, "standing", `${name}.json`);
}

function load(path: string): Standing | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Standing;
  } catch {
    return undefined;
  }
}
