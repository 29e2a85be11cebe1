// For every code, a file that raises it and nothing else.
import type { CheckOptions } from "./check.ts";
import type { Code } from "./codes.ts";
import type { Source } from "./source.ts";

export interface Fixture {
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
const seeds = `${base}stage tuned[s in [1, 2]] = pretrain(base, book) { seed: s }\n`;
const file = (text: string): string => `pipeline p\n\n${text}`;

export const fixtures: Record<Code, string | Fixture> = {
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

  AL0011: file(`${book}stage bpe : tokenizer(book)\n`),
  AL0012: file(`${book}stage bpe = tokenizer(book) { vocab_size: 100 } }\n`),

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

  AL0111: file(
    `${base}template plain { input: "{{ prompt | trimm }}", target: "{{ completion }}" }
stage tuned = sft(base, book |> prefix()) { template: plain }
`,
  ),

  AL0201: file(`${book}model bpe = tokenizer(book)\n`),
  AL0202: file(`${rated}stage aligned = dpo(base, scored)\n`),
  AL0203: file(`${base}stage tuned = sft(base)\n`),
  AL0204: file(`${book}dataset some = book |> take(1, 2)\nstage bpe = tokenizer(some)\n`),
  AL0205: file(`${book}stage bpe = tokenizer(book, vocab_size: 10) { vocab_size: 20 }\n`),
  AL0206: file(`${book}dataset pairs = book as Preference\nstage bpe = tokenizer(pairs)\n`),
  AL0207: file(`${base}stage tuned = sft(base, book)\n`),
  AL0208: file(
    `${base}stage bpe2 = tokenizer(book)
model other = decoder(bpe2)
dataset pairs = jsonl("pairs.jsonl")
stage tuned = dpo(base, pairs, reference: other)
`,
  ),

  AL0209: file(`${base}dataset demos = book |> prefix()\nstage tuned = sft(demos, base)\n`),

  AL0301: file(`${book}stage bpe = tokenizer(book) { vocab_size: "100" }\n`),
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

  AL0309: file(`${base}stage tuned = sft(base, book |> prefix()) { learning_rate: 2e5 }\n`),

  AL0320: file(`${rated.replace(/^model cheer.*$/m, 'model cheer = api("gpt-4", key: env("NOT_SET"))')}`),
  AL0321: file(`${rated.replace(/^model cheer.*$/m, 'model cheer = api("gpt-4", key: "sk-123")')}`),

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

  AL0506: file(`${base}dataset pairs = jsonl("pairs.jsonl")
stage tuned = dpo(base, pairs)
expect tuned.accuracy > 60
`),
  AL0507: file(`${base}dataset pairs = jsonl("pairs.jsonl")
stage tuned = dpo(base, pairs)
expect tuned.accuracy >= 0
`),
  AL0508: file(`${base}publish base to "out"\npublish bpe to "out"\n`),

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

  AL0701: file(
    `${book}dataset rest = book |> split(part: held_out, held_out: 5%)\n${tiny}stage base = pretrain(tiny, rest)\n`,
  ),
  AL0702: file(
    `${base}model cheer = lexicon("npm:words")
dataset prompts = book |> prefix()
stage tuned = sft(base, prompts)
stage result = compare(tuned, base, prompts, judge: cheer)
`,
  ),
  AL0703: file(
    `${base}dataset asked = jsonl("asked.jsonl")
stage result = compare(base, base, asked)
`,
  ),
  AL0704: file(
    `${base}model critic = assistant(base)
stage answers = generate([base], book |> prefix())
stage scored = judge(answers, by: critic)
`,
  ),

  AL0801: file(`import { cheer } from "./modles.align"\n${rated.replace(/^model cheer.*$/m, "")}`),
  AL0802:
    file(`import { cheeer as cheerful } from "./models.align"\n${book}${tiny}stage s = judge(r, by: cheerful)
stage r = generate(tiny, book |> prefix())
`),
  AL0803: file(`import { x } from "./loop.align"\n${book}stage bpe = tokenizer(book)\n`),
  AL0804: file(`import { cheer } from "./models.align"\n${book}stage bpe = tokenizer(book)\n`),
  AL0805: file(`${base}export expect base.loss < 3\n`),

  AL0901: file(`${base}stage tuned[s in 3] = pretrain(base, book) { seed: s }\n`),
  AL0902: file(`${seeds}stage more = pretrain(tuned[3], book)\n`),
  AL0903: file(`${seeds}stage more = pretrain(tuned, book)\n`),
  AL0904: file(`${base}stage tuned[s in [1, 2]] = pretrain(base, book) { seed: 1 }\n`),
  AL0905: file(`${base}cluster prose = [book, base]\nstage bpe2 = tokenizer(books)
mixture books = proportional(prose)
`),
  AL0906: file(`${book}cluster prose = [book]\nmixture books = proportional(prose except book)
stage bpe = tokenizer(books)
`),
  AL0907: file(`${seeds}stage other[s in [1, 3]] = pretrain(base, book) { seed: s }
expect tuned[*].loss < other[*].loss
`),
};

export function readFixture(fixture: string | Fixture): { source: Source; options: CheckOptions } {
  const { text, options } = typeof fixture === "string" ? { text: fixture } : fixture;
  return { source: { path: "demo.align", text }, options: options ?? {} };
}
