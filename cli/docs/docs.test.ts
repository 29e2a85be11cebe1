import Type from "typebox";
import { expect, test } from "vitest";
import { defineStage } from "../../engine/index.ts";
import { check, dataset, type Host, parse, rows } from "../../grammar/index.ts";
import { operationPage } from "./operation.ts";
import { pipelinePage } from "./pipeline.ts";

const align = defineStage(
  {
    name: "align",
    version: 3,
    doc: "Moves a model.",
    inputs: [
      { name: "model", type: { kind: "model" }, doc: "Where to start." },
      { name: "data", type: dataset(rows.Preference), optional: true, doc: "Pairs | triples." },
    ],
    params: Type.Object({
      beta: Type.Number({
        exclusiveMinimum: 0,
        default: 1e-6,
        description: "The pull.",
        "x-unit": "nats",
        "x-source": "a paper",
      }),
      loss: Type.Enum(["sigmoid", "ipo"], { type: "string", description: "Which." }),
      threads: Type.Optional(Type.Integer({ description: "How many.", "x-execution": true })),
      lora: Type.Optional(
        Type.Object({ r: Type.Integer({ description: "Rank." }) }, { description: "Adapters." }),
      ),
    }),
    output: { kind: "model" },
    metrics: { loss: "mean of the last steps" },
    numeric: true,
  },
  () => Promise.reject(new Error("not run here")),
);

test("a page says what goes in, what may be set, where defaults come from and what is measured", () => {
  expect(operationPage(align)).toBe(`# align

Moves a model.

\`align(model: Model, data?: Dataset<Preference>)\`

## Inputs

| input | type |  |
|---|---|---|
| \`model\` | \`Model\` | Where to start. |
| \`data\` | \`Dataset<Preference>\`, optional | Pairs \\| triples. |

## Parameters

| parameter | takes | default | meaning | where the default comes from |
|---|---|---|---|---|
| \`beta\` | a number > 0, nats | \`1e-6\` | The pull. | a paper |
| \`loss\` | \`sigmoid\` or \`ipo\` | required | Which. |  |
| \`threads\` | a whole number |  | How many. Not part of the key. |  |
| \`lora\` | a block { … } |  | Adapters. |  |
| \`lora.r\` | a whole number |  | Rank. |  |

## Metrics

| metric | meaning |
|---|---|
| \`loss\` | mean of the last steps |

Version 3 of the operation; a new version is a new key. Its result depends on the numerics, whose fingerprint is part of the key.
`);
});

const host: Host = { resolve: (path) => ({ files: [`/${path}`] }), peek: () => undefined };

test("a pipeline's page has its declarations with comments, types and values, and where each came from", async () => {
  const { library } = await import("../../stdlib/index.ts");
  const source = {
    path: "demo.align",
    text: `/// What it is for.
pipeline demo
/// How many.
param count: int(>= 1) = 5
/// Asked by people.
dataset asked = jsonl("asked.jsonl") |> select(prompt: question) |> take(count) as Prompt
model base = hf("some/model")
stage answers = generate(base, asked) { samples: 2 }
expect answers.ended > 90% "they must end"
publish answers to "out"
profile laptop { param count = 1 }
`,
  };
  const { program, diagnostics } = check(source, library, host, { profile: "laptop" });
  expect(diagnostics).toEqual([]);
  const page = pipelinePage(source, parse(source).file, program!);
  expect(page).toContain("# demo\n\nWhat it is for.\n\nWith profile `laptop`.");
  expect(page).toContain("n_asked -->|prompts| n_answers");
  expect(page).toContain("### asked\n\nAsked by people.\n\n`Dataset<Prompt>`\n\n```align\ndataset asked");
  expect(page).toContain("| `select` | value | from |\n|---|---|---|\n| `prompt` | `question` | line 6 |");
  expect(page).toContain("| `n` | `1` | profile laptop |");
  expect(page).toContain("| `samples` | `2` | line 8 |");
  expect(page).toContain("| `max_new_tokens` | `64` | default, TRL OnlineDPO |");
  expect(page.indexOf("| `samples` |")).toBeLessThan(page.indexOf("| `temperature` |"));
  expect(page).toContain("| `answers.ended > 90%` | they must end |");
  expect(page).toContain("### laptop\n\n```align\nprofile laptop { param count = 1 }\n```");
});
