// Everything the language can say about a text, as data: asked in Node and in a browser, it must be the same.
import { check, format, parse, render, renderJson, type Source, services } from "../../grammar/index.ts";
import { testHost, testLibrary } from "../../grammar/testing.ts";

export interface Answers {
  readonly declarations: unknown;
  readonly program: unknown;
  readonly diagnostics: string;
  readonly frames: string;
  readonly formatted: string;
  /** At every seventh character. */
  readonly hovers: readonly unknown[];
  readonly completions: readonly unknown[];
  readonly symbols: unknown;
}

export function answers(path: string, text: string): Answers {
  const source: Source = { path, text };
  const { program, diagnostics } = check(source, testLibrary, testHost);
  const document = services.openDocument(source, testLibrary, testHost);
  const places = Array.from({ length: Math.ceil(text.length / 7) }, (_, i) => i * 7);
  return {
    declarations: parse(source).file.declarations,
    program,
    diagnostics: renderJson(diagnostics, [source]),
    frames: render(diagnostics, [source], { color: false, width: 100 }),
    formatted: format(source, { width: 80 }),
    hovers: places.map((offset) => services.hover(document, offset) ?? null),
    completions: places.map((offset) => services.complete(document, offset).length),
    symbols: services.symbols(document),
  };
}
