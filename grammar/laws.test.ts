// What holds for any text whatever: reading and checking never throw, and every message points into the text.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check } from "./check.ts";
import { codes } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";
import quickstart from "./fixtures/quickstart.align?raw";
import { format } from "./format/format.ts";
import { parse } from "./parse.ts";
import { programs } from "./programs.testing.ts";
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

/** What a text says, without where it says it. */
function meaning(source: { path: string; text: string }): unknown {
  const { declarations } = parse(source).file;
  return JSON.parse(
    JSON.stringify(declarations, (key, value) => (key === "span" || key === "offsets" ? undefined : value)),
  );
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

describe("generated programs", () => {
  const found = (text: string) => check({ path: "x", text }, testLibrary, testHost);
  const some = { numRuns: 120, seed: 1 };

  test("most of them say something right, some do not", () => {
    const all = fc.sample(programs, { numRuns: 120, seed: 1 }).map(found);
    const sound = all.filter(({ program }) => program).length;
    expect(sound).toBeGreaterThan(12);
    expect(sound).toBeLessThan(108);
    expect(new Set(all.flatMap(({ diagnostics }) => diagnostics.map((d) => d.code))).size).toBeGreaterThan(
      12,
    );
  });

  test("are read and checked, and checking twice gives the same bytes", () => {
    fc.assert(
      fc.property(programs, (text) => {
        readsAndChecks(text);
        expect(JSON.stringify(found(text))).toBe(JSON.stringify(found(text)));
      }),
      some,
    );
  });

  test("mean the same when they are laid out: same declarations, same codes, and the same again", () => {
    fc.assert(
      fc.property(programs, fc.constantFrom(40, 80, 100), fc.boolean(), (text, width, crlf) => {
        const source = { path: "x", text: crlf ? text.replaceAll("\n", "\r\n") : text };
        const laid = { ...source, text: format(source, { width }) };
        expect(format(laid, { width })).toBe(laid.text);
        expect(meaning(laid)).toEqual(meaning(source));
        const codesOf = (s: typeof source) => check(s, testLibrary, testHost).diagnostics.map((d) => d.code);
        expect(codesOf(laid)).toEqual(codesOf(source));
      }),
      some,
    );
  });

  test("a profile is checked as if it were chosen", () => {
    fc.assert(
      fc.property(programs, (text) => {
        for (const { 0: whole, 1: profile, index } of text.matchAll(/^profile (\w+) \{[^}]*\}\n\}/gm)) {
          // One unknown name is said once, where it stands first.
          const inside = (options: { profile?: string }) =>
            check({ path: "x", text }, testLibrary, testHost, options)
              .diagnostics.filter((d) => d.severity === "error" && d.code !== "AL0101")
              .filter(
                ({ labels: [at] }) =>
                  at!.place.span.start > index && at!.place.span.end < index + whole.length,
              )
              .map((d) => d.title);
          expect(inside({})).toEqual(inside({ profile: profile! }));
        }
      }),
      some,
    );
  });
});
