import { expect, test } from "vitest";
import { check } from "../../../grammar/index.ts";
import { library } from "../../index.ts";
import { transformWith } from "../../testing.ts";
import { explicitPrompt, fromAlpaca, fromShareGpt } from "./index.ts";

test("Alpaca's input follows its instruction after an empty line", async () => {
  const rows = [
    { instruction: "Add.", input: "1 2", output: "3", id: 7 },
    { instruction: "Greet.", input: "", output: "Hello." },
  ];
  expect(await transformWith(fromAlpaca, rows)).toEqual([
    { prompt: "Add.\n\n1 2", completion: "3", id: 7 },
    { prompt: "Greet.", completion: "Hello." },
  ]);
});

test("ShareGPT's speakers become roles", async () => {
  const conversations = [
    { from: "system", value: "Be brief." },
    { from: "human", value: "Hi" },
    { from: "gpt", value: "Hello." },
  ];
  expect(await transformWith(fromShareGpt, [{ conversations }])).toEqual([
    {
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Hi" },
        { role: "assistant", content: "Hello." },
      ],
    },
  ]);
  await expect(
    transformWith(fromShareGpt, [{ conversations: [{ from: "dog", value: "wuff" }] }]),
  ).rejects.toThrow("row 1 cannot be read: a turn is");
});

test("a preference without a prompt has it at the start of both", async () => {
  const hh = "\n\nHuman: Hi\n\nAssistant:";
  const turn = (role: string, content: string) => ({ role, content });
  const rows = [
    { chosen: `${hh} Hello.`, rejected: `${hh} Heck.` },
    {
      chosen: [turn("user", "Hi"), turn("assistant", "Hello.")],
      rejected: [turn("user", "Hi"), turn("assistant", "Go.")],
    },
  ];
  expect(await transformWith(explicitPrompt, rows)).toEqual([
    { prompt: hh, chosen: " Hello.", rejected: " Heck." },
    {
      prompt: [turn("user", "Hi")],
      chosen: [turn("assistant", "Hello.")],
      rejected: [turn("assistant", "Go.")],
    },
  ]);
});

test("`as Row` applies them where rows are spelt so, and the program says it", () => {
  const columns = {
    "a.jsonl": { instruction: "string", output: "string" },
    "b.jsonl": { prompt: "string", completion: "string" },
  } as const;
  const host = {
    resolve: (path: string) => ({ files: [path] }),
    peek: (path: string) => ({ columns: columns[path as keyof typeof columns] }),
  };
  const text = `pipeline p
dataset a = jsonl("a.jsonl") as Instruction
dataset b = jsonl("b.jsonl") as Instruction
dataset both = a |> concat(b)
publish both to "out"
`;
  const { program, diagnostics } = check({ path: "p.align", text }, library, host);
  expect(diagnostics).toEqual([]);
  expect(program!.nodes.map((n) => n.calls.map((c) => c.op))).toEqual([
    ["jsonl", "from_alpaca"],
    ["jsonl"],
    ["concat"],
  ]);
});
