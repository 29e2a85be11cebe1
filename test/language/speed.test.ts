// A file of 10,000 lines is checked while one waits, and an editor's questions about it are answered between two keys.
// Times are compared with that of a yardstick in the same process, so that a slow or busy machine changes both.
import { expect, test } from "vitest";
import { bigPipeline } from "../../grammar/big.testing.ts";
import { check, type Host, services } from "../../grammar/index.ts";
import { library } from "../../stdlib/index.ts";

const text = bigPipeline(10_000);
const host: Host = { resolve: (path) => ({ files: [path] }), peek: () => undefined };
const source = () => ({ path: "chapters.align", text });

interface Tree {
  readonly children: Readonly<Record<string, readonly Tree[]>>;
}

/** A tree of many small objects as a parser makes it, made and walked; about 45 ms on a server of 2020. */
function yardstick(): number {
  const made = (depth: number): Tree => {
    const children: Record<string, Tree[]> = Object.assign(Object.create(null), { a: [], b: [], c: [] });
    for (let i = 0; depth > 0 && i < 4; i++) children["abca"[i]!]!.push(made(depth - 1));
    return { children };
  };
  const count = (tree: Tree): number => {
    let found = 1;
    for (const key in tree.children) for (const child of tree.children[key]!) found += count(child);
    return found;
  };
  return count(made(8)) + count(made(8));
}

/** Of the processor, which other work on the machine disturbs less than what a clock says. */
function timed(run: () => unknown): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
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

test("checking it takes less than 10 yardsticks", () => {
  expect(yards(() => check(source(), library, host), 4)).toBeLessThan(10);
});

test("hover and completion take less than four tenths of one", () => {
  const document = services.openDocument(source(), library, host);
  const at = text.indexOf("generate(writer_99") + 12;
  const typed = `${text.slice(0, at)}x${text.slice(at)}`;
  expect(services.hover(document, at)?.text).toContain("stage writer_99: Model");
  expect(services.complete(document, at).map((c) => c.label)).toContain("writer_99");
  expect(services.complete(document, at + 1, typed)).toEqual([]);
  expect(yards(() => services.hover(document, at), 5)).toBeLessThan(0.4);
  expect(yards(() => services.complete(document, at), 5)).toBeLessThan(0.4);
  expect(yards(() => services.complete(document, at + 1, typed), 5)).toBeLessThan(0.4);
});
