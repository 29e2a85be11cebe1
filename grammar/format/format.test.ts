// The laws of the formatter, for sound, damaged and random text, at several widths and with both line ends; and how it looks.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import quickstart from "../fixtures/quickstart.align?raw";
import { parse } from "../parse.ts";
import { lex } from "../tokens.ts";
import { format, spelling } from "./format.ts";

const fmt = (text: string, width = 80): string => format({ path: "x", text }, { width });

/** What a text says, without where it says it. */
function meaning(text: string): unknown {
  const { declarations } = parse({ path: "x", text }).file;
  return JSON.parse(
    JSON.stringify(declarations, (key, value) => (key === "span" || key === "offsets" ? undefined : value)),
  );
}

function lawful(text: string, width: number): void {
  const once = fmt(text, width);
  expect(fmt(once, width)).toBe(once);
  expect(spelling(once)).toEqual(spelling(text));
  expect(meaning(once)).toEqual(meaning(text));
}

const space = fc.constantFrom(" ", " ", "  ", "\n", "\n\n\n", " // c\n", "\n/// doc\n", "\n// d \n\n");

/** The tokens of the quickstart with other spaces between them. */
const respaced = fc.array(space, { minLength: 60, maxLength: 60 }).map((spaces) => {
  const images = lex(quickstart).tokens.map((t) => t.image);
  return images.map((image, i) => image + spaces[(i * 7) % spaces.length]).join("");
});

const pieces =
  `pipeline param model dataset template stage expect publish profile and or not as to for true { } ( ) [ ]
, : ; = == > >= .. . |> | + - * / % " """ ' // /// # \\ 1 2e-5 10% 4_000 90s x beta text sft(base,book) "a"
float(>0) stage profile € é \u0000`.split(/\s+/);
const soup = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.constantFrom(" ", "\n", "\r\n", "\t", "\r")))
  .map((w) => w.join(" "));

const damaged = fc
  .array(
    fc.record({
      at: fc.nat(quickstart.length),
      length: fc.nat(12),
      by: fc.constantFrom("", "\n", ...pieces),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((edits) => edits.reduce((t, e) => t.slice(0, e.at) + e.by + t.slice(e.at + e.length), quickstart));

const value: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(
      "1",
      "10%",
      "x",
      '"text"',
      "model",
      '"""\n  a\n    b\n"""',
      "pipes",
      "a.b",
      "d[0.1]",
      "d[*, x].y",
    ),
    fc
      .tuple(fc.constantFrom("+", "and", "<", "*", "|> f(1)\n|>"), tie("value"))
      .map(([op, v]) => `(${v}) ${op} f(${v})`),
    fc.array(tie("value"), { maxLength: 3 }).map((all) => `[${all.join(", // c\n")}]`),
    fc.array(tie("value"), { maxLength: 3 }).map((all) => `f(${all.map((v) => `a: ${v}`).join(" ,\n\n")})`),
    fc.array(tie("value"), { maxLength: 3 }).map((all) => `{${all.map((v) => `b: ${v}`).join("\n")}}`),
    fc
      .array(tie("value"), { maxLength: 3 })
      .map((all) => `{ // in\n${all.map((v) => `b: ${v}`).join(", ")}\n/// end\n}`),
  ),
})).value;

const sound = fc
  .array(
    fc.oneof(
      value.map((v) => `stage s = ${v}\n`),
      value.map((v) => `stage d[a in ${v},b in [1 ,2]] = f(a)\nexport mixture m = p(x except ${v} and y)\n`),
      fc.constant(
        'import {a,b as c , d // last\n} from "./x.align"\nexport cluster c=[a, b] { neighbours: [d] }\n',
      ),
      value.map((v) => `/// Doc.\ndataset long_name = f(${v}) { a: 1 } // behind\n`),
      value.map((v) => `\n\nexpect ${v} "why"\n`),
      value.map((v) => `profile p { stage x { a: ${v} }\n\n// c\nparam b = 2; }\n`),
      fc.constant('param p: "a" | "b" = "a"; param q: int(1 .. 64)\n'),
      fc.constant('template t for rows, others,more {\n  input: """\n    a\n    """\n  target: "b" }\n'),
    ),
    { maxLength: 5 },
  )
  .map((all) => all.join(""));

