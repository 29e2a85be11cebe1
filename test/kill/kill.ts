// Kills a run at random moments, resumes it, and holds what it ends with against the run that nobody touched.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Event, openStore } from "../../engine/index.ts";
import { stream } from "../../tensor/index.ts";
import { bin } from "../align.ts";
import { corpus } from "../runs/make-corpus.ts";

export interface Kill {
  readonly number: number;
  readonly afterSeconds: number;
  /** `writer at 7 of 36 steps`; what the run was busy with. */
  readonly during: string;
}

export interface Verdict {
  readonly kills: number;
  /** Kills whose pipeline ended with the bytes of the uninterrupted run. */
  readonly identical: number;
  /** Stages that went on from where a killed attempt had come to. */
  readonly resumedInside: number;
  /** Questions to the judge that a kill cut off before the answer was kept, and were asked again. */
  readonly cutOff: number;
  /** Everything that must not have happened. */
  readonly problems: readonly string[];
}

interface Run {
  readonly events: readonly Event[];
  readonly killed: boolean;
}

/** Longer than a run takes from the start to its first stage, shorter than the whole: every stage is met. */
const LONGEST_SECONDS = 3;

export async function killTest(
  { kills, seed }: { readonly kills: number; readonly seed: number },
  tell: (kill: Kill) => void = () => {},
): Promise<Verdict> {
  const random = stream(seed).split("kills");
  const reference = newProject();
  const wanted = await outcome(reference, (await perform(reference)).events);
  const bill = billOf(reference);
  const problems: string[] = [];
  const sums = { kills: 0, identical: 0, resumedInside: 0, cutOff: 0 };
  while (sums.kills < kills) {
    const project = newProject();
    const before = { kills: sums.kills, problems: problems.length };
    const committed = new Set<string>();
    for (;;) {
      const afterSeconds = sums.kills < kills ? random.uniform() * LONGEST_SECONDS : undefined;
      const run = await perform(project, afterSeconds);
      problems.push(...doneAgain(run.events, committed));
      sums.resumedInside += resumed(run.events);
      for (const key of await openStore(join(project, ".align")).keys()) committed.add(key);
      if (!run.killed) {
        problems.push(...differences(wanted, await outcome(project, run.events)));
        break;
      }
      sums.kills++;
      tell({ number: sums.kills, afterSeconds: afterSeconds!, during: busyWith(run.events) });
    }
    const { cutOff, twice } = overcharged(bill, billOf(project));
    sums.cutOff += cutOff;
    problems.push(...twice);
    if (problems.length === before.problems) sums.identical += sums.kills - before.kills;
    rmSync(project, { recursive: true, force: true });
  }
  rmSync(reference, { recursive: true, force: true });
  return { ...sums, problems };
}

function newProject(): string {
  const dir = mkdtempSync(join(tmpdir(), "align-kill-"));
  const here = fileURLToPath(new URL(".", import.meta.url));
  for (const name of ["kill.align", "judge.js"]) cpSync(join(here, name), join(dir, name));
  writeFileSync(join(dir, "corpus.txt"), corpus(200, 3));
  writeFileSync(join(dir, "bill.jsonl"), "");
  return dir;
}

