import { describe, expect, test } from "vitest";
import type { RowData } from "../../engine/index.ts";
import { makeTokenizer, tokenizerFiles, trainBpe } from "../../tensor/io/index.ts";
import { encodeExample, encodePair, encodePrompt, plainText, segmentsOf } from "./index.ts";

const chatml =
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}" +
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

// No merges: one token per byte, so that every count below can be checked by counting letters.
const bpe = trainBpe(new Map(), {
  vocabSize: 259,
  minFrequency: 1,
  specialTokens: ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
});
const plain = makeTokenizer(tokenizerFiles(bpe, { eos: "<|endoftext|>" }));
const chat = makeTokenizer(tokenizerFiles(bpe, { eos: "<|endoftext|>", chatTemplate: chatml }));

/** The text of the tokens with and without loss: `prompt[completion]`. */
function marked({ ids, mask }: { ids: readonly number[]; mask: readonly boolean[] }): string {
  let out = "";
  let on = false;
  for (const [i, id] of ids.entries()) {
    if (mask[i] !== on) out += on ? "]" : "[";
    on = mask[i]!;
    out += plain.decode([id], { special: true });
  }
  return on ? `${out}]` : out;
}

const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });

describe("a demonstration", () => {
  test.each<[string, RowData, string]>([
    ["a text is supervised from its first token to its end", { text: "hello" }, "[hello<|endoftext|>]"],
    [
      "a completion is supervised, its prompt is not",
      { prompt: "2+2=", completion: " 4" },
      "2+2=[ 4<|endoftext|>]",
    ],
    [
      "Alpaca's columns without a chat template",
      { instruction: "Add.", input: "2 2", output: "4" },
      "Add.\n\n2 2\n\n[4<|endoftext|>]",
    ],
  ])("%s", (_, row, expected) => {
    expect(marked(encodeExample(row, plain))).toBe(expected);
  });

  test("of a conversation every assistant turn is supervised, up to and with its end token", () => {
    const messages = [user("a"), assistant("b"), user("c"), assistant("d")];
    expect(marked(encodeExample({ messages }, chat))).toBe(
      "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n[b<|im_end|>]\n" +
        "<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n[d<|im_end|>]\n",
    );
  });

  test.each<[string, RowData]>([
    [
      "ShareGPT",
      {
        conversations: [
          { from: "human", value: "a" },
          { from: "gpt", value: "b" },
        ],
      },
    ],
    ["prompt and completion as messages", { prompt: [user("a")], completion: [assistant("b")] }],
    ["Alpaca with a chat template", { instruction: "a", input: "", output: "b" }],
  ])("%s is read as the same conversation", (_, row) => {
    expect(encodeExample(row, chat)).toEqual(encodeExample({ messages: [user("a"), assistant("b")] }, chat));
  });

  test("a template without an end of turn gets the end of text", () => {
    const template = {
      input:
        "{% for m in messages %}{{ m.role[0] }}:{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}a:{% endif %}",
    };
    const row = { messages: [user("x"), assistant("y")] };
    expect(marked(encodeExample(row, plain, { template }))).toBe("u:x\na:[y\n<|endoftext|>]");
  });

  test("a row template makes prompt and completion of any columns", () => {
    const template = { input: "Q: {{ q }}\nA:", target: "{{ a }}" };
    expect(marked(encodeExample({ q: "1+1", a: "2" }, plain, { template }))).toBe(
      "Q: 1+1\nA:[ 2<|endoftext|>]",
    );
  });

  test("a tokenizer that starts every text does so here, without loss", () => {
    const llama = { ...plain, prefix: [0] };
    expect(marked(encodeExample({ prompt: "a", completion: "b" }, llama))).toBe(
      "<|endoftext|>a[b<|endoftext|>]",
    );
    expect(encodePrompt({ prompt: "a" }, llama)).toEqual([0, ...plain.encode("a")]);
  });

  test("too long an example loses its end", () => {
    const row = { prompt: "abc", completion: "def" };
    expect(marked(encodeExample(row, plain, { max_length: 5 }))).toBe("abc[de]");
    expect(encodeExample(row, plain, { max_length: 3 }).mask).toEqual([false, false, false]);
  });

  test("rows with nothing to learn from are refused", () => {
    expect(() => encodeExample({ a: 1 }, plain)).toThrow("a row has the columns a");
    expect(() => encodeExample({ messages: [user("a")] }, chat)).toThrow("no assistant turn");
    expect(() => encodeExample({ messages: [user("a"), assistant("b")] }, plain)).toThrow("no chat template");
    expect(() => encodeExample({ prompt: "a" }, plain, { template: { input: "{{ prompt }}" } })).toThrow(
      "nothing to learn from",
    );
  });

  test("a chat template that rewrites earlier turns is refused", () => {
    const template = { input: "{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}" };
    const messages = [user("a"), assistant("b")];
    expect(() => segmentsOf({ messages }, plain, template)).toThrow("changes earlier turns");
  });
});

