// The memory that a command holds at its peak, with everything that it starts.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export interface Measured {
  readonly output: string;
  /** The most memory that all its processes held together, MB: pages of their own, not those of mapped files. */
  readonly peak: number;
}

export function measured(command: string, args: readonly string[], cwd?: string): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], cwd });
    let output = "";
    let peak = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    const timer = setInterval(() => {
      peak = Math.max(peak, memoryOf(child.pid!));
    }, 100);
    child.on("error", reject);
    child.on("close", (code) => {
      clearInterval(timer);
      if (code !== 0)
        reject(new Error(`${command} ${args.join(" ")} ended with ${code}\n${output.slice(-2000)}`));
      else resolve({ output, peak });
    });
  });
}

/** Of a process and everything that it started, as Linux counts it. */
function memoryOf(pid: number): number {
  const parents = new Map<number, { parent: number; megabytes: number }>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = readFileSync(`/proc/${name}/status`, "utf8");
      const field = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
      parents.set(Number(name), { parent: field("PPid"), megabytes: 1.024e-3 * field("RssAnon") });
    } catch {
      // It has just ended.
    }
  }
  const belongs = (id: number): boolean =>
    id === pid || (parents.has(id) && belongs(parents.get(id)!.parent));
  return [...parents].reduce((sum, [id, { megabytes }]) => (belongs(id) ? sum + megabytes : sum), 0);
}