/** One run, in a process group of its own that is killed after a while, if it is still there. */
async function perform(project: string, killAfterSeconds?: number): Promise<Run> {
  const child: ChildProcess = spawn(process.execPath, [bin, "run", "kill.align", "--json"], {
    cwd: project,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      ALIGN_STORE: join(project, ".align"),
      ALIGN_DEVICE: "cpu",
      KILL_TEST_BILL: join(project, "bill.jsonl"),
    },
  });
  let [output, errors] = ["", ""];
  child.stdout!.on("data", (data) => {
    output += data;
  });
  child.stderr!.on("data", (data) => {
    errors += data;
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  if (killAfterSeconds !== undefined) await Promise.race([ended, sleep(killAfterSeconds * 1000)]);
  const killed = killAfterSeconds !== undefined && child.exitCode === null && child.signalCode === null;
  if (killed) process.kill(-child.pid!, "SIGKILL");
  await ended;
  // It may have ended in the very moment.
  const cut = killed && child.signalCode === "SIGKILL";
  const lines = output.split("\n").slice(0, -1);
  const events = lines.map((line) => JSON.parse(line) as Event);
  if (!cut && child.exitCode !== 0) throw new Error(`align run ended with ${child.exitCode}: ${errors}`);
  return { events, killed: cut };
}

interface Outcome {
  /** Digest of the artifact of every node, and of every published file. */
  readonly digests: Readonly<Record<string, string>>;
  readonly damage: readonly string[];
}

async function outcome(project: string, events: readonly Event[]): Promise<Outcome> {
  const digests: Record<string, string> = {};
  for (const event of events)
    if (event.type === "task-finished" || event.type === "task-cached") digests[event.node] = event.tree;
  const out = join(project, "out/aligned");
  for (const name of existsSync(out) ? readdirSync(out) : []) {
    digests[`out/aligned/${name}`] = createHash("sha256")
      .update(readFileSync(join(out, name)))
      .digest("hex");
  }
  return { digests, damage: await openStore(join(project, ".align")).verify() };
}

function differences(wanted: Outcome, found: Outcome): string[] {
  const names = new Set([...Object.keys(wanted.digests), ...Object.keys(found.digests)]);
  const other = [...names].filter((name) => wanted.digests[name] !== found.digests[name]);
  return [...other.map((name) => `${name} is not what it is without kills`), ...found.damage];
}

/** Stages that were started although their result was there before this run began. */
function doneAgain(events: readonly Event[], committed: ReadonlySet<string>): string[] {
  return events.flatMap((event) =>
    event.type === "task-started" && committed.has(event.key) ? [`${event.node} was computed twice`] : [],
  );
}

/** Stages whose first word of their steps or rows is that something is done already. */
function resumed(events: readonly Event[]): number {
  const first = new Map<string, number>();
  for (const event of events) {
    if (event.type !== "task-progress" || event.unit === "sequences" || first.has(event.node)) continue;
    first.set(event.node, event.done);
  }
  const lasting = ["base", "writer", "samples", "aligned", "result"];
  return [...first].filter(([node, done]) => lasting.includes(node) && done > 1).length;
}

function busyWith(events: readonly Event[]): string {
  const open = new Map<string, string>();
  for (const event of events) {
    if (event.type === "task-started") open.set(event.node, event.node);
    if (event.type === "task-progress")
      open.set(event.node, `${event.node} at ${event.done} of ${event.total} ${event.unit}`);
    if (event.type === "task-finished") open.delete(event.node);
  }
  return [...open.values()].join(", ") || (events.length > 0 ? "the plan" : "the start");
}

type Bill = readonly (readonly [pid: number, question: string])[];

function billOf(project: string): Bill {
  const lines = readFileSync(join(project, "bill.jsonl"), "utf8").split("\n").filter(Boolean);
  return lines.map((line) => {
    const [pid, ...question] = JSON.parse(line) as [number, string, string, string];
    return [pid, JSON.stringify(question)];
  });
}

/**
 * No answer that was kept is asked for again. A question may be, if it was the last one of a process that was killed:
 * its answer never came.
 */
function overcharged(wanted: Bill, found: Bill): { cutOff: number; twice: string[] } {
  const lastOf = new Map(found);
  const stageOf = (question: string) => JSON.parse(question)[0] as string;
  // Whoever asked last in a stage has finished it.
  const finishers = new Set(new Map(found.map(([pid, question]) => [stageOf(question), pid])).values());
  const unanswered = [...lastOf].filter(([pid]) => !finishers.has(pid)).map(([, question]) => question);
  const rest = [...wanted.map(([, question]) => question), ...unanswered];
  const allowed = new Map<string, number>();
  for (const question of rest) allowed.set(question, (allowed.get(question) ?? 0) + 1);
  const twice: string[] = [];
  for (const [, question] of found) {
    const left = allowed.get(question) ?? 0;
    if (left === 0) twice.push(`judged twice: ${question}`);
    allowed.set(question, left - 1);
  }
  return { cutOff: found.length - wanted.length, twice };
}
