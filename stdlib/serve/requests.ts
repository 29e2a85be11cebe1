// What a body may ask for: OpenAI's chat completions and completions, with the extensions that vLLM made usual.
import { Ajv, type ErrorObject } from "ajv";
import Type, { type Static, type TSchema } from "typebox";
import type { Message } from "../../tensor/io/index.ts";
import { Refusal } from "./refusal.ts";

/** Both kinds of request. Where a field may be null, that is as if it were absent. */
const common = {
  model: Type.String(),
  max_tokens: Type.Optional(Type.Integer({ minimum: 1 })),
  temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2 })),
  top_p: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
  n: Type.Optional(Type.Integer({ minimum: 1, maximum: 128 })),
  stop: Type.Optional(
    Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.String({ minLength: 1 }), { maxItems: 4 })]),
  ),
  seed: Type.Optional(Type.Integer()),
  stream: Type.Optional(Type.Boolean()),
  stream_options: Type.Optional(Type.Object({ include_usage: Type.Optional(Type.Boolean()) })),
  // Extensions of vLLM's.
  top_k: Type.Optional(Type.Integer({ minimum: -1 })),
  min_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  repetition_penalty: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
};

type Common = Static<ReturnType<typeof Type.Object<typeof common>>>;

const ChatBody = Type.Object({
  ...common,
  messages: Type.Array(
    Type.Object({
      role: Type.Enum(["system", "developer", "user", "assistant"]),
      content: Type.Union([
        Type.String(),
        Type.Array(Type.Object({ type: Type.Enum(["text"]), text: Type.String() }), { minItems: 1 }),
      ]),
    }),
    { minItems: 1 },
  ),
  max_completion_tokens: Type.Optional(Type.Integer({ minimum: 1 })),
  logprobs: Type.Optional(Type.Boolean()),
  top_logprobs: Type.Optional(Type.Integer({ minimum: 0, maximum: 20 })),
});

const CompletionBody = Type.Object({
  ...common,
  prompt: Type.Union([
    Type.String(),
    Type.Array(Type.String(), { minItems: 1 }),
    Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 }),
    Type.Array(Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 }), { minItems: 1 }),
  ]),
  logprobs: Type.Optional(Type.Integer({ minimum: 0, maximum: 5 })),
});

/** What would change the answer and is not done, with the values that ask for nothing. */
const unsupported: Readonly<Record<string, (value: unknown) => boolean>> = {
  frequency_penalty: (value) => value === 0,
  presence_penalty: (value) => value === 0,
  logit_bias: (value) => Object.keys(value as object).length === 0,
  tools: (value) => Array.isArray(value) && value.length === 0,
  functions: (value) => Array.isArray(value) && value.length === 0,
  response_format: (value) => (value as { type?: unknown }).type === "text",
  modalities: (value) => JSON.stringify(value) === '["text"]',
  echo: (value) => value === false,
  suffix: (value) => value === "",
  best_of: (value) => value === 1,
};

export interface Asked {
  readonly model: string;
  readonly max_tokens: number | undefined;
  readonly temperature: number;
  readonly top_p: number;
  readonly top_k: number;
  readonly min_p: number;
  readonly repetition_penalty: number;
  readonly n: number;
  readonly stop: readonly string[];
  readonly seed: number | undefined;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** How many alternatives to each token; undefined for no log-probabilities at all. */
  readonly logprobs: number | undefined;
}

export interface AskedChat extends Asked {
  readonly messages: readonly Message[];
}

export interface AskedCompletion extends Asked {
  readonly prompts: readonly (string | readonly number[])[];
}

export function chatOf(body: unknown): AskedChat {
  const asked = valid(ChatBody, body);
  if (asked.top_logprobs !== undefined && asked.logprobs !== true)
    throw new Refusal(400, "top_logprobs wants logprobs: true", { param: "top_logprobs" });
  return {
    ...commonOf(asked, asked.max_completion_tokens ?? asked.max_tokens),
    logprobs: asked.logprobs ? (asked.top_logprobs ?? 0) : undefined,
    messages: asked.messages.map(({ role, content }) => ({
      role: role === "developer" ? "system" : role,
      content: typeof content === "string" ? content : content.map(({ text }) => text).join(""),
    })),
  };
}

export function completionOf(body: unknown): AskedCompletion {
  const asked = valid(CompletionBody, body);
  const { prompt } = asked;
  const several = Array.isArray(prompt) && typeof prompt[0] !== "number";
  return {
    // 16 is OpenAI's default.
    ...commonOf(asked, asked.max_tokens ?? 16),
    logprobs: asked.logprobs,
    prompts: several ? (prompt as string[] | number[][]) : [prompt as string | number[]],
  };
}

function commonOf(asked: Common, max_tokens: number | undefined): Omit<Asked, "logprobs"> {
  return {
    model: asked.model,
    max_tokens,
    temperature: asked.temperature ?? 1,
    top_p: asked.top_p ?? 1,
    top_k: Math.max(0, asked.top_k ?? 0),
    min_p: asked.min_p ?? 0,
    repetition_penalty: asked.repetition_penalty ?? 1,
    n: asked.n ?? 1,
    stop: [asked.stop ?? []].flat(),
    seed: asked.seed,
    stream: asked.stream ?? false,
    includeUsage: asked.stream_options?.include_usage ?? false,
  };
}

const ajv = new Ajv({ strict: false });

function valid<S extends TSchema>(schema: S, body: unknown): Static<S> {
  if (body === null || typeof body !== "object" || Array.isArray(body))
    throw new Refusal(400, "the body must be a JSON object");
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  for (const [name, harmless] of Object.entries(unsupported)) {
    if (Object.hasOwn(given, name) && !harmless(given[name]))
      throw new Refusal(400, `${name} is not supported here`, { param: name, code: "unsupported_parameter" });
  }
  const check = ajv.compile(schema);
  if (check(given)) return given as Static<S>;
  // Of a union the deepest complaint says most.
  const worst = check.errors!.reduce((a, b) => (depth(b) > depth(a) ? b : a));
  const param = placeOf(worst);
  const allowed = (worst.params as { allowedValues?: readonly string[] }).allowedValues?.join(", ");
  throw new Refusal(400, `${param || "the body"} ${worst.message}${allowed ? `: ${allowed}` : ""}`, {
    ...(param ? { param } : {}),
    code: worst.keyword === "required" ? "missing_required_parameter" : "invalid_value",
  });
}

const depth = ({ instancePath }: ErrorObject): number => instancePath.split("/").length;

/** `/messages/0/role` → `messages[0].role`; of what is missing, its own name. */
function placeOf({ instancePath, keyword, params }: ErrorObject): string {
  const path = instancePath.slice(1).split("/").filter(Boolean);
  if (keyword === "required") path.push(String((params as { missingProperty: string }).missingProperty));
  return path.map((part, i) => (/^\d+$/.test(part) ? `[${part}]` : i === 0 ? part : `.${part}`)).join("");
}
