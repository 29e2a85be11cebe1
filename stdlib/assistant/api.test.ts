// What asking an endpoint comes to when it misbehaves, and what is never asked twice.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { openRowJournal, type RowJournal, type TaskError } from "../../engine/index.ts";
import { temporaryFolder } from "../testing.ts";
import { openApi } from "./api.ts";
import type { Ask, Assistant } from "./assistant.ts";
import { type FakeEndpoint, type Fault, fakeEndpoint } from "./testing.ts";

const key = "sk-planted-1234567890";
const settings = {
  base_url: { env: "URL" },
  api_key: { env: "KEY" },
  max_concurrent: 4,
  requests_per_minute: 0,
  tokens_per_minute: 0,
  timeout: 200,
  retries: 6,
  backoff: 2,
  input_price: 0,
  output_price: 0,
  replay: false,
};

let endpoint: FakeEndpoint;
const open: Assistant[] = [];
afterEach(async () => {
  for (const assistant of open.splice(0)) await assistant.dispose();
  await endpoint.close();
});

async function asking(
  more: object = {},
  { journal, signal = new AbortController().signal }: { journal?: RowJournal; signal?: AbortSignal } = {},
  home = "",
) {
  const assistant = await openApi(
    { kind: "api", version: 1, model: "m" },
    { dir: "", node: "gpt", settings: { ...settings, ...more } as never, home },
    { threads: 1, device: "cpu", signal, journal },
    { env: { URL: endpoint.url, KEY: key } },
  );
  open.push(assistant);
  return assistant;
}
const question = (text: string, more: object = {}): Ask => ({
  id: text,
  messages: [{ role: "user", content: text }],
  sampling: { temperature: 0, max_tokens: 20, seed: 1, ...more },
});
const failure = (asked: Promise<unknown>) =>
  asked.then(
    () => expect.fail("it was answered"),
    (error: TaskError) => error,
  );

test("a question reaches it with the key, the sampling, and extensions only where they do something", async () => {
  endpoint = await fakeEndpoint({ answer: (text) => `${text}!` });
  const assistant = await asking();
  const extras = { top_p: 1, top_k: 0, min_p: 0.1, repetition_penalty: 1, stop: [] };
  expect(await assistant.ask(question("hello", extras))).toEqual({
    text: "hello!",
    finish: "stop",
    prompt_tokens: 10,
    completion_tokens: 5,
  });
  expect(endpoint.log[0]!.authorization).toBe(`Bearer ${key}`);
  expect(endpoint.log[0]!.body).toEqual({
    model: "m",
    messages: [{ role: "user", content: "hello" }],
    temperature: 0,
    max_tokens: 20,
    seed: 1,
    top_p: 1,
    min_p: 0.1,
  });
});

describe("what may pass is tried again", () => {
  const passing: Fault[] = ["429 later", "429", "500", "hang", "drop", "no json", "no completion", "trickle"];
  test.each(passing)("%s", async (fault) => {
    endpoint = await fakeEndpoint({ fault: (_, count) => (count <= 2 ? fault : undefined) });
    const reply = await (await asking()).ask(question("x"));
    expect(reply.text).toBe("ok");
    expect(endpoint.log.map(({ fate }) => fate)).toEqual([fault, fault, "answered"]);
  });

  test("until there have been enough tries; the failure may pass later, and does not tell the key", async () => {
    // The endpoint's messages have the header in them.
    endpoint = await fakeEndpoint({ fault: () => "500" });
    const error = await failure((await asking({ retries: 2 })).ask(question("x")));
    expect(error).toMatchObject({ code: "endpoint", transient: true });
    expect(error.message).toBe("gpt could not be asked after 3 tries: 500 no (Bearer •••)");
    expect(endpoint.log).toHaveLength(3);
  });

  test("a Retry-After keeps everybody away for so long", async () => {
    const times: number[] = [];
    endpoint = await fakeEndpoint({
      fault: (_, count) => (count === 1 ? "429 later" : undefined),
      before: () => void times.push(performance.now()),
    });
    const assistant = await asking({ max_concurrent: 1 });
    await Promise.all([assistant.ask(question("a")), assistant.ask(question("b"))]);
    // retry-after-ms: 20
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(19);
    expect(times).toHaveLength(3);
  });
});

test("what will not pass fails at once and says what to look at", async () => {
  endpoint = await fakeEndpoint();
  const gone = endpoint.url;
  await endpoint.close();
  const { createServer } = await import("node:http");
  const closed = createServer((_, response) => {
    response.writeHead(401, { "content-type": "application/json" });
    response.end(
      JSON.stringify({ error: { message: `Incorrect API key: ${key}`, code: "invalid_api_key" } }),
    );
  });
  await new Promise<void>((resolve) => closed.listen(Number(new URL(gone).port), "127.0.0.1", resolve));
  const error = await failure((await asking()).ask(question("x")));
  expect(error).toMatchObject({
    transient: false,
    message: "gpt could not be asked: 401 Incorrect API key: •••",
  });
  expect(error.help).toContain("api_key");
  await new Promise((resolve) => closed.close(resolve));
});

