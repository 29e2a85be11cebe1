// What holds for any text whatever: reading and checking never throw, and every message points into the text.
import fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "./check.ts";
import { codes } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";
import quickstart from "./fixtures/quickstart.align?raw";
import { parse } from "./parse.ts";
import { render } from "./render/text.ts";
import { testHost, testLibrary } from "./testing.ts";

const words =
  `pipeline param model dataset template stage expect publish profile and or not as to for true { } ( ) [ ]
, : ; = == > >= .. . |> | + - * / % " """ ' // /// # \\ 1 2e-5 10% 4_000 90s x beta text sft(base, book) "a"
float(> 0) {{ {% "{{ x }}" é 言 🎉 \u0000`.split(/\s+/);

const soup = fc
  .array(fc.oneof(fc.constantFrom(...words), fc.constantFrom(" ", "\n", "\r\n", "\t")))
  .map((w) => w.join(" "));

/** The quickstart with a few pieces cut, doubled, swapped or replaced. */
const mutated = fc
  .array(
    fc.record({
      at: fc.nat(quickstart.length),
      length: fc.nat(12),
      by: fc.oneof(fc.constantFrom("", ...words), fc.string({ maxLength: 3 })),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((edits) => edits.reduce((t, e) => t.slice(0, e.at) + e.by + t.slice(e.at + e.length), quickstart));

function wellFormed(diagnostics: readonly Diagnostic[], text: string): void {
  for (const d of diagnostics) {
    expect(Object.keys(codes)).toContain(d.code);
    expect(d.labels.length).toBeGreaterThan(0);
    expect(d.title).toMatch(/\S/);
    const edits = d.fixes.flatMap((f) => f.edits.map((e) => e.place));
    for (const { path, span } of [...d.labels.map((l) => l.place), ...edits]) {
      if (path !== "x") continue;
      expect(span.start).toBeGreaterThanOrEqual(0);
      expect(span.end).toBeGreaterThanOrEqual(span.start);
      expect(span.end).toBeLessThanOrEqual(text.length + 1);
    }
  }
}

function readsAndChecks(text: string): void {
  const source = { path: "x", text };
  wellFormed(parse(source).diagnostics, text);
  const { program, diagnostics } = check(source, testLibrary, testHost);
  wellFormed(diagnostics, text);
  expect(program === undefined).toBe(diagnostics.some((d) => d.severity === "error"));
  expect(typeof render(diagnostics, [source], { width: 80 })).toBe("string");
}

test("any text can be read and checked", () => {
  fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), soup), readsAndChecks), { numRuns: 300 });
});

test("a damaged quickstart can be read and checked", () => {
  fc.assert(fc.property(mutated, readsAndChecks), { numRuns: 150 });
});

test("a quickstart cut off anywhere can be read and checked", () => {
  fc.assert(
    fc.property(fc.nat(quickstart.length), (n) => readsAndChecks(quickstart.slice(0, n))),
    { numRuns: 60 },
  );
});

test("checking twice gives the same bytes", () => {
  const once = () => JSON.stringify(check({ path: "x", text: quickstart }, testLibrary, testHost));
  expect(once()).toBe(once());
});
