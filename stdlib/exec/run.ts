// Runs a command: values put in, environment cut down, what it prints kept, what it writes checked.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { type OutputContext, type StageRun, TaskError } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { type EnvironmentParams, environmentOf, filled } from "./command.ts";
import type { Output } from "./index.ts";
import { checkOutput, placeOf } from "./output.ts";

interface Params extends EnvironmentParams {
  readonly run: string;
  readonly output: Output;
  readonly metrics?: readonly string[];
  readonly timeout?: number;
  readonly [value: string]: unknown;
}

export const exec: StageRun<Params> = {
  async run(ctx) {
    const { run: command, output, metrics = [] } = ctx.params;
    const paths = Object.fromEntries(
      Object.entries(ctx.inputs).map(([name, artifacts]) => [name, artifacts.map(({ dir }) => pathIn(dir))]),
    );
    const withOut = (out: string) =>
      filled(command, { ...(ctx.params as Record<string, Json>), ...paths, out });
    await perform(withOut(placeOf(output, ctx.out)), ctx, withOut("./out"));
    return checkOutput(output, ctx.out, metrics);
  },
};

/** A dataset is read as its rows. */
function pathIn(dir: string): string {
  const rows = join(dir, "rows.jsonl");
  return existsSync(rows) ? rows : dir;
}

/** After SIGTERM; then it is killed. */
const graceMs = 5_000;

async function perform(line: string, ctx: OutputContext<Params>, byHand: string): Promise<void> {
  const { dir, params, signal } = ctx;
  const secrets = secretsOf(params.secrets ?? []);
  const child = spawn("/bin/sh", ["-ec", line], {
    cwd: dir,
    env: environmentOf(params, process.env),
    // In the group of this process, so that whoever ends the task ends it too.
    stdio: ["ignore", "pipe", "pipe"],
  });
  const quiet = Promise.all([
    echo(child.stdout, console.log, secrets),
    echo(child.stderr, console.error, secrets),
  ]);
  let late = false;
  const end = () => {
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), graceMs).unref();
  };
  const outOfTime = () => {
    late = true;
    end();
  };
  const timer = params.timeout === undefined ? undefined : setTimeout(outOfTime, params.timeout);
  signal.addEventListener("abort", end);
  try {
    const [code, by] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    // What it left running in the background may hold its output open.
    await Promise.race([quiet, wait(1_000)]);
    if (signal.aborted) return;
    const help = `by hand: cd ${dir} && ${byHand}`;
    if (late) {
      const message = `the command was ended after ${params.timeout! / 1000} s (timeout)`;
      throw new TaskError({ code: "command-failed", message, help });
    }
    if (code !== 0) {
      const how = by ? `was ended by ${by}` : `exited with status ${code}`;
      throw new TaskError({ code: "command-failed", message: `the command ${how}`, help });
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

/** Line by line into the log of the task. */
async function echo(
  stream: Readable,
  say: (line: string) => void,
  secrets: readonly string[],
): Promise<void> {
  for await (const line of createInterface({ input: stream })) {
    say(secrets.reduce((text, secret) => text.replaceAll(secret, "•••"), line));
  }
}

function secretsOf(names: readonly string[]): string[] {
  const missing = names.filter((name) => !process.env[name]);
  if (missing.length === 0) return names.map((name) => process.env[name]!);
  throw new TaskError({
    code: "secret-missing",
    message: `the environment has no ${missing.join(", ")}, which the command wants`,
    help: `set it where align is started: export ${missing[0]}=…`,
  });
}
