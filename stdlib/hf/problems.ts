// What can go wrong between here and the hub, in words that say what to do.
import { TaskError } from "../../engine/index.ts";

export interface Wanted {
  readonly kind: "model" | "dataset";
  readonly repo: string;
  readonly revision: string;
}

export function offlineProblem({ kind, repo }: Wanted, why: string): TaskError {
  const instead = kind === "model" ? 'local("folder")' : 'jsonl("…"), csv("…") or parquet("…")';
  return new TaskError({
    code: "hub-unreachable",
    message: `${repo} is not in the cache, and the hub cannot be asked for it: ${why}`,
    help: `run once with a connection, or copy the ${kind}'s files here and use ${instead}; HF_ENDPOINT names a mirror`,
  });
}

/** Undefined for an error that is not the hub's. */
export function hubProblem(error: unknown, wanted: Wanted, hasToken: boolean): TaskError | undefined {
  const { kind, repo, revision } = wanted;
  const { statusCode } = (error ?? {}) as { statusCode?: number };
  if (statusCode === 401 || statusCode === 403) {
    return new TaskError({
      code: "hub-refused",
      message: `the hub does not give ${repo} to ${hasToken ? "the owner of HF_TOKEN" : "anybody"}, or there is no such ${kind}`,
      help: hasToken
        ? `check the name, and accept the ${kind}'s terms on its page`
        : `check the name; a gated or private ${kind} needs HF_TOKEN in the environment`,
    });
  }
  if (statusCode === 404) {
    return new TaskError({
      code: "hub-not-found",
      message: `the hub has no ${kind} ${repo} at revision ${revision}`,
      help: "check the spelling of both",
    });
  }
  if (statusCode !== undefined) {
    return new TaskError({
      code: "hub-failed",
      message: `the hub answered ${statusCode} when asked for ${repo}`,
      help: "try again later; what is downloaded is kept",
    });
  }
  if (error instanceof TypeError && /access token/.test(error.message)) {
    return new TaskError({
      code: "hub-token",
      message: "HF_TOKEN is not a token of the hub: those start with hf_",
      help: "make one in the hub's settings, or unset HF_TOKEN",
    });
  }
  return undefined;
}

/** The system's word for why there is no connection; undefined when that is not what happened. */
export function whyUnreachable(error: unknown): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: string };
    if (code && /^(E[A-Z]+|UND_ERR_\w+)$/.test(code)) return code;
  }
  // The library turns errors of a stream into texts.
  if (typeof error === "string") return error;
  return error instanceof TypeError && /fetch failed|terminated/.test(error.message)
    ? error.message
    : undefined;
}
