import { expect, test } from "vitest";
import { batches } from "./loop.ts";
import { pad, supervised } from "./padding.ts";

test("an epoch shows every example once, and the next one in another order", () => {
  const order = batches(5, 2, 7);
  const epochs = [0, 1].map(() => [0, 1, 2].map(() => order.next().value));
  for (const epoch of epochs) {
    expect(epoch.map((batch) => batch.length)).toEqual([2, 2, 1]);
    expect(epoch.flat().toSorted()).toEqual([0, 1, 2, 3, 4]);
  }
  expect(epochs[0]).not.toEqual(epochs[1]);
});

test("the order depends on the seed alone", () => {
  expect(batches(50, 50, 1).next().value).toEqual(batches(50, 50, 1).next().value);
  expect(batches(50, 50, 1).next().value).not.toEqual(batches(50, 50, 2).next().value);
});

test("rows are padded on the right to a multiple of 16, and missing rows count nothing", () => {
  const { ids, mask } = pad([{ ids: [5, 6, 7], mask: [false, true, true] }], 2);
  expect(ids.shape).toEqual([2, 16]);
  expect([...ids.data.slice(0, 5)]).toEqual([5, 6, 7, 0, 0]);
  expect([...mask.data.slice(0, 5)]).toEqual([0, 1, 1, 0, 0]);
  expect(mask.data.slice(16).every((x) => x === 0)).toBe(true);
});

test("the first token is never supervised: nothing predicts it", () => {
  expect(supervised({ ids: [1, 2, 3], mask: [true, true, false] })).toBe(1);
});
