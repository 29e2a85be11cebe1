// What went wrong, as data, and how errors of the system are put into words.
import { TaskError } from "./task.ts";

/** The plain form of a TaskError: what travels between processes, into events and into the journal. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly where?: string;
  readonly help?: string;
  /** May be gone on the next try. */
  readonly transient?: true;
}

export function problemOf(error: TaskError): Problem {
  return {
    code: error.code,
    message: error.message,
    ...(error.where === undefined ? {} : { where: error.where }),
    ...(error.help === undefined ? {} : { help: error.help }),
    ...(error.transient ? { transient: true } : {}),
  };
}

/**
 * Errors that a person can act on: a TaskError, or one of another room that has a code and either is about a place (a
 * damaged model file) or says what to do (a loss that left the range of floats). Undefined for a bug.
 */
export function asProblem(error: unknown): Problem | undefined {
  if (error instanceof TaskError) return problemOf(error);
  if (!(error instanceof Error)) return undefined;
  const { code, help, where } = error as { code?: unknown; help?: unknown; where?: unknown };
  if (typeof code !== "string" || (typeof help !== "string" && !("where" in error))) return undefined;
  return {
    code,
    message: error.message.replace(`\n  help: ${String(help)}`, ""),
    ...(typeof where === "string" ? { where } : {}),
    ...(typeof help === "string" ? { help } : {}),
  };
}

export const ROOM = "free some space, or keep the store elsewhere with --store DIR; finished stages are kept";

/** Errors of the file system that a person can act on; anything else is not ours to explain. */
export function problemOfSystem(error: unknown, doing: string): Problem | undefined {
  const { code, path } = (error ?? {}) as { code?: string; path?: string };
  const place = path ? ` (${path})` : "";
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return {
        code: "disk-full",
        message: `the disk is full: could not ${doing}${place}`,
        help: ROOM,
      };
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return {
        code: "no-permission",
        message: `no permission to ${doing}${place}`,
        help: "check who owns the folder, or keep the store elsewhere with --store DIR",
      };
    case "EMFILE":
    case "ENFILE":
      return {
        code: "too-many-files",
        message: `too many open files: could not ${doing}${place}`,
        help: "raise the limit (ulimit -n) or run with fewer --jobs",
      };
    default:
      return undefined;
  }
}

/** Runs `work`; what the system refuses becomes a TaskError that says what was being done. */
export async function explained<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TaskError) throw error;
    const problem = problemOfSystem(error, doing);
    if (problem) throw new TaskError(problem);
    throw error;
  }
}
