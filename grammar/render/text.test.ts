import { expect, test } from "vitest";
import type { Diagnostic, Label } from "../diagnostic.ts";
import type { Source } from "../source.ts";
import { toJson } from "./json.ts";
import { render, summarize } from "./text.ts";
import { textWidth } from "./text-width.ts";

function label(source: Source, word: string, text: string, primary = true): Label {
  const start = source.text.indexOf(word);
  return { place: { path: source.path, span: { start, end: start + word.length } }, text, primary };
}

function problem(labels: readonly Label[], more: Partial<Diagnostic> = {}): Diagnostic {
  return {
    code: "AL0101",
    severity: "error",
    title: "a title",
    labels,
    notes: [],
    help: [],
    fixes: [],
    url: "docs/codes/AL0101.md",
    ...more,
  };
}

const file = (text: string, path = "a.align"): Source => ({ path, text });

test("marks stand under wide characters and tabs", () => {
  const s = file('\tstage 言語 = f("🎉 é", wrong)\n');
  expect(render([problem([label(s, "wrong", "here"), label(s, "言語", "there", false)])], [s])).toBe(
    [
      "error[AL0101]: a title",
      " --> a.align:1:23",
      "  |",
      '1 |     stage 言語 = f("🎉 é", wrong)',
      "  |           ----             ^^^^^ here",
      "  |           |",
      "  |           there",
      "",
    ].join("\n"),
  );
});

test("labels in several files are drawn in one frame each", () => {
  const a = file("one\ntwo\n");
  const b = file("three\n", "b.align");
  expect(render([problem([label(a, "two", "here"), label(b, "three", "and here", false)])], [a, b])).toBe(
    [
      "error[AL0101]: a title",
      " --> a.align:2:1",
      "  |",
      "2 | two",
      "  | ^^^ here",
      " ::: b.align:1:1",
      "  |",
      "1 | three",
      "  | ----- and here",
      "",
    ].join("\n"),
  );
});

test("labels that overlap are drawn below each other", () => {
  const s = file("alpha beta\n");
  expect(render([problem([label(s, "alpha beta", "all of it"), label(s, "beta", "this", false)])], [s])).toBe(
    [
      "error[AL0101]: a title",
      " --> a.align:1:1",
      "  |",
      "1 | alpha beta",
      "  | ^^^^^^^^^^ all of it",
      "  |       ---- this",
      "",
    ].join("\n"),
  );
});

test("a label over several lines is marked on its first", () => {
  const s = file("alpha\r\nbeta\r\n");
  expect(render([problem([label(s, "alpha\r\nbeta", "from here")])], [s])).toContain(
    "1 | alpha\n  | ^^^^^ from here",
  );
});

test("a label at the very end of the file has a place", () => {
  const s = file("alpha");
  const at: Label = { place: { path: s.path, span: { start: 5, end: 5 } }, text: "more", primary: true };
  expect(render([problem([at])], [s])).toContain("1 | alpha\n  |      ^ more");
});

test("long lines are cut around their marks, and help is wrapped", () => {
  const s = file(`${"x".repeat(100)} wrong ${"y".repeat(100)}\n`);
  const help = ["one two three four five six seven eight nine ten eleven twelve"];
  const text = render([problem([label(s, "wrong", "here")], { help })], [s], { width: 60 });
  expect(text).toContain("^^^^^ here");
  for (const line of text.split("\n")) expect(textWidth(line)).toBeLessThanOrEqual(64);
  const [, , , shown, marks] = text.split("\n");
  expect(shown!.slice(marks!.indexOf("^"), marks!.indexOf("^") + 5)).toBe("wrong");
});

test("without color there is no escape, with color the text is the same", () => {
  const s = file("alpha beta\n");
  const d = [problem([label(s, "beta", "here")], { notes: ["a note"], help: ["do this"] })];
  const plain = render(d, [s]);
  const color = render(d, [s], { color: true });
  expect(plain).not.toContain("\x1b");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what is removed
  expect(color.replace(/\x1b\[[\d;]*m/g, "")).toBe(plain);
});

test("a path that nobody has the text of is named", () => {
  const at: Label = {
    place: { path: "gone.align", span: { start: 3, end: 4 } },
    text: "here",
    primary: true,
  };
  expect(render([problem([at])], [])).toBe("error[AL0101]: a title\n --> gone.align\n  |\n");
});

test("counts are put in words", () => {
  expect(summarize([])).toBe("no problems");
  expect(summarize([problem([]), problem([]), problem([], { severity: "warning" })])).toBe(
    "2 errors and 1 warning",
  );
});

test("JSON has lines and columns", () => {
  const s = file("one\ntwo\n");
  expect(toJson([problem([label(s, "two", "here")])], [s])).toMatchObject([
    {
      code: "AL0101",
      labels: [
        { place: { start: { offset: 4, line: 2, column: 1 }, end: { line: 2, column: 4 } }, primary: true },
      ],
    },
  ]);
});
