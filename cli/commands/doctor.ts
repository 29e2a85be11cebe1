// `align doctor`: what this machine has, whether it computes right, and how to get what is missing.

import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { dirname } from "node:path";
import { type BackendReport, devices } from "../../stdlib/index.ts";
import { chooseDevice, examineAll } from "../device.ts";
import { storePath } from "../store-path.ts";
import { bytes } from "../ui/format.ts";
import { paint } from "../ui/terminal.ts";

declare const ALIGN_VERSION: string;

export interface DoctorOptions {
  readonly store?: string;
  readonly json?: boolean;
}

interface Finding {
  readonly topic: string;
  readonly ok: boolean | "optional";
  readonly text: string;
  readonly help?: string;
}

export async function doctor(options: DoctorOptions): Promise<number> {
  const findings = [
    versions(),
    machine(),
    ...(await examineAll(devices)).map(deviceFinding),
    await automatic(),
    await disk(options.store),
  ];
  if (options.json) console.log(JSON.stringify(findings, null, 2));
  else for (const finding of findings) print(finding);
  return findings.some(({ ok }) => ok === false) ? 1 : 0;
}

function print({ topic, ok, text, help }: Finding): void {
  const mark = ok === true ? paint.green("✓") : ok === "optional" ? paint.dim("-") : paint.red("✗");
  console.log(`${mark} ${topic.padEnd(9)} ${text}`);
  if (help) console.log(`            ${paint.cyan("help")}: ${help}`);
}

function versions(): Finding {
  const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
  const ok = major > 20 || (major === 20 && minor >= 19);
  return {
    topic: "versions",
    ok,
    text: `align ${typeof ALIGN_VERSION === "string" ? ALIGN_VERSION : "from source"}, Node ${process.versions.node}`,
    ...(ok ? {} : { help: "align needs Node 20.19 or newer" }),
  };
}

function machine(): Finding {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  return {
    topic: "machine",
    ok: true,
    text: `${availableParallelism()} cores (${model}, ${process.arch}), memory ${bytes(freemem())} free of ${bytes(totalmem())}`,
  };
}

function deviceFinding(report: BackendReport): Finding {
  const { device: topic } = report;
  if (!report.found) {
    const help = report.help ?? "see docs/backends.md";
    return { topic, ok: topic === "cpu" ? false : "optional", text: report.problem, help };
  }
  const { fingerprint, milliseconds, check } = report;
  const { lossError, weightError, tolerance, ok } = check;
  const errors = `loss ${lossError.toExponential(1)}, weights ${weightError.toExponential(1)}, allowed ${tolerance.toExponential(0)}`;
  const speed =
    milliseconds === undefined ? "; too slow to train on" : `; ${milliseconds.toFixed(0)} ms a step`;
  return {
    topic,
    ok,
    text: `${fingerprint}; self-check ${ok ? "passed" : "FAILED"} (${errors})${speed}`,
    ...(ok
      ? fingerprint.startsWith("tfjs-cpu/") && {
          help: "this is plain JavaScript; with an NVIDIA GPU: npm install @tensorflow/tfjs-node-gpu",
        }
      : {
          help: "it computes something else than the reference on this machine: align refuses to use it",
        }),
  };
}

/** What a run without --device computes on. */
async function automatic(): Promise<Finding> {
  const chosen = await chooseDevice("auto");
  const text = "message" in chosen ? chosen.message : `--device auto is ${chosen.device} here`;
  return { topic: "device", ok: true, text };
}

async function disk(store: string | undefined): Promise<Finding> {
  let dir = storePath("doctor.align", store);
  const root = dir;
  while (!existsSync(dir)) dir = dirname(dir);
  const { bavail, bsize } = await statfs(dir);
  const free = bavail * bsize;
  const ok = free > 1e9;
  return {
    topic: "store",
    ok,
    text: `${root}, ${bytes(free)} free`,
    ...(ok ? {} : { help: "models need room: free some space or use --store DIR" }),
  };
}
