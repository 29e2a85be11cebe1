// The repository's pipelines, damaged at random: check, format and every service answer, soon, and what stands behind the
// damage is still read. `ALIGN_TEST=full` tries a million; ALIGN_FUZZ_FROM and ALIGN_FUZZ_TO take a part of them, and a case repeats by its number.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Declaration, format, type Host, parse, rows, services } from "../../grammar/index.ts";
import { isOpenText, lex } from "../../grammar/tokens.ts";
import { library } from "../../stdlib/index.ts";
import { type Random, stream } from "../../tensor/index.ts";

const full = process.env.ALIGN_TEST === "full";
const cases = Number(process.env.ALIGN_FUZZ_TO ?? (full ? 1_000_000 : 3_000));
const first = Number(process.env.ALIGN_FUZZ_FROM ?? 0);
/** Every so many-th case also asks every service at some place. */
const sample = 8;
const slowestMs = 100;

const root = fileURLToPath(new URL("../..", import.meta.url));
const host: Host = {
  resolve: (path) => (path.includes("?") ? { problem: "there is no such file" } : { files: [path] }),
  peek: (path) => (path.includes("pair") ? rows.Preference : undefined),
};

/** The declarations of each file, with their comments; a case takes a few neighbours. */
const files: readonly (readonly string[])[] = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter(
    (path) =>
      /(^|\/)[^/.][^/]*\.align$/.test(path) && !/(^|\/)(node_modules|build|dist|\.[^/]*)\//.test(path),
  )
  .sort()
  .map((path) => {
    const text = readFileSync(`${root}/${path}`, "utf8");
    const { declarations } = parse({ path, text }).file;
    return declarations.map((d, i) => text.slice(i === 0 ? 0 : declarations[i - 1]!.span.end, d.span.end));
  })
  .filter((pieces) => pieces.length > 1);
const tokensOf = (text: string) => lex(text).tokens.map((t) => [t.startOffset, t.image] as const);
const words = [...new Set(files.flat().flatMap((piece) => tokensOf(piece).map(([, image]) => image)))];
const signs = [
  ..."{}()[],:;=|>.<+-*/%\"'#\\@$&!?`~^",
  '"""',
  "{{",
  "%}",
  "\n",
  "\r\n",
  "\t",
  "\0",
  "é",
  "“",
  "言",
  "🎉",
];

const pick = <T>(random: Random, all: readonly T[]): T => all[random.int(all.length)]!;

function damage(text: string, random: Random): string {
  const at = random.int(text.length + 1);
  const rest = (n: number) => text.slice(0, at) + text.slice(Math.min(text.length, at + n));
  const put = (by: string, n = 0) => text.slice(0, at) + by + text.slice(Math.min(text.length, at + n));
  const tokens = tokensOf(text);
  const [start, image] = tokens.length > 0 ? pick(random, tokens) : [at, ""];
  const instead = (by: string) => text.slice(0, start) + by + text.slice(start + image.length);
  switch (random.int(9)) {
    case 0:
      return rest(1 + random.int(3));
    case 1:
      return put(pick(random, signs));
    case 2:
      return put(pick(random, signs), 1);
    case 3:
      return instead("");
    case 4:
      return instead(pick(random, words));
    case 5:
      return instead(`${image} ${image}`);
    case 6:
      return instead(` ${pick(random, signs)} `);
    case 7: {
      const [other, with_] = pick(random, tokens.length > 0 ? tokens : [[at, ""] as const]);
      const [low, high] = start < other ? [start, other] : [other, start];
      const [a, b] = start < other ? [image, with_] : [with_, image];
      return start === other
        ? text
        : text.slice(0, low) + b + text.slice(low + a.length, high) + a + text.slice(high + b.length);
    }
    default:
      return text.slice(0, at);
  }
}

interface Case {
  readonly text: string;
  /** Where undamaged text begins again, if there is some. */
  readonly sound: number;
}

function caseOf(number: number): Case {
  const random = stream(`fuzz ${number}`);
  const pieces = pick(random, files);
  const from = random.int(pieces.length);
  const chosen = pieces.slice(from, from + 1 + random.int(4));
  const hurt = random.int(chosen.length);
  let piece = chosen[hurt]!;
  for (let n = 1 + random.int(3); n > 0; n--) piece = damage(piece, random);
  const before = chosen.slice(0, hurt).join("") + piece;
  return { text: `${before}\n${chosen.slice(hurt + 1).join("")}`, sound: before.length + 1 };
}

const flat = (all: readonly Declaration[]): Declaration[] =>
  all.flatMap((d) => (d.kind === "profile" ? [d, ...flat(d.overrides)] : [d]));

/** Whether what stands behind the damage is read; nothing does behind a text that was opened and never closed. */
function recovers({ text, sound }: Case, declarations: readonly Declaration[]): boolean {
  if (text.slice(sound).trim() === "") return true;
  const last = lex(text.slice(0, sound)).tokens.at(-1);
  if (last && isOpenText(last) && last.image.startsWith('"""')) return true;
  return flat(declarations).some((d) => d.span.start >= sound && !d.broken);
}

function ask(document: services.Document, random: Random): void {
  const { text } = document.source;
  const at = random.int(text.length + 1);
  services.hover(document, at);
  services.complete(document, at);
  services.complete(document, at, `${text.slice(0, at)}x${text.slice(at)}`);
  services.definition(document, at);
  services.references(document, at);
  services.rename(document, at, "fresh_name");
  services.codeActions(document, at);
  services.inlayHints(document);
  services.semanticTokens(document);
  services.symbols(document);
}

/** What is wrong with the answers to a case, if something is. */
function answer(number: number): string | undefined {
  const damaged = caseOf(number);
  const source = { path: "x", text: damaged.text };
  const document = services.openDocument(source, library, host);
  if (!Array.isArray(document.diagnostics)) return "no diagnostics";
  format(source);
  if (number % sample === 0) ask(document, stream(`place ${number}`));
  return recovers(damaged, document.context.file.declarations)
    ? undefined
    : "nothing is read behind the damage";
}

/** Counts the processor's time, not the clock's, on which other work shows; once more, because a collection may fall into a case. */
function tried(number: number): string | undefined {
  let fastest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 4 && fastest > slowestMs; round++) {
    const start = process.cpuUsage();
    const problem = answer(number);
    if (problem) return problem;
    const { user, system } = process.cpuUsage(start);
    fastest = Math.min(fastest, (user + system) / 1000);
  }
  return fastest > slowestMs ? `${fastest.toFixed(0)} ms` : undefined;
}

test("there are pipelines to damage", () => {
  expect(files.length).toBeGreaterThan(2);
  expect(words.length).toBeGreaterThan(100);
});

test(
  `damaged pipelines ${first} to ${cases}: no exception, none slower than ${slowestMs} ms, and reading goes on behind the damage`,
  () => {
    const failed: string[] = [];
    for (let number = first; number < cases && failed.length < 10; number++) {
      try {
        const problem = tried(number);
        if (problem) failed.push(`${number}: ${problem}`);
      } catch (error) {
        failed.push(`${number}: ${error instanceof Error ? error.stack : error}`);
      }
      if (full && (number + 1) % 50_000 === 0) console.log(`${number + 1} cases, ${failed.length} failed`);
    }
    expect(failed).toEqual([]);
  },
  6 * 3_600_000,
);
