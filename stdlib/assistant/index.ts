// Declares the models that are asked rather than trained: `api` at an endpoint of OpenAI's kind, `assistant` on this machine.
import Type from "typebox";
import { defineModel } from "../../engine/index.ts";

export type { Assistant, Reply } from "./assistant.ts";

/** How it is reached and how fast it may be asked: in no key, so that none of it asks anything anew. */
const execution = { "x-execution": true };

export const api = defineModel(
  {
    name: "api",
    version: 1,
    doc: "A model behind an endpoint that speaks OpenAI's API: OpenAI's own, vLLM, llama.cpp, `align serve`. What it has answered is kept, and never asked again.",
    params: Type.Object({
      model: Type.String({ minLength: 1, description: "What the endpoint calls the model." }),
      base_url: Type.Union([Type.String(), Type.Object({ env: Type.String() })], {
        "x-align": "setting",
        default: "https://api.openai.com/v1",
        description: 'Address of the endpoint, or `env("NAME")`, which is then no part of the key.',
        "x-source": "the openai client",
      }),
      api_key: Type.Optional(
        Type.Unknown({
          "x-align": "secret",
          description: 'The key, as `env("NAME")`: it is in no key, journal, log, report or artifact.',
        }),
      ),
      max_concurrent: Type.Integer({
        minimum: 1,
        default: 8,
        ...execution,
        description: "Requests under way at once.",
        "x-unit": "requests",
        "x-source": "custom of the field (AlpacaEval asks with 5 to 16 threads)",
      }),
      requests_per_minute: Type.Integer({
        minimum: 0,
        default: 0,
        ...execution,
        description: "Requests are spaced to stay below this; 0 is no limit.",
        "x-unit": "requests",
        "x-source": "the endpoint's own limit, where it has one",
      }),
      tokens_per_minute: Type.Integer({
        minimum: 0,
        default: 0,
        ...execution,
        description: "Requests are spaced to stay below this many tokens, asked and answered; 0 is no limit.",
        "x-unit": "tokens",
        "x-source": "the endpoint's own limit, where it has one",
      }),
      timeout: Type.Number({
        exclusiveMinimum: 0,
        default: 600_000,
        ...execution,
        description: "For one request, to the last byte of its answer.",
        "x-unit": "ms",
        "x-source": "the openai client: 10 minutes",
      }),
      retries: Type.Integer({
        minimum: 0,
        default: 6,
        ...execution,
        description:
          "Tries more of a request that failed in a way that may pass: 408, 409, 429, 5xx, no connection, no or no whole answer in time.",
        "x-source": "OpenAI cookbook, How to handle rate limits: 6",
      }),
      backoff: Type.Number({
        exclusiveMinimum: 0,
        default: 1000,
        ...execution,
        description:
          "Pause before the first retry; it doubles up to a minute, and chance takes up to half of it. Retry-After of the endpoint goes before.",
        "x-unit": "ms",
        "x-source": "OpenAI cookbook: 1 s",
      }),
      token_budget: Type.Optional(
        Type.Integer({
          minimum: 1,
          ...execution,
          description:
            "Tokens that the rows of one stage may cost in all, those of earlier runs included. The stage stops before it asks for more; what it has is kept.",
          "x-unit": "tokens",
        }),
      ),
      cost_budget: Type.Optional(
        Type.Number({
          exclusiveMinimum: 0,
          ...execution,
          description: "The same in money, by the prices.",
          "x-unit": "dollars",
        }),
      ),
      input_price: Type.Number({
        minimum: 0,
        default: 0,
        ...execution,
        description: "Of a million tokens asked.",
        "x-unit": "dollars",
        "x-source": "unknown; the price list of the endpoint",
      }),
      output_price: Type.Number({
        minimum: 0,
        default: 0,
        ...execution,
        description: "Of a million tokens answered.",
        "x-unit": "dollars",
        "x-source": "unknown; the price list of the endpoint",
      }),
      recording: Type.Optional(
        Type.String({
          ...execution,
          description:
            "A file beside the pipeline to which every answer is added, and out of which what it has is answered: who has it asks nobody.",
        }),
      ),
      replay: Type.Boolean({
        default: false,
        ...execution,
        description: "Only answer out of the recording; what it does not have is an error.",
        "x-source": "off",
      }),
    }),
    positional: ["model"],
    output: { kind: "assistant" },
    check: (params) => [
      ...(params.replay && params.recording === undefined
        ? [{ param: "replay", kind: "other" as const, message: "wants a recording" }]
        : []),
      ...(params.cost_budget !== undefined && params.input_price + params.output_price === 0
        ? [{ param: "cost_budget", kind: "other" as const, message: "wants input_price and output_price" }]
        : []),
    ],
  },
  () => import("./run.ts").then((m) => m.api),
  () => import("./estimate.ts").then((m) => m.estimate),
);

export const assistant = defineModel(
  {
    name: "assistant",
    version: 1,
    doc: "A model of this machine or pipeline that answers by its chat template: a judge or a responder without an endpoint.",
    inputs: [{ name: "model", type: { kind: "model" }, doc: "Who answers." }],
    params: Type.Object({
      batch_size: Type.Integer({
        minimum: 1,
        default: 16,
        ...execution,
        description: "Answers decoded together.",
        "x-source": "fits a laptop",
      }),
    }),
    output: { kind: "assistant" },
  },
  () => import("./run.ts").then((m) => m.assistant),
  () => import("./estimate.ts").then((m) => m.estimate),
);
