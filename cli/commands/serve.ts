// `align serve MODEL`: an OpenAI-compatible server of one model, on loopback unless told otherwise.
import { basename } from "node:path";
import { openServer, type Serving } from "../../stdlib/index.ts";
import { chooseDevice } from "../device.ts";
import { modelPath } from "../model.ts";
import { badFile } from "../pipeline.ts";
import { failureText } from "../ui/failure-text.ts";
import { paint } from "../ui/terminal.ts";

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly name?: string;
  readonly requireToken?: boolean;
  readonly batchSize: number;
  readonly maxWaiting: number;
  readonly maxBody: number;
  readonly device: string;
  readonly store?: string;
  readonly quiet?: boolean;
}

/** How long answers under way may go on after Ctrl-C. */
const GRACE_MS = 10_000;

export async function serve(model: string, options: ServeOptions): Promise<number> {
  const { host, port, batchSize, maxWaiting } = options;
  const token = process.env.ALIGN_SERVE_TOKEN || undefined;
  if (options.requireToken && token === undefined) {
    const message = "--require-token wants the token in the variable ALIGN_SERVE_TOKEN, which is not set";
    console.error(failureText({ code: "no-token", message, help: "export ALIGN_SERVE_TOKEN=…" }));
    return badFile;
  }
  const dir = await modelPath(model, options);
  if (typeof dir === "number") return dir;
  const chosen = await chooseDevice(options.device);
  if ("message" in chosen) {
    console.error(failureText(chosen));
    return badFile;
  }
  const name = options.name ?? nameOf(model);
  let serving: Serving;
  try {
    serving = await openServer(dir, chosen.device, batchSize, {
      name,
      host,
      port,
      ...(token === undefined ? {} : { token }),
      maxAnswers: batchSize + maxWaiting,
      maxBodyBytes: options.maxBody,
      ...(options.quiet ? {} : { log: (line) => console.error(paint.dim(line)) }),
    });
  } catch (error) {
    const problem = unlistenable(error, host, port);
    if (problem === undefined) throw error;
    console.error(failureText(problem));
    return badFile;
  }
  if (!isLoopback(host) && token === undefined)
    console.error(
      `${paint.yellow("warning")}: whoever reaches ${host} may ask; set ALIGN_SERVE_TOKEN to want a token`,
    );
  console.log(`${name} at ${serving.url}`);
  await interrupted();
  console.error(paint.dim("stopping when the answers under way are done; Ctrl-C again to stop at once"));
  void interrupted().then(() => process.exit(130));
  await serving.stop(GRACE_MS);
  return 0;
}

/** `model.Q8_0.gguf` → `model.Q8_0`, `out/tuned` → `tuned`, `file.align#stage` → `stage`. */
function nameOf(model: string): string {
  const stage = model.lastIndexOf("#");
  return stage >= 0 ? model.slice(stage + 1) : basename(model).replace(/\.gguf$/, "");
}

const isLoopback = (host: string): boolean => /^(127\.|::1$|localhost$)/.test(host);

const interrupted = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });

function unlistenable(error: unknown, host: string, port: number) {
  const why: Record<string, string> = {
    EADDRINUSE: "something else listens there",
    EACCES: "that port is not yours to take",
    EADDRNOTAVAIL: "this machine has no such address",
    ENOTFOUND: "there is no such host",
  };
  const reason = why[(error as { code?: string }).code ?? ""];
  if (reason === undefined) return undefined;
  const help = "take another with --port, or --port 0 for any free one";
  return { code: "cannot-listen", message: `cannot listen at ${host}:${port}: ${reason}`, help };
}
