// Every code has a file that raises it, and only it; what it prints is in fixtures/CODE.txt, byte for byte.
import { describe, expect, test } from "vitest";
import { check } from "./check.ts";
import { type Code, codes } from "./codes.ts";
import { explanations } from "./explanations.ts";
import { applyFixes, applyOne } from "./fix.ts";
import { type Fixture, fixtures, readFixture } from "./fixtures.testing.ts";
import { render } from "./render/text.ts";
import { testHost, testLibrary } from "./testing.ts";

const all = Object.entries(fixtures) as [Code, string | Fixture][];

test("every code in the table has a fixture", () => {
  expect(Object.keys(fixtures).sort()).toEqual(Object.keys(codes).sort());
});

describe.each(all)("%s", (code, fixture) => {
  const { source, options } = readFixture(fixture);
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

  test("has a page that says why and what to do", () => {
    expect(diagnostics[0]!.url).toBe(`docs/codes/${code}.md`);
    expect(explanations[code].why).toMatch(/[.!]$/);
    expect(explanations[code].todo).toMatch(/[.!]$/);
  });

  if (codes[code].fixable) {
    test("its first fix makes the file right", () => {
      const fix = diagnostics[0]!.fixes[0]!;
      const fixed = check({ ...source, text: applyOne(source, fix) }, testLibrary, testHost, options);
      expect(render(fixed.diagnostics, [source])).toBe("");
    });
  }
});

describe("fixing", () => {
  const book = (text: string) => ({
    path: "x",
    text: `pipeline p\ndataset book = text("book.txt")\n${text}`,
  });
  const fix = (text: string) =>
    applyFixes(book(text), (source) => check(source, testLibrary, testHost).diagnostics);

  test("mistakes that hide each other are fixed one after the other", () => {
    expect(fix("stge bpe = tokeniser(bok) { vocab_size = 100 }\n")).toEqual({
      text: book("stage bpe = tokenizer(book) { vocab_size: 100 }\n").text,
      applied: 4,
    });
  });

  test("where it is not sure what was meant, nothing is changed", () => {
    const text = "dataset cook = book\nstage a = tokenizer(dook)\nstage b = tokenizer(cook)\n";
    expect(fix(text)).toEqual({ text: book(text).text, applied: 0 });
  });
});
