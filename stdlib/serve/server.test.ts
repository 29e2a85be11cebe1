// The server as OpenAI's own client sees it, with a small untrained model behind it.
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import OpenAI, { type APIError } from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decoder } from "../decoder/index.ts";
import { type Answerer, openAnswerer } from "../generate/answerer.ts";
import { datasetOf, runWith } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { openBackend } from "../training/backend.ts";
import { type ServeOptions, type Serving, serve } from "./server.ts";

const words = "the whale was white and the sea was wide and the ship went on and on";
const options: ServeOptions = {
  name: "tiny",
  host: "127.0.0.1",
  port: 0,
  maxAnswers: 80,
  maxBodyBytes: 4096,
  fingerprint: "test",
};

let answerer: Answerer;
let serving: Serving;
let client: OpenAI;
const clientOf = ({ url }: Serving, apiKey = "any") => new OpenAI({ baseURL: url, apiKey, maxRetries: 0 });

beforeAll(async () => {
  const bpe = await runWith(
    tokenizer,
    { vocab_size: 300 },
    { inputs: { data: await datasetOf([{ text: words }]) } },
  );
  const geometry = { layers: 1, hidden_size: 16, heads: 2, intermediate_size: 32, max_length: 128 };
  const { dir } = await runWith(decoder, geometry, { inputs: { tokenizer: bpe.dir } });
  const path = join(dir, "tokenizer_config.json");
  const config = JSON.parse(await readFile(path, "utf8")) as object;
  const chat_template =
    "{% for m in messages %}{% if m.role == 'assistant' and loop.first %}{{ raise_exception('begin with the user') }}{% endif %}{{ m.role }}: {{ m.content }}\n{% endfor %}";
  await writeFile(path, JSON.stringify({ ...config, chat_template }));
  answerer = await openAnswerer(dir, await openBackend({ device: "cpu", threads: 1 }), 64);
  serving = await serve(answerer, options);
  client = clientOf(serving);
});
afterAll(async () => {
  await serving?.stop(0);
  await answerer?.dispose();
});

const user = (content: string) => [{ role: "user" as const, content }];
const ask = (more: object = {}, content = "the whale") =>
  client.chat.completions.create({
    model: "tiny",
    messages: user(content),
    max_tokens: 8,
    seed: 1,
    ...more,
  }) as Promise<OpenAI.ChatCompletion>;
const refused = async (asked: Promise<unknown>) => {
  const error = (await asked.then(
    () => expect.fail("it was answered"),
    (error: unknown) => error,
  )) as APIError;
  return { status: error.status, code: error.code, param: error.param, message: error.message };
};