describe("limits", () => {
  test("no more than max_concurrent are under way", async () => {
    endpoint = await fakeEndpoint({ before: () => new Promise((resolve) => setTimeout(resolve, 5)) });
    const assistant = await asking({ max_concurrent: 3 });
    await Promise.all(Array.from({ length: 20 }, (_, i) => assistant.ask(question(`${i}`))));
    expect(endpoint.most).toBe(3);
  });

  test("the token budget is never overrun, is told, and what is kept counts", async () => {
    endpoint = await fakeEndpoint();
    const path = join(await temporaryFolder(), "rows.jsonl");
    const journal = openRowJournal(path);
    // An answer costs 15 tokens; before it, 8 + 8 + 1 are set aside for the question and 20 for the answer. 100 tokens: after
    // five answers 75 are spent and 37 more would be 112, so there is no sixth.
    const first = await asking({ token_budget: 100 }, { journal });
    const ask = async (assistant: Assistant) => {
      for (let i = 0; i < 9; i++) await assistant.ask(question(`${i}`));
    };
    const error = await failure(ask(first));
    expect(error).toMatchObject({ code: "budget-spent", transient: false });
    expect(error.message).toContain("the token_budget of gpt is spent: 75 of 100 tokens");
    expect(endpoint.log).toHaveLength(5);
    await failure(ask(await asking({ token_budget: 100 }, { journal })));
    expect(endpoint.log).toHaveLength(5);
    await ask(await asking({ token_budget: 200 }, { journal }));
    expect(endpoint.log).toHaveLength(9);
    journal.close();
  });

  test("what is under way may use the budget up: others wait for it, and go on if there is enough left", async () => {
    endpoint = await fakeEndpoint({ before: () => new Promise((resolve) => setTimeout(resolve, 5)) });
    // 37 are set aside for each: two fit into 80 at once, and 15 are spent by each; the third to the fifth fit one after the other.
    const assistant = await asking({ token_budget: 80 });
    const all = await Promise.allSettled(
      ["a", "b", "c", "d", "e"].map((text) => assistant.ask(question(text))),
    );
    // 45 spent + 37 > 80, so three are answered.
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    expect(endpoint.most).toBe(2);
  });

  test("so does the cost, by the prices", async () => {
    endpoint = await fakeEndpoint();
    // 10 tokens at 1 $/M and 5 at 2 $/M are 20 µ$; set aside are 17 + 40 µ$. 100 µ$ are enough for three: 40 + 57 ≤ 100 < 60 + 57.
    const assistant = await asking({ cost_budget: 1e-4, input_price: 1, output_price: 2 });
    for (const text of ["a", "b", "c"]) await assistant.ask(question(text));
    const error = await failure(assistant.ask(question("d")));
    expect(error.message).toContain("the cost_budget of gpt is spent: $0.0001 of $0.0001");
  });
});

describe("what was answered", () => {
  test("is never asked again", async () => {
    endpoint = await fakeEndpoint({ answer: (text) => text.toUpperCase() });
    const path = join(await temporaryFolder(), "rows.jsonl");
    for (let run = 0; run < 2; run++) {
      const journal = openRowJournal(path);
      const assistant = await asking({}, { journal });
      expect((await assistant.ask(question("a"))).text).toBe("A");
      journal.close();
    }
    expect(endpoint.log).toHaveLength(1);
  });

  test("is in the recording, which answers without an endpoint; what it does not have is an error under replay", async () => {
    endpoint = await fakeEndpoint({ answer: (text) => `${text} ${key}` });
    const home = await temporaryFolder();
    const recording = { recording: "calls.jsonl" };
    expect((await (await asking(recording, {}, home)).ask(question("a"))).text).toBe("a •••");
    const replay = await asking({ ...recording, replay: true }, {}, home);
    expect((await replay.ask(question("a"))).text).toBe("a •••");
    expect(await failure(replay.ask(question("b")))).toMatchObject({ code: "not-recorded" });
    expect(endpoint.log).toHaveLength(1);
    expect(await readdir(home)).toEqual(["calls.jsonl"]);
    expect(await readFile(join(home, "calls.jsonl"), "utf8")).not.toContain(key);
  });
});

test("Ctrl-C ends what is under way", async () => {
  endpoint = await fakeEndpoint({ fault: () => "hang" });
  const abort = new AbortController();
  const asked = failure((await asking({ timeout: 60_000 }, { signal: abort.signal })).ask(question("x")));
  await expect.poll(() => endpoint.log.length).toBe(1);
  abort.abort();
  expect(await asked).toMatchObject({ code: "interrupted" });
});
