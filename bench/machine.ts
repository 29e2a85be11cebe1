// Says what a measurement was made on.
import { readFileSync } from "node:fs";
import os from "node:os";

export function machine(): string {
  const [cpu] = os.cpus();
  const gib = Math.round(os.totalmem() / 2 ** 30);
  const vectors = /avx512f/.test(flags()) ? ", AVX-512" : /avx2/.test(flags()) ? ", AVX2" : "";
  const tiles = /amx_tile/.test(flags()) ? ", AMX" : "";
  const model = cpu?.model.replace(/\((R|TM)\)/g, "").trim() ?? "an unknown processor";
  return (
    `${os.cpus().length} cores of ${model}${vectors}${tiles}, ${gib} GiB, ` +
    `${os.type()} ${process.arch}, Node ${process.versions.node}`
  );
}

function flags(): string {
  try {
    return readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return "";
  }
}