describe("answers", () => {
  test("count their tokens, are the same for the same seed, and others for another", async () => {
    const [a, b, c] = await Promise.all([ask(), ask(), ask({ seed: 2 })]);
    const prompt = answerer.chat!(user("the whale")).length;
    expect(a.usage).toEqual({ prompt_tokens: prompt, completion_tokens: 8, total_tokens: prompt + 8 });
    expect(a.choices[0]).toMatchObject({ index: 0, finish_reason: "length", message: { role: "assistant" } });
    expect(b.choices).toEqual(a.choices);
    expect(c.choices).not.toEqual(a.choices);
    expect(b.id).not.toBe(a.id);
  });

  test("come in pieces that make the whole, with usage at the end where it is asked for", async () => {
    const whole = await ask({ n: 2, logprobs: true, top_logprobs: 2 });
    const stream = await client.chat.completions.create({
      model: "tiny",
      messages: user("the whale"),
      max_tokens: 8,
      seed: 1,
      n: 2,
      logprobs: true,
      top_logprobs: 2,
      stream: true,
      stream_options: { include_usage: true },
    });
    const texts = ["", ""];
    const tokens: object[][] = [[], []];
    const ends: (string | null)[] = [];
    let usage: unknown;
    for await (const chunk of stream) {
      usage = chunk.usage ?? usage;
      for (const { index, delta, finish_reason, logprobs } of chunk.choices) {
        texts[index] += delta.content ?? "";
        tokens[index]!.push(...(logprobs?.content ?? []));
        if (finish_reason) ends.push(finish_reason);
      }
    }
    expect(texts).toEqual(whole.choices.map(({ message }) => message.content));
    expect(tokens).toEqual(whole.choices.map(({ logprobs }) => logprobs!.content));
    expect(tokens[0]).toHaveLength(8);
    expect(ends).toEqual(["length", "length"]);
    expect(usage).toEqual(whole.usage);
  });

  test("greedy ones take the likeliest token each time, and say so in their log-probabilities", async () => {
    const { choices } = await ask({ temperature: 0, logprobs: true, top_logprobs: 3 });
    for (const { token, logprob, top_logprobs } of choices[0]!.logprobs!.content!) {
      expect(top_logprobs).toHaveLength(3);
      expect(top_logprobs[0]).toMatchObject({ token, logprob });
      expect(top_logprobs[1]!.logprob).toBeLessThanOrEqual(logprob);
    }
  });

  test("end before a stop text", async () => {
    const free = (await ask({ max_tokens: 30 })).choices[0]!.message.content!;
    const stop = free.slice(5, 8);
    const { choices } = await ask({ max_tokens: 30, stop });
    expect(choices[0]).toMatchObject({
      finish_reason: "stop",
      message: { content: free.slice(0, free.indexOf(stop)) },
    });
  });

  test("completions take texts and tokens, several at once, with log-probabilities by token", async () => {
    const ids = answerer.model.tokenizer.encode("the sea");
    const create = (prompt: string | number[] | string[]) =>
      client.completions.create({ model: "tiny", prompt, max_tokens: 4, seed: 1, logprobs: 1, n: 2 });
    const [text, tokens, both] = await Promise.all([
      create("the sea"),
      create(ids),
      create(["the sea", "a ship"]),
    ]);
    expect(tokens.choices).toEqual(text.choices);
    expect(both.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(both.choices.slice(0, 2)).toEqual(text.choices);
    expect(text.usage).toMatchObject({ prompt_tokens: ids.length, completion_tokens: 8 });
    const { tokens: names, token_logprobs, text_offset } = text.choices[0]!.logprobs!;
    expect([names, token_logprobs, text_offset].map((list) => list!.length)).toEqual([4, 4, 4]);
    expect(text_offset![1]).toBe(names![0]!.length);
  });

  test("sixty-four at once are the answers that they are one by one", async () => {
    const many = await Promise.all(Array.from({ length: 64 }, (_, i) => ask({ seed: i })));
    for (const i of [0, 31, 63]) expect((await ask({ seed: i })).choices).toEqual(many[i]!.choices);
    expect(new Set(many.map(({ choices }) => choices[0]!.message.content)).size).toBeGreaterThan(32);
  });

  test("the model is listed, by name too", async () => {
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["tiny"]);
    expect(await client.models.retrieve("tiny")).toMatchObject({ id: "tiny", object: "model" });
  });
});

