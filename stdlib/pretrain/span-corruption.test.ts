import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { stream } from "../../tensor/index.ts";
import { corrupted, countsOf, noiseMask, tokensFor } from "./span-corruption.ts";

/** Of the code of T5, made by t5_spans.py. */
const fixture = JSON.parse(readFileSync(new URL("fixtures/t5-spans.json", import.meta.url), "utf8")) as {
  readonly vocabulary: number;
  readonly masks: readonly {
    readonly length: number;
    readonly noise_density: number;
    readonly mean_noise_span_length: number;
    readonly shuffles: readonly (readonly number[])[];
    readonly mask: readonly number[];
    readonly inputs: readonly number[];
    readonly targets: readonly number[];
  }[];
  readonly lengths: readonly (readonly [number, number, number, number, number])[];
  readonly dropped: readonly number[];
};
const t5 = { noise_density: 0.15, mean_noise_span_length: 3 };

test("the example of the paper: thank you for inviting me to your party last week", () => {
  const words = "thank you for inviting me to your party last week".split(" ");
  const mask = words.map((word) => ["for", "inviting", "last"].includes(word));
  const { inputs, targets } = corrupted(
    words.map((_, i) => i),
    mask,
    [100, 101, 102],
  );
  const said = (ids: number[]) => ids.map((id) => words[id] ?? `<${"XYZ"[id - 100]}>`).join(" ");
  expect(said(inputs)).toBe("thank you <X> me to your party <Y> week");
  expect(said(targets)).toBe("<X> for inviting <Y> last <Z>");
});

test("ten tokens at 30 % in spans of 1.5: three dropped, in two spans, three kept before the first", () => {
  const noise = { noise_density: 0.3, mean_noise_span_length: 1.5 };
  expect(countsOf(10, noise)).toEqual({ noise: 3, spans: 2 });
  // One mark among two places says where the second dropped span begins (1 + 2 of 3), one among six the second kept (3 + 4 of 7).
  const orders = [
    [true, false],
    [false, false, true, false, false, false],
  ];
  const asked: number[][] = [];
  const mask = noiseMask(10, noise, (marks) => {
    asked.push(marks.map(Number));
    return orders.shift()!;
  });
  expect(asked).toEqual([
    [1, 0],
    [1, 0, 0, 0, 0, 0],
  ]);
  expect(mask.map(Number).join("")).toBe("0001000011");
});

test.each(fixture.masks)(
  "$length tokens at $noise_density in spans of $mean_noise_span_length lose what T5's code drops",
  (one) => {
    const shuffles = one.shuffles.map((marks) => marks.map(Boolean));
    const mask = noiseMask(one.length, one, () => shuffles.shift()!);
    expect(mask.map(Number)).toEqual(one.mask);
    const tokens = Array.from({ length: one.length }, (_, i) => i);
    const sentinels = Array.from({ length: 100 }, (_, i) => fixture.vocabulary - 1 - i);
    expect(corrupted(tokens, mask, sentinels)).toEqual({ inputs: one.inputs, targets: one.targets });
  },
);

test("of 2 to 399 tokens as many are dropped as by T5's code, which counts in fp32", () => {
  expect(fixture.dropped.map((_, i) => countsOf(i + 2, t5).noise)).toEqual(fixture.dropped);
});

test.each(fixture.lengths)(
  "an input of %d tokens at %d in spans of %d holds %d tokens of text",
  (inputs, noise_density, mean_noise_span_length, tokens, targets) => {
    const noise = { noise_density, mean_noise_span_length };
    const text = tokensFor(inputs, noise);
    // At one half T5 leaves a token out where inputs and targets would else have different lengths.
    const shorter = noise_density === 0.5 ? 1 : 0;
    expect([tokens, tokens + shorter]).toContain(text);
    const { noise: dropped, spans } = countsOf(tokens, noise);
    expect([targets, targets + shorter]).toContain(dropped + spans + 1);
  },
);

test("all masks are equally likely", () => {
  // 20 tokens lose 3 in one span, which is always the last three.
  expect(
    noiseMask(20, t5, (marks) => stream(1).shuffle(marks))
      .map(Number)
      .join(""),
  ).toBe("00000000000000000111");
  // 30 at 20 % lose 6 in two spans: the second kept span has 1 to 23 tokens, each as often.
  const random = stream(2);
  const seen = new Map<number, number>();
  for (let i = 0; i < 4600; i++) {
    const mask = noiseMask(30, { noise_density: 0.2, mean_noise_span_length: 3 }, (m) => random.shuffle(m));
    const first = mask.indexOf(true);
    seen.set(first, (seen.get(first) ?? 0) + 1);
  }
  expect([...seen.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 23 }, (_, i) => i + 1));
  // 200 each, standard deviation 14.
  for (const times of seen.values()) expect(Math.abs(times - 200)).toBeLessThan(70);
});
