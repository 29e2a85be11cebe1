// `align serve` as other people's clients see it: Python's openai package where ALIGN_TEST_PYTHON has it, and OpenAI's own client for Node
// on a real model where ALIGN_TEST_GGUF names one that answers questions.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { initialize, stream } from "../../tensor/index.ts";
import { tokenizerFiles, trainBpe, wordCounter, writeModelFolder } from "../../tensor/io/index.ts";
import { bin } from "../align.ts";

const { ALIGN_TEST_PYTHON: python, ALIGN_TEST_GGUF: real } = process.env;
const hasPython =
  python !== undefined && (await execa(python, ["-c", "import openai"], { reject: false })).exitCode === 0;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "align-serve-"));
  const counter = wordCounter();
  counter.add("Hello, hello. What is it? It is a small model that says what it likes. ");
  const bpe = trainBpe(counter.counts, { vocabSize: 280, minFrequency: 1, specialTokens: ["<|end|>"] });
  const config = {
    model_type: "llama" as const,
    vocab_size: 320,
    hidden_size: 32,
    intermediate_size: 48,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 256,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
  };
  const chatTemplate = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:";
  const weights = initialize({ ...config, initializer_range: 0.3 }, stream("serve"));
  await mkdir(join(dir, "tiny"));
  await writeModelFolder(join(dir, "tiny"), {
    config,
    tokenizer: tokenizerFiles(bpe, { eos: "<|end|>", chatTemplate }),
    tensors: new Map(
      Object.entries(weights).map(([name, { shape, data }]) => [name, { shape: [...shape], data }]),
    ),
  } as Parameters<typeof writeModelFolder>[1]);
});
afterAll(() => rm(dir, { recursive: true }));

/** Runs `align serve` while `work` goes on, and ends it as Ctrl-C does. */
async function served(
  args: readonly string[],
  env: Record<string, string>,
  work: (url: string) => Promise<void>,
): Promise<{ status: number | undefined; stderr: string }> {
  const server = execa(process.execPath, [bin, "serve", ...args, "--port", "0", "--device", "cpu"], {
    env: { NO_COLOR: "1", ...env },
    reject: false,
  });
  let said = "";
  const url = await new Promise<string>((resolve, reject) => {
    server.stdout.on("data", (text: Buffer) => {
      said += text.toString();
      const found = /http:\S+/.exec(said);
      if (found) resolve(found[0]);
    });
    void server.then(({ stderr }) => reject(new Error(stderr)));
  });
  try {
    await work(url);
  } finally {
    server.kill("SIGINT");
  }
  const { exitCode, stderr } = await server;
  return { status: exitCode, stderr };
}

test("it listens on loopback, answers OpenAI's client, logs without the token, and ends with status 0 on Ctrl-C", async () => {
  const env = { ALIGN_SERVE_TOKEN: "t0ken" };
  const { status, stderr } = await served([join(dir, "tiny"), "--require-token"], env, async (url) => {
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    const client = new OpenAI({ baseURL: url, apiKey: "t0ken", maxRetries: 0 });
    const answer = await client.chat.completions.create({
      model: "tiny",
      messages: [{ role: "user", content: "Hello" }],
      max_tokens: 5,
    });
    expect(answer.usage?.completion_tokens).toBeGreaterThan(0);
    expect((await fetch(`${url}/models`)).status).toBe(401);
  });
  expect(status).toBe(0);
  expect(stderr).toMatch(/POST \/v1\/chat\/completions 200/);
  expect(stderr).not.toContain("t0ken");
});

test("without the token that must be there, and for what is no model, it says what to do", async () => {
  const run = (...args: string[]) =>
    execa(process.execPath, [bin, "serve", ...args], { reject: false, env: { NO_COLOR: "1" } });
  const [token, model] = await Promise.all([run(join(dir, "tiny"), "--require-token"), run("nowhere")]);
  expect(token.exitCode).toBe(2);
  expect(token.stderr).toContain("error[no-token]");
  expect(model.exitCode).toBe(2);
  expect(model.stderr).toContain("error[no-such-model]");
});

describe.runIf(hasPython)("Python's openai package (ALIGN_TEST_PYTHON)", () => {
  test("answers, streams and refusals are what it knows", async () => {
    const script = join(import.meta.dirname, "serve.py");
    await served([join(dir, "tiny")], { ALIGN_SERVE_TOKEN: "t0ken" }, async (url) => {
      const { stdout } = await execa(python!, [script, url, "t0ken"]);
      const said = JSON.parse(stdout);
      expect(said.streamed).toBe(said.whole);
      expect(said.together).toEqual([said.whole]);
      expect(said.usage[1]).toEqual(said.usage[0]);
      expect(said.usage[0].completion_tokens).toBe(said.tokens);
      expect(said.completion).toBe(4);
      expect(said.refusals).toEqual([
        ["NotFoundError", 404, "model_not_found"],
        ["BadRequestError", 400, "invalid_value"],
        ["BadRequestError", 400, "context_length_exceeded"],
        ["AuthenticationError", 401, "invalid_api_key"],
      ]);
    });
  }, 60_000);
});

describe.runIf(real !== undefined)("a real model (ALIGN_TEST_GGUF)", () => {
  test("knows the capital of France, and answers sixteen at once", async () => {
    await served([real!, "--name", "real", "--batch-size", "16"], {}, async (url) => {
      const client = new OpenAI({ baseURL: url, apiKey: "none", maxRetries: 0, timeout: 600_000 });
      const ask = (content: string, temperature: number) =>
        client.chat.completions.create({
          model: "real",
          messages: [{ role: "user", content }],
          max_tokens: 12,
          temperature,
        });
      const { choices } = await ask("What is the capital of France?", 0);
      expect(choices[0]!.message.content).toContain("Paris");
      const many = await Promise.all(Array.from({ length: 16 }, (_, i) => ask(`What is ${i} plus 1?`, 1)));
      for (const { choices } of many) expect(choices[0]!.message.content).not.toBe("");
    });
  }, 600_000);
});
