import { afterEach, expect, test, vi } from "vitest";
import { runCommand } from "./run-command.ts";

afterEach(() => vi.unstubAllEnvs());

test("the command has what the question had, and quotes what a shell would take apart", () => {
  vi.stubEnv("ALIGN_DEVICE", undefined);
  expect(runCommand("p.align", { device: "auto" }, "base")).toBe("align run p.align --only base");
  const options = { profile: "laptop", set: { seed: "2", name: "it's" }, store: "/tmp/a b", device: "cpu" };
  expect(runCommand("p.align", options, "d[0.1]")).toBe(
    "align run p.align --profile laptop --set seed=2 --set 'name=it'\\''s' --store '/tmp/a b' --device cpu --only 'd[0.1]'",
  );
});

test("what the environment says need not be said again", () => {
  vi.stubEnv("ALIGN_DEVICE", "cpu");
  expect(runCommand("p.align", { device: "cpu" })).toBe("align run p.align");
});
