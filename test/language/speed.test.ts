// A file of 10,000 lines is checked while one waits, and an editor's questions about it are answered between two keys.
// Times are compared with that of a yardstick in the same process, so that a slow or busy machine changes both.
import { expect, test } from "vitest";
import { bigPipeline } from "../../grammar/big.testing.ts";
import { check, type Host, services } from "../../grammar/index.ts";
import { library } from "../../stdlib/index.ts";

const text = bigPipeline(10_000);
const host: Host = { resolve: (path) => ({ files: [path] }), peek: () => undefined };
const source = () => ({ path: "chapters.align", text });

/** Many small objects, a map and a sort, as a checker makes them; about 15 ms on a server of 2020. */
function yardstick(): number {
  const last = new Map<string, object>();
  for (let i = 0, seed = 1; i < 150_000; i++) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    const word = `w${seed % 5000}`;
    last.set(word, { at: i, word, before: last.get(word) });
  }
  return [...last.keys()].sort().length;
}

function timed(run: () => unknown): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

/** The fastest of some rounds, in yardsticks, each beside its own. */
function yards(run: () => unknown, rounds: number): number {
  const pairs = Array.from({ length: rounds }, () => [timed(yardstick), timed(run)] as const);
  return Math.min(...pairs.map(([, t]) => t)) / Math.min(...pairs.map(([y]) => y));
}

test("the pipeline has 10,000 lines and no mistake", () => {
  expect(text.split("\n").length - 1).toBe(10_000);
  expect(check(source(), library, host).diagnostics).toEqual([]);
});

test("checking it takes less than 100 yardsticks", () => {
  expect(yards(() => check(source(), library, host), 8)).toBeLessThan(100);
});

test("hover and completion take less than one", () => {
  const document = services.openDocument(source(), library, host);
  const at = text.indexOf("generate(writer_99") + 12;
  const typed = `${text.slice(0, at)}x${text.slice(at)}`;
  expect(services.hover(document, at)?.text).toContain("stage writer_99: Model");
  expect(services.complete(document, at).map((c) => c.label)).toContain("writer_99");
  expect(services.complete(document, at + 1, typed)).toEqual([]);
  expect(yards(() => services.hover(document, at), 5)).toBeLessThan(1);
  expect(yards(() => services.complete(document, at), 5)).toBeLessThan(1);
  expect(yards(() => services.complete(document, at + 1, typed), 5)).toBeLessThan(1);
});
