import { expect, test } from "vitest";
import { operations } from "../fixtures/operations.ts";
import { call, program, publish, stage } from "../fixtures/program.ts";
import type { Operation } from "../operation.ts";
import { rehearsalOf } from "./rehearse.ts";

const train = operations.get("train")!;
const properties = {
  beta: { "x-rehearse": { most: 0.5 } },
  steps: { "x-rehearse": { always: 2 } },
  seed: {},
} as const;
const marked: Operation = { ...train, params: { type: "object", properties } };
const small = (params: Record<string, number>) =>
  rehearsalOf(program("/p.align", [stage("a", call("train", {}, params))]), new Map([["train", marked]]))
    .nodes[0]!.calls[0]!.params;

test("a parameter is as small as its declaration says for rehearsals, and never larger than it was", () => {
  expect(small({ beta: 3, seed: 7 })).toEqual({ beta: 0.5, steps: 2, seed: 7 });
  expect(small({ beta: 0.1, steps: 9_000 })).toEqual({ beta: 0.1, steps: 2 });
  expect(small({})).toEqual({ steps: 2 });
});

test("nothing is published", () => {
  const whole = program("/p.align", [stage("a", call("train"))], { publications: [publish("a", "out")] });
  expect(rehearsalOf(whole, operations).publications).toEqual([]);
});