describe.each([40, 80, 100])("at width %d", (width) => {
  test.each([
    ["sound text", sound, 20],
    ["the quickstart, spaced at random", respaced, 8],
    ["damaged text", damaged, 20],
    ["any tokens", soup, 60],
    ["any text", fc.string({ unit: "binary" }), 60],
  ] as const)("%s keeps the laws", (_, texts, numRuns) => {
    fc.assert(
      fc.property(texts, fc.boolean(), (text, crlf) =>
        lawful(crlf ? text.replaceAll("\n", "\r\n") : text, width),
      ),
      { numRuns, seed: 1 },
    );
  });
});

test("sound text is laid out, not handed back", () => {
  const stay = (text: string) => `${fmt(`\n\n${text}`)}` !== `\n\n${text}`;
  fc.assert(
    fc.property(
      sound.filter((t) => t.trim() !== ""),
      stay,
    ),
    { numRuns: 20, seed: 1 },
  );
});

describe("looks", () => {
  test("one space where one belongs, and none where none does", () => {
    expect(fmt("stage  x=f( a,b :1 ){c:- 2,d:[ 1 ,2 ]}\nparam n:int( >0 )=  3+4*x.y")).toBe(
      "stage x = f(a, b: 1) { c: -2, d: [1, 2] }\nparam n: int(> 0) = 3 + 4 * x.y\n",
    );
  });

  test("choices of a param", () => {
    expect(fmt('param p: "a"|"b"   ="a"')).toBe('param p: "a" | "b" = "a"\n');
  });

  test("neighbours on one line each have their names and `=` one below the other", () => {
    expect(fmt("model m = f()\ndataset long = g()\n\nstage s = h()")).toBe(
      "model   m    = f()\ndataset long = g()\n\nstage s = h()\n",
    );
  });

  test("a block stays on several lines where its author began a new one", () => {
    expect(fmt("stage s = f(a) {\na: 1\n\n  b: 2, c: 3 }")).toBe(
      "stage s = f(a) {\n  a: 1\n\n  b: 2, c: 3\n}\n",
    );
    expect(fmt("stage s = f(a) { a: 1,\n b: 2 }")).toBe("stage s = f(a) { a: 1, b: 2 }\n");
  });

  test("what does not fit breaks from the outside: the block, the chain, the arguments", () => {
    expect(fmt("stage s = train(model, rows) { steps: 100, seed: 1 }", 40)).toBe(
      "stage s = train(model, rows) {\n  steps: 100,\n  seed: 1\n}\n",
    );
    expect(fmt('dataset d = text("a.txt") |> take(1_000) |> skip(10)', 40)).toBe(
      'dataset d = text("a.txt")\n  |> take(1_000)\n  |> skip(10)\n',
    );
    expect(fmt("stage s = f(aaaaaaaaaaaaaa, bbbbbbbbbbbbbbb, ccc)", 40)).toBe(
      "stage s = f(\n  aaaaaaaaaaaaaa,\n  bbbbbbbbbbbbbbb,\n  ccc\n)\n",
    );
  });

  test("comments stay where they are", () => {
    expect(fmt("// top\n\n\n/// doc\nstage a = f( 1 , // one\n  2 ) // behind\n// end")).toBe(
      "// top\n\n/// doc\nstage a = f(\n  1,  // one\n  2\n)  // behind\n// end\n",
    );
  });

  test("what cannot be read stays as it is; what is around it is laid out", () => {
    expect(fmt("stage a=f()\nstage   b = g(  1\nstage c=h()")).toBe(
      "stage a = f()\nstage   b = g(  1\nstage c = h()\n",
    );
  });

  test("a comment sign of another language behind a declaration is no part of it", () => {
    expect(fmt("stage a = f( 1 )# c\nstage b = g()\n")).toBe("stage a = f(1)  # c\nstage b = g()\n");
  });

  test("profiles", () => {
    expect(fmt("profile p {param a=1;stage x{b:2}}\nprofile q { param a = 1\n  stage x { b: 2 } }")).toBe(
      "profile p { param a = 1; stage x { b: 2 } }\nprofile q {\n  param a = 1\n  stage x { b: 2 }\n}\n",
    );
  });

  test("an empty file stays empty", () => {
    expect(fmt(" \n\n")).toBe("");
  });
});

test.each([
  ["brackets without end", `stage a = ${"(".repeat(100_000)}`],
  ["a chain without end", `stage a = 1${" + 1".repeat(150_000)}\n`],
])("%s stay as they are", (_, text) => {
  expect(fmt(text)).toBe(text);
});