describe("a prompt", () => {
  test("is the start of the demonstration", () => {
    const row = { prompt: "2+2=", completion: " 4" };
    const prompt = encodePrompt(row, plain);
    expect(encodeExample(row, plain).ids.slice(0, prompt.length)).toEqual(prompt);
    const messages = [user("a"), assistant("b")];
    const asked = encodePrompt({ prompt: [user("a")] }, chat);
    expect(encodeExample({ messages }, chat).ids.slice(0, asked.length)).toEqual(asked);
  });

  test("too long a one loses its start", () => {
    expect(plain.decode(encodePrompt({ prompt: "abcdef" }, plain, { max_length: 2 }))).toBe("ef");
  });

  test("a chat template as `template` makes a text the user's turn", () => {
    expect(encodePrompt({ prompt: "a" }, plain, { template: { input: chatml } })).toEqual(
      encodePrompt({ prompt: [user("a")] }, chat),
    );
  });
});

describe("a pair", () => {
  test("of texts shares its prompt; both responses end", () => {
    const pair = encodePair({ prompt: "a", chosen: " b", rejected: " cd" }, plain);
    expect(marked(pair.chosen)).toBe("a[ b<|endoftext|>]");
    expect(marked(pair.rejected)).toBe("a[ cd<|endoftext|>]");
    expect(pair.prompt).toEqual(plain.encode("a"));
  });

  test.each<[string, RowData]>([
    [
      "whole conversations",
      { prompt: "a", chosen: [user("a"), assistant("b")], rejected: [user("a"), assistant("c")] },
    ],
    [
      "whole conversations without a prompt",
      { chosen: [user("a"), assistant("b")], rejected: [user("a"), assistant("c")] },
    ],
    [
      "messages after a prompt",
      { prompt: [user("a")], chosen: [assistant("b")], rejected: [assistant("c")] },
    ],
    ["texts after messages", { prompt: [user("a")], chosen: "b", rejected: "c" }],
  ])("of %s", (_, row) => {
    const { chosen, rejected } = encodePair(row, chat);
    const start = "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n";
    expect(marked(chosen)).toBe(`${start}[b<|im_end|>]`);
    expect(marked(rejected)).toBe(`${start}[c<|im_end|>]`);
  });

  test("that is too long keeps the end of its prompt, half the room at least, then cuts responses", () => {
    const row = { prompt: "abcdefgh", chosen: "12", rejected: "1234567" };
    // Room 10, longest response 7 + end = 8: the prompt keeps max(10 − 8, 5) = 5 tokens, responses 5.
    const pair = encodePair(row, plain, { max_length: 10 });
    expect(marked(pair.chosen)).toBe("defgh[12<|endoftext|>]");
    expect(marked(pair.rejected)).toBe("defgh[12345]");
    // Room 17 with a prompt of 10: 17 − 8 = 9 of it, more than half the room, and nothing else is cut.
    const longer = { ...row, prompt: "ABabcdefgh" };
    expect(marked(encodePair(longer, plain, { max_length: 17 }).rejected)).toBe(
      "Babcdefgh[1234567<|endoftext|>]",
    );
  });
});

test("a judge reads messages as text", () => {
  expect(plainText("a", "prompt")).toBe("a");
  expect(plainText([user("a")], "prompt")).toBe("a");
  expect(plainText([{ role: "system", content: "s" }, user("a")], "prompt")).toBe("system: s\n\nuser: a");
});
