// Starts workers as processes of their own.
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Exit, FromWorker, Spawn } from "./protocol.ts";

/** Any file descriptor will do, but the types of execa know only the first ten. */
type OpenFile = 3;

/** `workerPath` is a file that calls `serveWorker`; `execArgv` goes before it: `["--import", "tsx"]`. */
export async function processSpawn(workerPath: string, execArgv: readonly string[] = []): Promise<Spawn> {
  // Loaded here: checking and planning start no process, and should not wait for it.
  const { execa } = await import("execa");
  return ({ log, onMessage }) => {
    mkdirSync(dirname(log), { recursive: true });
    const output = openSync(log, "a");
    const child = execa(process.execPath, [...execArgv, workerPath], {
      stdin: "ignore",
      stdout: output as OpenFile,
      stderr: output as OpenFile,
      ipc: true,
      serialization: "json",
      buffer: false,
      reject: false,
      // A process group of its own: Ctrl-C in a terminal does not reach it, and it can be ended as a whole.
      detached: true,
      cleanup: false,
    });
    child.on("message", (message) => onMessage(message as FromWorker));
    const exited = child.then((result): Exit => {
      closeSync(output);
      if (child.pid === undefined) return { problem: result.originalMessage ?? "it could not be started" };
      return {
        ...(result.exitCode === undefined ? {} : { code: result.exitCode }),
        ...(result.signal === undefined ? {} : { signal: result.signal }),
      };
    });
    return {
      ...(child.pid === undefined ? {} : { pid: child.pid }),
      exited,
      tail: () => lastLines(log),
      send(message) {
        // It may have died a moment ago; `exited` tells.
        if (child.connected) child.send(message, () => {});
      },
      kill() {
        if (child.pid === undefined) return;
        try {
          process.kill(-child.pid, "SIGKILL");
        } catch {
          child.kill("SIGKILL");
        }
      },
    };
  };
}

const TAIL = 20;
function lastLines(log: string): string[] {
  try {
    return readFileSync(log, "utf8").trimEnd().split("\n").slice(-TAIL);
  } catch {
    return [];
  }
}
