// The order of execution: what is read late is asked for where it stands, first things last in the file.

import { expect, test } from "vitest";
import { anchors } from "./order.ts";

test("values whose first reader is far away get an anchor, the earliest one at the end of the file", () => {
  const chain = Array.from({ length: 100 }, (_, i) => ({
    op: "Neg",
    inputs: [`x${i}`],
    outputs: [`x${i + 1}`],
  }));
  const late = (i: number) => ({ op: "Neg", inputs: [`x${i}`], outputs: [`late${i}`] });
  const nodes = [late(0), late(1), ...chain, { op: "Add", inputs: ["late0", "late1"], outputs: ["out:y"] }];
  expect(anchors(nodes).map(({ op, inputs }) => [op, ...inputs])).toEqual([
    ["Shape", "late1"],
    ["Shape", "late0"],
  ]);
});

test("outputs of the graph and values read at once need none", () => {
  const nodes = [
    { op: "Neg", inputs: ["in:x"], outputs: ["y"] },
    { op: "Neg", inputs: ["y"], outputs: ["out:z"] },
  ];
  expect(anchors(nodes)).toEqual([]);
});
