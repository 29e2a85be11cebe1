import { expect, test } from "vitest";
import { elsewhere } from "./elsewhere.ts";
import { library } from "./index.ts";

const operations = Array.from(library.values());
const known = (operation: string, name: string) => library.get(operation)!.elsewhere?.get(name);

test("every name in the table leads to a parameter of some operation", () => {
  for (const { parameter, names } of elsewhere) {
    for (const name of Object.values(names).flat())
      expect(
        operations.filter((o) => o.elsewhere?.get(name)?.parameter === parameter),
        name,
      ).not.toEqual([]);
  }
});

test("no name stands for two things, and none hides a parameter or an input", () => {
  for (const { name, params, inputs, elsewhere = new Map() } of operations) {
    const own = [...Object.keys(params.properties), ...inputs.map((input) => input.name)];
    expect(
      [...elsewhere.keys()].filter((other) => own.includes(other)),
      name,
    ).toEqual([]);
  }
});

test("a name means what the operation has: beta is dpo's own, and kl_coef in grpo", () => {
  expect(known("dpo", "beta")).toBeUndefined();
  expect(known("grpo", "beta")).toEqual({ parameter: "kl_coef", tools: ["transformers, TRL", "axolotl"] });
  expect(known("sft", "max_epochs")!.parameter).toBe("epochs");
  expect(known("ppo", "max_epochs")!.parameter).toBe("inner_epochs");
});

test("where the value cannot be taken over it is said why", () => {
  expect(known("sft", "save_steps")!.but).toBe("which counts seconds");
  expect(known("sft", "eval_steps")!.but).toBeUndefined();
});
