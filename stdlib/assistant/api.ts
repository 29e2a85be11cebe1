// Asks an endpoint that speaks OpenAI's API, through OpenAI's client: paced, retried, within its budget, and only what is not known yet.
import { isAbsolute, join } from "node:path";
import type { OpenAI } from "openai";
import { type Artifact, type Clock, openRowJournal, systemClock, TaskError } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { type Random, stream } from "../../tensor/index.ts";
import {
  type Ask,
  type Assistant,
  type AssistantFile,
  keptReply,
  type Reply,
  type Surroundings,
} from "./assistant.ts";
import { createBudget, type Prices } from "./budget.ts";
import { faultOf, NoAnswer, problemOf } from "./faults.ts";
import { createPace, type Limits, sleep } from "./pace.ts";

interface Settings extends Limits, Prices {
  /** `{ env: NAME }` where they come from the environment. */
  readonly base_url?: Json;
  readonly api_key?: Json;
  /** Milliseconds. */
  readonly timeout: number;
  readonly retries: number;
  readonly backoff: number;
  readonly recording?: string;
  readonly replay: boolean;
}

type Place = Pick<Artifact, "dir" | "node" | "settings" | "home">;

const MAX_BACKOFF_MS = 60_000;

export async function openApi(
  file: AssistantFile & { readonly kind: "api" },
  { node, settings = {}, home = "" }: Place,
  { journal, signal }: Surroundings,
  { clock = systemClock, env = process.env }: { clock?: Clock; env?: NodeJS.ProcessEnv } = {},
): Promise<Assistant> {
  const set = settings as unknown as Settings;
  const key = set.api_key === undefined ? undefined : variable(set.api_key, node, env);
  const address = file.base_url ?? variable(set.base_url!, node, env);
  const recording =
    set.recording === undefined
      ? undefined
      : openRowJournal(isAbsolute(set.recording) ? set.recording : join(home, set.recording));
  const pace = createPace(set, clock, signal);
  const budget = createBudget(set, node);
  const random = stream("api");
  let client: Promise<OpenAI> | undefined;

  /** Whatever an endpoint says, the key is not in it. */
  const clean = (text: string): string => (key ? text.replaceAll(key, "•••") : text);

  async function connect(): Promise<OpenAI> {
    const { OpenAI } = await import("openai");
    // Its own retries and logs are off: both are done here.
    return new OpenAI({
      apiKey: key ?? "none",
      baseURL: address,
      maxRetries: 0,
      timeout: set.timeout,
      logLevel: "off",
    });
  }

  /** One request, to the last byte or the end of its time. */
  async function send({ messages, sampling }: Ask): Promise<Reply> {
    client ??= connect();
    const { top_k, min_p, repetition_penalty, stop, ...usual } = sampling;
    const body = {
      model: file.model,
      messages,
      ...usual,
      ...(stop !== undefined && stop.length > 0 && { stop }),
      // vLLM's extensions, where they do anything: OpenAI knows none of them.
      ...(top_k && { top_k }),
      ...(min_p && { min_p }),
      ...(repetition_penalty !== undefined && repetition_penalty !== 1 && { repetition_penalty }),
    };
    const attempt = new AbortController();
    const abort = (): void => attempt.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const off = clock.after(set.timeout, () => attempt.abort());
    try {
      const said: unknown = await (await client).chat.completions.create(
        body as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming,
        { signal: attempt.signal },
      );
      return replyOf(said, messages, clean);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (attempt.signal.aborted) throw new NoAnswer(`no whole answer in ${set.timeout / 1000} s`);
      throw error;
    } finally {
      off();
      signal.removeEventListener("abort", abort);
    }
  }

  async function insist(ask: Ask, jitter: Random): Promise<Reply> {
    const promptTokens = likelyTokens(ask.messages);
    for (let tries = 1; ; tries++) {
      const giveBack = await budget.reserve(promptTokens, ask.sampling.max_tokens);
      try {
        const reply = await pace.run(promptTokens + ask.sampling.max_tokens, () => send(ask));
        budget.spend(reply);
        return reply;
      } catch (error) {
        if (signal.aborted) throw new TaskError({ code: "interrupted", message: "interrupted" });
        const fault = faultOf(error, clock.now());
        const told = { ...fault, message: clean(fault.message) };
        if (!fault.passes || tries > set.retries) throw problemOf(told, node, tries);
        const doubled = Math.min(MAX_BACKOFF_MS, set.backoff * 2 ** (tries - 1));
        const pause = fault.retryAfter ?? doubled * (1 - jitter.uniform() / 2);
        if (fault.busy) pace.pause(pause);
        await sleep(pause, clock, signal);
      } finally {
        giveBack();
      }
    }
  }

  function answer(ask: Ask): Promise<Reply> {
    return keptReply(recording, ask, () => {
      if (!set.replay) return insist(ask, random.split(JSON.stringify(ask.id)));
      throw new TaskError({
        code: "not-recorded",
        message: `${set.recording} has no answer to a question to ${node}: ${JSON.stringify(ask.messages.at(-1)?.content.slice(0, 80))}…`,
        help: "leave out replay to ask for it, or take a recording of this pipeline as it is",
      });
    });
  }

  return {
    concurrency: set.max_concurrent,
    async ask(ask) {
      let known = true;
      const reply = await keptReply(journal, ask, () => {
        known = false;
        return answer(ask);
      });
      // What an earlier run has paid for counts, what a recording answers does not.
      if (known) budget.spend(reply);
      return reply;
    },
    async dispose() {
      recording?.close();
    },
  };
}

/** At most, as a rule: byte-level tokens of any language have three bytes or more on average. */
function likelyTokens(messages: Ask["messages"]): number {
  return messages.reduce((sum, { content }) => sum + 8 + Math.ceil(Buffer.byteLength(content) / 3), 8);
}

function replyOf(said: unknown, messages: Ask["messages"], clean: (text: string) => string): Reply {
  const { choices, usage } = (said ?? {}) as Partial<OpenAI.ChatCompletion>;
  const choice = Array.isArray(choices) ? choices[0] : undefined;
  const text = choice?.message?.content ?? (choice?.message ? "" : undefined);
  if (typeof text !== "string") throw new NoAnswer("what it sent is not a chat completion");
  const count = (tokens: unknown, otherwise: number) =>
    typeof tokens === "number" && tokens >= 0 ? tokens : otherwise;
  return {
    text: clean(text),
    finish: choice!.finish_reason === "length" ? "length" : "stop",
    // Servers that do not count are counted for.
    prompt_tokens: count(usage?.prompt_tokens, likelyTokens(messages)),
    completion_tokens: count(usage?.completion_tokens, Math.ceil(Buffer.byteLength(text) / 3)),
  };
}

function variable(value: Json, node: string, env: NodeJS.ProcessEnv): string {
  if (typeof value === "string") return value;
  const name = String((value as { env?: Json } | null)?.env);
  const found = env[name];
  if (found) return found;
  throw new TaskError({
    code: "no-secret",
    message: `${node} reads ${name}, which is not set`,
    help: `export ${name}=… where the pipeline runs`,
  });
}
