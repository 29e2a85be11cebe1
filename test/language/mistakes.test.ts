// For each mistake: the first message points at its cause, and what it proposes repairs it.
import { expect, test } from "vitest";
import { check, type Diagnostic, type Host, render, rows } from "../../grammar/index.ts";
import { library } from "../../stdlib/index.ts";
import { type Mistake, mistakes, sound } from "./mistakes.ts";

const columns: Readonly<Record<string, ReturnType<Host["peek"]>>> = {
  "corpus.txt": undefined,
  "words.json": undefined,
  "questions.jsonl": { columns: { question: "string", answer: "string", topic: "string" } },
  "chats.jsonl": rows.Chat,
};
const host: Host = {
  resolve: (path) =>
    Object.hasOwn(columns, path)
      ? { files: [path] }
      : { problem: `there is no file "${path}"`, near: Object.keys(columns) },
  peek: (path) => columns[path],
};

const path = "helpful.align";
const found = (text: string, { set, profile }: Partial<Mistake> = {}): readonly Diagnostic[] =>
  check({ path, text }, library, host, { ...(set ? { set } : {}), ...(profile ? { profile } : {}) })
    .diagnostics;

function made({ right, wrong }: Mistake) {
  expect(sound.split(right).length === 2 || right === "", `\`${right}\` stands once`).toBe(true);
  const marked = right === "" ? sound : sound.replace(right, () => wrong);
  const [start, end] = [marked.indexOf("«"), marked.indexOf("»") - 1];
  return { text: marked.replace(/[«»]/g, ""), span: { start, end } };
}

test("the pipeline is sound", () => {
  const diagnostics = found(sound);
  expect(render(diagnostics, [{ path, text: sound }], { color: false })).toBe("");
});

test("there are more than forty", () => {
  expect(mistakes.length).toBeGreaterThanOrEqual(40);
});

test.each(mistakes.map((mistake) => [mistake.what, mistake] as const))("%s", (_, mistake) => {
  const { text, span } = made(mistake);
  const diagnostics = found(text, mistake);
  const shown = render(diagnostics, [{ path, text }], { color: false, width: 110 });
  const [first] = diagnostics;
  expect(first, "nothing was found").toBeDefined();
  if (mistake.right) {
    // Into the cause: the whole of it, or the sign in it that is wrong.
    const { place } = first!.labels[0]!;
    expect(place.path, shown).toBe(path);
    expect(place.span.start, shown).toBeGreaterThanOrEqual(span.start);
    expect(place.span.end, shown).toBeLessThanOrEqual(span.end);
    expect(place.span.end, shown).toBeGreaterThan(place.span.start);
  }
  if (mistake.repair === "fix") {
    const fix = first!.fixes[0];
    expect(fix, shown).toBeDefined();
    const mended = applied(text, fix!);
    expect(render(found(mended), [{ path, text: mended }], { color: false }), shown).toBe("");
  } else {
    const advice = [...first!.help, ...first!.notes, ...first!.labels.map((l) => l.text)].join("\n");
    expect(advice, shown).toMatch(mistake.repair);
  }
});

function applied(text: string, fix: Diagnostic["fixes"][number]): string {
  return [...fix.edits]
    .sort((a, b) => b.place.span.start - a.place.span.start)
    .reduce((t, e) => t.slice(0, e.place.span.start) + e.text + t.slice(e.place.span.end), text);
}

test("what they print is kept", async () => {
  const all = mistakes.map((mistake) => {
    const { text } = made(mistake);
    const shown = render(found(text, mistake), [{ path, text }], { color: false, width: 110 });
    return `== ${mistake.what}\n\n${shown}`;
  });
  await expect(all.join("\n")).toMatchFileSnapshot("./mistakes.txt");
});
