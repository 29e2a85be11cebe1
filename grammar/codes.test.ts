// Every code has a file that raises it, and only it; what it prints is in fixtures/CODE.txt, byte for byte.
import { describe, expect, test } from "vitest";
import { type CheckOptions, check } from "./check.ts";
import { type Code, codes } from "./codes.ts";
import type { Fix } from "./diagnostic.ts";
import { render } from "./render/text.ts";
import type { Source } from "./source.ts";
import { testHost, testLibrary } from "./testing.ts";

interface Fixture {
  readonly text: string;
  readonly options?: CheckOptions;
}

const book = 'dataset book = text("book.txt")\n';
const tiny = "stage bpe = tokenizer(book)\nmodel tiny = decoder(bpe)\n";
const base = `${book}${tiny}stage base = pretrain(tiny, book)\n`;
const rated = `${base}dataset prompts = book |> prefix()
model cheer = lexicon("npm:words")
stage samples = generate(base, prompts)
stage scored = judge(samples, by: cheer)
`;
const file = (text: string): string => `pipeline p\n\n${text}`;

const fixtures: Record<Code, string | Fixture> = {
  AL0001: file(`${base}stage tuned = sft(base, book |> prefix() { epochs: 2 }\n`),
  AL0002: file(`${book}stage bpe = tokenizer(book) { vocab_size: * 2 }\n`),
  AL0003: file('model cheer = lexicon("npm:words\n'),
  AL0004: file("dataset book = text('book.txt')\nstage bpe = tokenizer(book)\n"),
  AL0005: file(`${book}dataset some = book |> take(4k)\nstage bpe = tokenizer(some)\n`),
  AL0006: file('dataset book = text("book\\q.txt")\nstage bpe = tokenizer(book)\n'),
  AL0007: file(`${base}stage tuned = sft(base, book |> prefix()) { epochs: 2 seed: 1 }\n`),
  AL0008: file(`${book}stage bpe = tokenizer(book) { vocab_size = 100 }\n`),
  AL0009: file(`${book}stge bpe = tokenizer(book)\n`),
  AL0010: file(`${book}stage bpe { vocab_size: 100 }\n`),

  AL0101: file(`${book}stage bpe = tokenizer(bok)\n`),
  AL0102: file(`${book}stage book = tokenizer(book)\n`),
  AL0103: file(`${book}stage bpe = tokeniser(book)\n`),
  AL0104: file(`${book}stage bpe = tokenizer(book) { vocab_sze: 100 }\n`),
  AL0105: file(`${book}param n: itn = 100\nstage bpe = tokenizer(book) { vocab_size: n }\n`),
  AL0106: file(`${book}dataset same = book as Txet\nstage bpe = tokenizer(same)\n`),
  AL0107: file(`${base}expect base.lss < 3\n`),
  AL0108: file(`${book}dataset long = book |> filter(words(texte) > 20)\nstage bpe = tokenizer(long)\n`),
  AL0109: file(`${base}stage tuned = sft(base, book |> prefix()) { schedule: cosin }\n`),
  AL0110: file(`${book}dataset long = book |> filter(wrods(text) > 20)\nstage bpe = tokenizer(long)\n`),

  AL0201: file(`${book}model bpe = tokenizer(book)\n`),
  AL0202: file(`${rated}stage aligned = dpo(base, scored)\n`),
  AL0203: file(`${base}stage tuned = sft(base)\n`),
  AL0204: file(`${book}dataset some = book |> take(1, 2)\nstage bpe = tokenizer(some)\n`),
  AL0205: file(`${book}stage bpe = tokenizer(book, vocab_size: 10) { vocab_size: 20 }\n`),
  AL0206: file(`${book}dataset pairs = book as Preference\nstage bpe = tokenizer(pairs)\n`),
  AL0207: file(`${base}stage tuned = sft(base, book)\n`),

  AL0301: file(`${book}stage bpe = tokenizer(book) { vocab_size: "many" }\n`),
  AL0302: {
    text: file(`param n: int(1..64) = 8\n${book}stage bpe = tokenizer(book) { vocab_size: 10 - n * 2 }\n`),
  },
  AL0303: file(`${book}dataset some = book |> take()\nstage bpe = tokenizer(some)\n`),
  AL0304: file(
    `${book}dataset s = book |> sentences(min_words: 9, max_words: 3)\nstage bpe = tokenizer(s)\n`,
  ),
  AL0305: file(`param n: int = 0\n${book}stage bpe = tokenizer(book) { vocab_size: 10 / n }\n`),
  AL0306: file(`param n: int(> 1)\n${book}stage bpe = tokenizer(book) { vocab_size: n }\n`),
  AL0307: file(`param n = 100\n${book}stage bpe = tokenizer(book) { vocab_size: n }\n`),
  AL0308: file('dataset book = text("book.txt", "bok.txt")\nstage bpe = tokenizer(book)\n'),

  AL0401: file(`${base}
template plain {
  input: """
    Question: {{ promt }}
    """
  target: "{{ completion }}"
}

stage tuned = sft(base, book |> prefix()) { template: plain }
`),
  AL0402: file(
    `${base}template plain { input: "{{ prompt" }\nstage tuned = sft(base, book) { template: plain }\n`,
  ),
  AL0403: file(
    `${base}template plain { inptu: "{{ text }}" }\nstage tuned = sft(base, book) { template: plain }\n`,
  ),

  AL0501: file(`${book}${tiny}stage a = pretrain(b, book)\nstage b = pretrain(a, book)\n`),
  AL0502: file(`${book}dataset more = book |> take(3)\nstage bpe = tokenizer(book)\n`),
  AL0503: `${book}stage bpe = tokenizer(book)\n`,
  AL0504: file(`${book}pipeline q\nstage bpe = tokenizer(book)\n`),
  AL0505: file(`${base}expect base.loss\n`),

  AL0601: {
    text: file(`${base}profile laptop { stage base { steps: 1 } }\n`),
    options: { profile: "labtop" },
  },
  AL0602: file(`${base}profile laptop { stage bse { steps: 1 } }\n`),
  AL0603: file(`${base}profile laptop { expect base.loss < 3 }\n`),
  AL0604: {
    text: file(`param n: int = 100\n${book}stage bpe = tokenizer(book) { vocab_size: n }\n`),
    options: { set: { m: "3" } },
  },
};

