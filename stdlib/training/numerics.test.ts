import { expect, test } from "vitest";
import { openBackend } from "./backend.ts";
import { numerics } from "./numerics.ts";

test("the fingerprint in the keys is that of the backend that computes", async () => {
  expect(numerics()).toBe((await openBackend({ threads: 1, device: "auto" })).fingerprint);
});
