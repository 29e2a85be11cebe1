// The contract on the WebGPU provider, in a process of its own: on the machine's adapter, else on Debian's software driver, else skipped in
// the provider's words.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { beforeAll, expect, type TestContext, test } from "vitest";
import { contract } from "../contract.ts";
import type { Line } from "../contract-child.ts";

type Checked = Extract<Line, { title: string }>;

let lines: readonly Line[] = [];
let ending = "";

const debian = "/usr/lib/chromium";
const swiftShader = {
  VK_ICD_FILENAMES: `${debian}/vk_swiftshader_icd.json`,
  LD_LIBRARY_PATH: debian, // the Vulkan loader
};

beforeAll(async () => {
  await runContract({});
  if (absent() && existsSync(swiftShader.VK_ICD_FILENAMES)) await runContract(swiftShader);
}, 600_000);

async function runContract(env: Readonly<Record<string, string>>): Promise<void> {
  const script = fileURLToPath(new URL("../contract-child.ts", import.meta.url));
  const child = await execa(process.execPath, ["--import", "tsx", script], { reject: false, env });
  lines = child.stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Line);
  ending = `the process ended with ${child.signal ?? child.exitCode}\n${child.stderr.slice(-2000)}`;
}

const absent = () => lines.find((line) => "absent" in line);

/** The line that fits; without any the process died before it. */
function find<L extends Line>({ skip }: TestContext, fits: (line: Line) => line is L): L {
  const why = absent()?.absent;
  if (why !== undefined) skip(why);
  const found = lines.find(fits);
  if (!found) throw new Error(ending);
  return found;
}

for (const { title } of contract) {
  test(title, (context) => {
    const { problem } = find(context, (l): l is Checked => "title" in l && l.title === title);
    expect(problem).toBeUndefined();
  });
}

test("twenty training steps lose the same as on the CPU, to 1e-5", (context) => {
  const drift = find(context, (l) => "losses" in l);
  console.log(
    `webgpu against cpu after 20 steps: losses ${drift.losses.toExponential(1)}, weights ${drift.weights.toExponential(1)}`,
  );
  expect(drift.losses).toBeLessThan(1e-5);
  expect(drift.weights).toBeLessThan(1e-3);
});
