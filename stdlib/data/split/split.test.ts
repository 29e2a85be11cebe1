import { describe, expect, test } from "vitest";
import { column, transformWith } from "../../testing.ts";
import { dedupe, split } from "./index.ts";

const rows = Array.from({ length: 2000 }, (_, n) => ({ text: `row ${n}` }));
const side = (part: string, of: readonly { text: string }[] = rows, more = {}) =>
  transformWith(split, of, { part, held_out: 0.1, ...more });

describe("split", () => {
  test("the sides share no row and together are all rows", async () => {
    const train = await side("train");
    const heldOut = await side("held_out");
    expect(train.length + heldOut.length).toBe(2000);
    const there = new Set(train.map((row) => row.text));
    expect(heldOut.filter((row) => there.has(row.text!))).toEqual([]);
    // 10% of 2000 = 200, standard deviation sqrt(2000 · 0.1 · 0.9) = 13.4; five of them.
    expect(Math.abs(heldOut.length - 200)).toBeLessThan(67);
  });

  test("a row's side does not depend on the other rows, their order or their copies", async () => {
    const heldOut = await side("held_out");
    const reversed = await side("held_out", [...rows].reverse());
    expect([...reversed].reverse()).toEqual(heldOut);
    const doubled = await side("held_out", [...rows, ...rows]);
    expect(doubled).toEqual([...heldOut, ...heldOut]);
    expect(await side("held_out", rows.slice(500, 600))).toEqual(
      heldOut.filter((row) => rows.slice(500, 600).some((r) => r.text === row.text)),
    );
  });

  test("a larger share holds what a smaller one held; another seed splits otherwise", async () => {
    const some = await side("held_out");
    const more = new Set((await side("held_out", rows, { held_out: 0.3 })).map((row) => row.text));
    expect(some.every((row) => more.has(row.text))).toBe(true);
    expect(await side("held_out", rows, { seed: 1 })).not.toEqual(some);
  });

  test("the order of columns is no difference", async () => {
    const a = await transformWith(split, [{ x: 1, y: 2 }], { part: "train", held_out: 0.5 });
    const b = await transformWith(split, [{ y: 2, x: 1 }], { part: "train", held_out: 0.5 });
    expect(a.length).toBe(b.length);
  });
});

test("rows with one value of `by` are on one side, whatever else they have", async () => {
  const answered = rows.flatMap(({ text }) => [1, 2].map((answer) => ({ text, answer })));
  const by = { by: column("text"), held_out: 0.1 };
  const train = await transformWith(split, answered, { part: "train", ...by });
  const heldOut = await transformWith(split, answered, { part: "held_out", ...by });
  expect(train.length + heldOut.length).toBe(4000);
  const there = new Set(train.map((row) => row.text));
  expect(heldOut.filter((row) => there.has(row.text!))).toEqual([]);
  // By the whole row the two answers to a question part in 2 · 0.1 · 0.9 = 18% of cases.
  expect(heldOut.length % 2).toBe(0);
});

describe("dedupe", () => {
  const rows = [
    { id: 1, text: "a" },
    { id: 2, text: "a" },
    { text: "a", id: 1 },
    { id: 3, text: "b" },
  ];
  test("keeps the first of equal rows", async () => {
    expect(await transformWith(dedupe, rows)).toEqual([rows[0], rows[1], rows[3]]);
  });
  test("by a column, keeps the first row with each value", async () => {
    expect(await transformWith(dedupe, rows, { by: column("text") })).toEqual([rows[0], rows[3]]);
  });
});
