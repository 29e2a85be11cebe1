// `align doctor`: what this machine has, whether it computes right, and how to get what is missing.

import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { dirname } from "node:path";
import { type BackendReport, backends } from "../../stdlib/index.ts";
import { storePath } from "../pipeline.ts";
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
    ...(await backends()).map(backendFinding),
    cuda(),
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

function backendFinding(report: BackendReport): Finding {
  if (!report.found) {
    return {
      topic: report.name,
      ok: false,
      text: `does not load: ${report.problem}`,
      help: "run npm ci in the project again; onnxruntime-node must be there",
    };
  }
  const { lossError, weightError, tolerance, ok } = report.check;
  const errors = `loss ${lossError.toExponential(1)}, weights ${weightError.toExponential(1)}, allowed ${tolerance.toExponential(0)}`;
  return {
    topic: report.name,
    ok,
    text: `${report.fingerprint}; self-check ${ok ? "passed" : "FAILED"} (${errors})`,
    ...(ok
      ? {}
      : {
          help: "this backend computes something else than the reference on this machine: do not use its results",
        }),
  };
}

/** Whether the CUDA libraries of onnxruntime lie beside it; this version computes on the CPU either way. */
function cuda(): Finding {
  const require = createRequire(import.meta.url);
  let present = false;
  try {
    const home = dirname(require.resolve("onnxruntime-node/package.json"));
    present = existsSync(`${home}/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so`);
  } catch {}
  return {
    topic: "gpu",
    ok: "optional",
    text: present
      ? "CUDA libraries found; this version runs on the CPU"
      : "none used; this version runs on the CPU",
  };
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