const all = Object.entries(fixtures) as [Code, string | Fixture][];

function read(fixture: string | Fixture): { source: Source; options: CheckOptions } {
  const { text, options } = typeof fixture === "string" ? { text: fixture } : fixture;
  return { source: { path: "demo.align", text }, options: options ?? {} };
}

test("every code in the table has a fixture", () => {
  expect(Object.keys(fixtures).sort()).toEqual(Object.keys(codes).sort());
});

describe.each(all)("%s", (code, fixture) => {
  const { source, options } = read(fixture);
  const { diagnostics } = check(source, testLibrary, testHost, options);

  test("is raised by its fixture, and nothing else is", () => {
    expect(diagnostics.map((d) => d.code)).toEqual([code]);
    expect(diagnostics[0]!.severity).toBe(codes[code].severity);
  });

  test("prints its frame", async () => {
    const text = render(diagnostics, [source], { color: false });
    await expect(text).toMatchFileSnapshot(`./fixtures/${code}.txt`);
  });

  test("says what is wrong, where, and what to do", () => {
    const [d] = diagnostics;
    expect(d!.title).toMatch(/\S/);
    expect(d!.labels[0]!.text).toMatch(/\S/);
    expect(d!.help.length + d!.fixes.length).toBeGreaterThan(0);
  });

  if (codes[code].fixable) {
    test("its first fix makes the file right", () => {
      const fix = diagnostics[0]!.fixes[0]!;
      const fixed = check({ ...source, text: apply(source.text, fix) }, testLibrary, testHost, options);
      expect(render(fixed.diagnostics, [source])).toBe("");
    });
  }
});

function apply(text: string, fix: Fix): string {
  return [...fix.edits]
    .sort((a, b) => b.place.span.start - a.place.span.start)
    .reduce((t, e) => t.slice(0, e.place.span.start) + e.text + t.slice(e.place.span.end), text);
}