describe("what is refused", () => {
  test("bodies that are not as they must be name the field", async () => {
    expect(await refused(ask({ temperature: 3 }))).toMatchObject({ status: 400, param: "temperature" });
    expect(await refused(ask({ messages: [] }))).toMatchObject({ status: 400, param: "messages" });
    expect(await refused(ask({ messages: [{ role: "king", content: "x" }] }))).toMatchObject({
      status: 400,
      param: "messages[0].role",
    });
    expect(await refused(ask({ messages: undefined }))).toMatchObject({
      code: "missing_required_parameter",
      param: "messages",
    });
    expect(await refused(ask({ presence_penalty: 1 }))).toMatchObject({
      status: 400,
      code: "unsupported_parameter",
    });
    const first = [{ role: "assistant" as const, content: "x" }];
    expect((await refused(ask({ messages: first }))).message).toContain("begin with the user");
  });

  test("an unknown model and an unknown address are 404, another method 405, no JSON 400", async () => {
    expect(await refused(ask({ model: "gpt-4" }))).toMatchObject({ status: 404, code: "model_not_found" });
    expect(await refused(client.models.retrieve("gpt-4"))).toMatchObject({ status: 404 });
    const post = (path: string, init: RequestInit) => fetch(serving.url + path, init);
    expect((await post("/embeddings", { method: "POST" })).status).toBe(404);
    expect((await post("/chat/completions", {})).status).toBe(405);
    const broken = await post("/chat/completions", { method: "POST", body: '{"model": "tiny"' });
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({
      error: { code: "invalid_json", type: "invalid_request_error" },
    });
  });

  test("a prompt that does not fit the context, alone or with its answer", async () => {
    const long = "the whale was white ".repeat(60);
    expect(await refused(ask({}, long))).toMatchObject({ status: 400, code: "context_length_exceeded" });
    expect(await refused(ask({ max_tokens: 125 }))).toMatchObject({ code: "context_length_exceeded" });
  });

  test("a body that is too large is 413, whether it says its size or not", async () => {
    const body = JSON.stringify({ model: "tiny", messages: user("x".repeat(8000)) });
    const sized = await fetch(`${serving.url}/chat/completions`, { method: "POST", body });
    expect(sized.status).toBe(413);
    const { hostname, port } = new URL(serving.url);
    const status = await new Promise((resolve, reject) => {
      const sent = request(
        { hostname, port, path: "/v1/chat/completions", method: "POST" },
        ({ statusCode }) => resolve(statusCode),
      );
      sent.on("error", reject);
      sent.write(body.slice(0, 10));
      sent.end(body.slice(10));
    });
    expect(status).toBe(413);
  });

  test("more answers than may wait are 503 with Retry-After, and what is under way goes on", async () => {
    const narrow = await serve(answerer, { ...options, maxAnswers: 2 });
    const one = () =>
      clientOf(narrow).chat.completions.create({
        model: "tiny",
        messages: user("x"),
        max_tokens: 100,
        seed: 1,
      });
    const all = await Promise.allSettled([one(), one(), one()]);
    const refusals = all.flatMap((end) => (end.status === "rejected" ? [end.reason as APIError] : []));
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatchObject({ status: 503, code: "overloaded" });
    expect(refusals[0]!.headers!.get("retry-after")).toBe("1");
    expect((await one()).choices).toHaveLength(1);
    await narrow.stop(0);
  });

  test("whoever has no token or another one, where one is wanted", async () => {
    const closed = await serve(answerer, { ...options, token: "s3cret" });
    expect(await refused(clientOf(closed, "guess").models.list())).toMatchObject({
      status: 401,
      code: "invalid_api_key",
    });
    expect((await fetch(`${closed.url}/models`)).status).toBe(401);
    expect((await clientOf(closed, "s3cret").models.list()).data).toHaveLength(1);
    await closed.stop(0);
  });
});

describe("requests that end otherwise", () => {
  test("when the client has gone, nothing more is drawn for it", async () => {
    const lines: string[] = [];
    let drawn = 0;
    // Draws its first text, then waits until the server has seen that nobody listens any more.
    const held: Answerer = {
      ...answerer,
      async answer(prompt, asked) {
        asked.onText!("the", []);
        await once(asked.signal!, "abort");
        return answerer.answer(prompt, { ...asked, onText: () => drawn++ });
      },
    };
    const own = await serve(held, { ...options, log: (line) => lines.push(line) });
    const stream = await clientOf(own).chat.completions.create({
      model: "tiny",
      messages: user("on"),
      max_tokens: 110,
      stream: true,
    });
    for await (const _ of stream) break;
    await expect.poll(() => lines).toEqual([expect.stringMatching(/chat\/completions gone/)]);
    expect(drawn).toBe(0);
    await own.stop(0);
  });

  test("a server that is stopped lets answers end, takes no new ones, and frees its port", async () => {
    const own = await serve(answerer, options);
    const before = await clientOf(own).chat.completions.create({
      model: "tiny",
      messages: user("on"),
      max_tokens: 60,
      seed: 5,
      stream: true,
    });
    let stopped: Promise<void> | undefined;
    let ending: string | null | undefined;
    for await (const { choices } of before) {
      stopped ??= own.stop(10_000); // it has begun to answer
      ending = choices[0]?.finish_reason ?? ending;
    }
    expect(ending).toBe("length");
    await stopped;
    await expect(fetch(`${own.url}/models`)).rejects.toThrow();
  });
});
