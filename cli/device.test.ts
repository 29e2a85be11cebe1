import { expect, test } from "vitest";
import type { BackendReport, Device } from "../stdlib/index.ts";
import { fastest } from "./device.ts";

const report = (device: Device, milliseconds?: number, ok = true): BackendReport => ({
  device,
  found: true,
  fingerprint: `${device}/1/fp32`,
  check: { ok, lossError: 0, weightError: 0, tolerance: 1e-4 },
  ...(milliseconds !== undefined && { milliseconds }),
});
const cpu = report("cpu", 100);

test("auto takes the fastest device that computes right", () => {
  expect(fastest(cpu, [report("webgpu", 20), report("cuda", 10)])?.device).toBe("cuda");
  expect(fastest(cpu, [report("webgpu", 20), report("cuda", 10, false)])?.device).toBe("webgpu");
});

test("auto stays on the CPU for what is hardly faster, untimed or absent", () => {
  const absent: BackendReport = { device: "cuda", found: false, problem: "no libraries" };
  expect(fastest(cpu, [report("webgpu", 90), report("tfjs"), absent])).toBeUndefined();
});
