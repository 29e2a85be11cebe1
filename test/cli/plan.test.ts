// `align plan` says what stages will take before any of them has run, and `run` does not begin what cannot fit.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Workspace, workspace } from "../align.ts";
import { corpus, words } from "../runs/make-corpus.ts";

let space: Workspace;
beforeAll(async () => {
  space = await workspace("test/runs");
  await space.write("corpus.txt", corpus(400, 3));
  await space.write("words.json", JSON.stringify(words));
});
afterAll(() => space.remove());

test("stages that compute have a time, operations, tokens, memory and disk", async () => {
  const { stdout, status } = await space.align("plan", "tiny.align");
  expect(status).toBe(0);
  // 20 steps of 4 rows of 32 tokens: 2560 tokens.
  expect(stdout).toMatch(
    /base {2}pretrain.*\n +about .* · \d+ [MG]FLOP · 2\.6 k tokens · memory \d+ MB · disk \d+ kB\n/,
  );
  expect(stdout).toMatch(/writer {2}sft.*\n.*as if every example had 64 tokens/);
  expect(stdout).toMatch(/of computing on this machine; .*memory up to \d+ MB of /);
});

test("once the rows are there, the estimate is of these rows and no longer a bound", async () => {
  await space.align("run", "tiny.align", "--only", "demos");
  const planned = async () => {
    const { stdout } = await space.align("plan", "tiny.align", "--json");
    return (JSON.parse(stdout) as { estimates: Record<string, { note?: string; seconds?: number }> })
      .estimates;
  };
  expect((await planned()).writer?.note).toBe("as if every example had 64 tokens");
  await space.align("run", "tiny.align", "--only", "base");
  const again = await planned();
  expect(again.base).toBeUndefined();
  expect(again.writer?.note).toBeUndefined();
});

test("what an assistant will be asked is counted before anybody is asked", async () => {
  await space.write(
    "prompts.jsonl",
    ["a", "b", "c"].map((prompt) => `${JSON.stringify({ prompt })}\n`).join(""),
  );
  await space.write(
    "asked.align",
    `pipeline asked
dataset prompts = jsonl("prompts.jsonl")
model gpt = api("gpt-4o")
stage answers = generate(gpt, prompts) { samples: 4 }
stage rated = judge(answers, by: gpt) { compare: pairs }
`,
  );
  const { stdout } = await space.align("plan", "asked.align");
  // Three prompts, four answers each; six pairs of four in both orders.
  expect(stdout).toMatch(/answers {2}generate.*\n +12 questions\n/);
  expect(stdout).toMatch(/rated {2}judge.*\n +36 questions\n/);
  expect(stdout).toContain("\n48 questions to assistants; ");
});

test("a stage that cannot fit is refused before anything runs, with what would make it fit", async () => {
  await space.edit("tiny.align", (text) =>
    text.replace(
      "layers: 2, hidden_size: 32, heads: 2, intermediate_size: 64",
      "layers: 64, hidden_size: 8192, heads: 64, intermediate_size: 32768",
    ),
  );
  const { stderr, status } = await space.align("run", "tiny.align");
  expect(status).toBe(2);
  expect(stderr).toMatch(
    /error\[does-not-fit\]: base needs about \d+(\.\d)? [GT]B of memory; this machine has /,
  );
  expect(stderr).toContain("micro_batch_size");
});
