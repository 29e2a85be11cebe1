// Chooses the device of a run; remembers what was found out about this machine's devices in the user's cache folder.
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { BackendReport } from "../stdlib/index.ts";
import { numerics } from "../stdlib/training/numerics.ts";
import { type Device, isDevice, likelyDevices, machineStamp } from "../tensor/backends/devices.ts";

declare const ALIGN_VERSION: string;

export interface ChosenDevice {
  readonly device: Device;
  /** The fingerprint of what it computes, for keys. */
  readonly numerics: string;
}

interface NoDevice {
  readonly code: "no-device";
  readonly message: string;
  readonly help: string;
}

/** A device that needs less than this part of the CPU's time per step is worth a change of numerics. */
const WORTH = 0.67;

/** `auto` is the fastest that computes right; without a GPU in sight that is the CPU, and nothing is tried. */
export async function chooseDevice(wanted: string): Promise<ChosenDevice | NoDevice> {
  const cpu: ChosenDevice = { device: "cpu", numerics: numerics() };
  if (wanted === "cpu") return cpu;
  if (wanted !== "auto")
    return isDevice(wanted) ? required(wanted) : missing(`there is no device "${wanted}"`);

  const likely = likelyDevices();
  if (likely.length === 0) return cpu;
  const [own, ...others] = await verdicts(["cpu", ...likely]);
  return fastest(own!, others) ?? cpu;
}

/** The best of the others, if it is right and clearly faster than the CPU. */
export function fastest(cpu: BackendReport, others: readonly BackendReport[]): ChosenDevice | undefined {
  const limit = cpu.found && cpu.milliseconds !== undefined ? cpu.milliseconds * WORTH : 0;
  return others
    .flatMap((report) => {
      if (!report.found || !report.check.ok || report.milliseconds === undefined) return [];
      const { device, fingerprint, milliseconds } = report;
      return milliseconds < limit ? [{ device, numerics: fingerprint, milliseconds }] : [];
    })
    .sort((a, b) => a.milliseconds - b.milliseconds)[0];
}

async function required(device: Device): Promise<ChosenDevice | NoDevice> {
  const report = (await verdicts([device]))[0]!;
  if (!report.found) return missing(`${device} cannot be used: ${report.problem}`, report.help);
  const { ok, lossError, weightError } = report.check;
  if (ok) return { device, numerics: report.fingerprint };
  const errors = `losses differ by ${lossError.toExponential(1)}, weights by ${weightError.toExponential(1)}`;
  return missing(`${device} cannot be used: it computes something else than the reference (${errors})`);
}

const missing = (message: string, help = "align doctor says what this machine has"): NoDevice => ({
  code: "no-device",
  message,
  help,
});

/** What is known about the devices; what is not is found out. */
async function verdicts(wanted: readonly Device[]): Promise<BackendReport[]> {
  const known = await remembered();
  const reports: BackendReport[] = [];
  for (const device of wanted) reports.push(known[device] ?? (await examine(device)));
  if (reports.some((report) => known[report.device] === undefined)) await remember(known, reports);
  return reports;
}

/** Tries devices anew, each in a process of its own: a driver may take its process with it. */
export async function examineAll(wanted: readonly Device[]): Promise<BackendReport[]> {
  const reports: BackendReport[] = [];
  for (const device of wanted) reports.push(await examine(device));
  await remember(await remembered(), reports);
  return reports;
}

async function examine(device: Device): Promise<BackendReport> {
  // Loaded here: most runs try no device.
  const { execa } = await import("execa");
  const child = await execa(process.execPath, [...process.execArgv, process.argv[1]!, "try-device", device], {
    reject: false,
    stdin: "ignore",
    timeout: 180_000,
  });
  const line = child.stdout.split("\n").findLast((text) => text.startsWith("{"));
  if (line !== undefined && child.exitCode === 0) return JSON.parse(line) as BackendReport;
  const how = child.timedOut
    ? "took longer than three minutes"
    : `crashed (${child.signal ?? child.exitCode})`;
  const said = child.stderr.trim().split("\n").at(-1) ?? "";
  return { device, found: false, problem: `trying it ${how}${said && `: ${said}`}` };
}

type Known = Readonly<Partial<Record<Device, BackendReport>>>;

/** One file per state of the machine: nothing in it ever has to be thrown away. */
function place(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const root = XDG_CACHE_HOME || LOCALAPPDATA || join(homedir(), ".cache");
  const version = typeof ALIGN_VERSION === "string" ? ALIGN_VERSION : "source";
  const stamp = createHash("sha256").update(`align ${version}, ${machineStamp()}`).digest("hex").slice(0, 16);
  return join(root, "align", `devices-${stamp}.json`);
}

async function remembered(): Promise<Known> {
  try {
    return JSON.parse(await readFile(place(), "utf8")) as Known;
  } catch {
    return {};
  }
}

async function remember(known: Known, reports: readonly BackendReport[]): Promise<void> {
  const all = { ...known, ...Object.fromEntries(reports.map((report) => [report.device, report])) };
  const path = place();
  try {
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(`${path}.${process.pid}`, JSON.stringify(all, null, 2));
    await rename(`${path}.${process.pid}`, path);
  } catch {
    // A machine without a home is tried out every time.
  }
}
