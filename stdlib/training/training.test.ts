import { expect, test } from "vitest";
import { ExampleStore } from "./examples.ts";
import { batches, drawn } from "./loop.ts";
import { packed } from "./packing.ts";
import { pad, paddedLength, supervised } from "./padding.ts";

test("an epoch shows every example once, and the next one in another order", () => {
  const order = batches(5, 2, 7);
  const epochs = [0, 1].map(() => [0, 1, 2].map(() => order.next().value));
  for (const epoch of epochs) {
    expect(epoch.map((batch) => batch.length)).toEqual([2, 2, 1]);
    expect(epoch.flat().toSorted()).toEqual([0, 1, 2, 3, 4]);
  }
  expect(epochs[0]).not.toEqual(epochs[1]);
});

test("a run over before the end of an epoch draws a part of the examples, a longer one all of them", () => {
  // Two steps of two are the first four of the order; three quarters of an epoch of five are 1.9 steps, so two.
  const order = batches(5, 2, 7);
  const four = [...order.next().value, ...order.next().value].toSorted();
  expect(drawn({ steps: 2, batch_size: 2, seed: 7 }, 5)).toEqual(four);
  expect(drawn({ epochs: 0.75, batch_size: 2, seed: 7 }, 5)).toEqual(four);
  expect(drawn({ epochs: 3, batch_size: 2, seed: 7 }, 5)).toEqual([0, 1, 2, 3, 4]);
});

test("the order depends on the seed alone", () => {
  expect(batches(50, 50, 1).next().value).toEqual(batches(50, 50, 1).next().value);
  expect(batches(50, 50, 1).next().value).not.toEqual(batches(50, 50, 2).next().value);
});

test("lengths are rounded up to powers of two and the halves between, within the model's own length", () => {
  const lengths = [2, 16, 17, 33, 48, 49, 65, 97, 129, 300, 400].map((n) => paddedLength(n));
  expect(lengths).toEqual([16, 16, 32, 48, 48, 64, 96, 128, 192, 384, 512]);
  expect([paddedLength(90, 100), paddedLength(98, 100), paddedLength(120, 100)]).toEqual([96, 100, 120]);
});

test("rows are padded on the right to 16 at least, and missing rows count nothing", () => {
  const { ids, mask } = pad([{ ids: [5, 6, 7], mask: [false, true, true] }], 2);
  expect(ids.shape).toEqual([2, 16]);
  expect([...ids.data.slice(0, 5)]).toEqual([5, 6, 7, 0, 0]);
  expect([...mask.data.slice(0, 5)]).toEqual([0, 1, 1, 0, 0]);
  expect(mask.data.slice(16).every((x) => x === 0)).toBe(true);
});

test("packing puts the longest example into the fullest row with room, and keeps the order of the data", () => {
  const example = (first: number, n: number) => ({
    ids: Array.from({ length: n }, (_, i) => first + i),
    mask: Array.from({ length: n }, () => true),
  });
  // Lengths 3, 6, 4, 5 in rows of 10: 6, then 5, then 4 beside 6 (room 4 before room 5), then 3 beside 5.
  const store = new ExampleStore({ largest: 100 });
  for (const each of [example(10, 3), example(20, 6), example(30, 4), example(40, 5)]) store.add(each);
  const { count, at, tokens } = packed(store, 10);
  const rows = Array.from({ length: count }, (_, row) => at(row));
  expect(rows.map(({ ids }) => ids)).toEqual([
    [10, 11, 12, 40, 41, 42, 43, 44],
    [20, 21, 22, 23, 24, 25, 30, 31, 32, 33],
  ]);
  expect(rows[0]!.segments).toEqual([1, 1, 1, 2, 2, 2, 2, 2]);
  expect(rows[0]!.positions).toEqual([0, 1, 2, 0, 1, 2, 3, 4]);
  expect(rows[0]!.mask).toEqual([false, true, true, false, true, true, true, true]);
  // (3 − 1) + (5 − 1), and (6 − 1) + (4 − 1) with the other row.
  expect([tokens([0]), tokens([0, 1])]).toEqual([6, 14]);
});

test("the first token is never supervised: nothing predicts it", () => {
  expect(supervised({ ids: [1, 2, 3], mask: [true, true, false] })).toBe(1);
});
