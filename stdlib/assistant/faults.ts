// What can go wrong with a request, and which of it may pass.
import { TaskError } from "../../engine/index.ts";

export interface Fault {
  readonly message: string;
  /** Another try may succeed. */
  readonly passes: boolean;
  /** The endpoint has too much to do: nobody should ask it for a while. */
  readonly busy: boolean;
  /** How long it wants to be left alone, milliseconds. */
  readonly retryAfter?: number;
  readonly status?: number;
}

/** What an endpoint sent with status 200, and is no answer. */
export class NoAnswer extends Error {}

interface ApiError {
  readonly status?: number;
  readonly code?: string | null;
  readonly headers?: Headers;
  readonly message?: string;
  readonly error?: { readonly message?: string };
}

export function faultOf(error: unknown, now: number): Fault {
  const { status, code, headers, message = String(error), error: body } = (error ?? {}) as ApiError;
  // No status: no connection, a stream that broke off, a timeout, what is not JSON.
  if (status === undefined) return { message, passes: true, busy: false };
  const spent = code === "insufficient_quota";
  const passes = !spent && (status === 408 || status === 409 || status === 429 || status >= 500);
  const retryAfter = headers ? retryAfterOf(headers, now) : undefined;
  return {
    message: `${status} ${body?.message ?? message.replace(/^\d+ /, "")}`,
    passes,
    busy: passes && (status === 429 || status === 503),
    status,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

/** Seconds or a date (RFC 9110 §10.2.3); OpenAI also says milliseconds. */
export function retryAfterOf(headers: Headers, now: number): number | undefined {
  const milliseconds = Number(headers.get("retry-after-ms") ?? Number.NaN);
  if (milliseconds >= 0) return milliseconds;
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const seconds = Number(text);
  if (seconds >= 0) return seconds * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

const helps: Readonly<Record<number, string>> = {
  401: "the endpoint does not take the key: look at the variable that api_key names",
  403: "the endpoint does not take the key: look at the variable that api_key names",
  404: "look at the name of the model and at base_url",
};

export function problemOf({ message, status, passes }: Fault, node: string, tries: number): TaskError {
  const often = tries > 1 ? ` after ${tries} tries` : "";
  return new TaskError({
    code: "endpoint",
    message: `${node} could not be asked${often}: ${message}`,
    help:
      helps[status ?? 0] ??
      "what was answered is kept: run again to go on, with a lower max_concurrent if it was too much",
    transient: passes,
  });
}
