import { expect, test } from "vitest";
import { resume, stream } from "./random.ts";

test("the same seed and path give the same numbers, whatever was drawn before", () => {
  const a = stream(7);
  a.uniform();
  a.normal();
  const b = stream(7);
  expect(a.split("shuffle").permutation(10)).toEqual(b.split("shuffle").permutation(10));
});

test("different names, seeds and name types give different streams", () => {
  const first = (r: ReturnType<typeof stream>) => r.uniform();
  const seen = [
    stream(1),
    stream(2),
    stream(1).split("a"),
    stream(1).split("b"),
    stream(1).split("a").split("b"),
    stream(1).split(1),
    stream(1).split("1"),
  ].map(first);
  expect(new Set(seen).size).toBe(seen.length);
});

test("the first values are pinned: a change here would silently change every cached artifact", () => {
  const r = stream(42);
  expect([r.int(1000), r.int(1000), r.int(1000), r.int(1000)]).toMatchInlineSnapshot(`
    [
      830,
      377,
      142,
      197,
    ]
  `);
});

test("a stream resumes from its state", () => {
  const r = stream("x");
  r.uniform();
  const copy = resume("align:x", r.state());
  expect([copy.uniform(), copy.split("k").uniform()]).toEqual([r.uniform(), r.split("k").uniform()]);
});

test("uniform has mean 1/2 and variance 1/12; normal has mean 0 and variance 1", () => {
  const n = 40_000;
  const moments = (draw: () => number) => {
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const x = draw();
      sum += x;
      squares += x * x;
    }
    return { mean: sum / n, variance: squares / n - (sum / n) ** 2 };
  };
  const u = stream(3);
  const uniform = moments(() => u.uniform());
  // standard error of the mean: sqrt(1/12/40000) = 0.0014; five of them = 0.007
  expect(Math.abs(uniform.mean - 0.5)).toBeLessThan(0.007);
  expect(Math.abs(uniform.variance - 1 / 12)).toBeLessThan(0.003);
  const normal = moments(() => u.normal());
  expect(Math.abs(normal.mean)).toBeLessThan(0.025);
  expect(Math.abs(normal.variance - 1)).toBeLessThan(0.04);
});

test("int refuses an empty range", () => {
  expect(() => stream(1).int(0)).toThrow(RangeError);
});
