// What `--device` and `align doctor` say about devices, on any machine: the CPU is always there, nonsense never.
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Workspace, workspace } from "../align.ts";

const file = "p.align";
let space: Workspace;
beforeAll(async () => {
  space = await workspace();
  process.env.XDG_CACHE_HOME = join(space.dir, "cache");
  await space.write("text.txt", "one two three\n");
  await space.write(
    file,
    'pipeline p\ndataset rows = text("text.txt")\nstage bpe = tokenizer(rows) { vocab_size: 300 }\n',
  );
});
afterAll(async () => {
  delete process.env.XDG_CACHE_HOME;
  await space.remove();
});

test("a device that nobody knows is wrong usage", async () => {
  const { status, stderr } = await space.align("plan", file, "--device", "abacus");
  expect([status, stderr]).toEqual([
    2,
    expect.stringContaining("Allowed choices are auto, cpu, webgpu, cuda, tfjs"),
  ]);
});

test("the doctor tries every device, and remembers what it found", async () => {
  const { status, stdout } = await space.align("doctor", "--json");
  const findings = JSON.parse(stdout) as {
    topic: string;
    ok: boolean | "optional";
    text: string;
    help?: string;
  }[];
  const of = (topic: string) => findings.find((finding) => finding.topic === topic)!;
  expect(status).toBe(findings.some(({ ok }) => ok === false) ? 1 : 0);
  expect(of("cpu")).toMatchObject({ ok: true, text: expect.stringContaining("self-check passed") });
  expect(of("tfjs").text).toContain("self-check passed");
  for (const topic of ["webgpu", "cuda"]) {
    // Either it is there and was checked, or it says how to get it.
    const { ok, text, help } = of(topic);
    expect(ok === "optional" ? help : text).toMatch(ok === "optional" ? /\S/ : /self-check/);
  }
  const cuda = of("cuda");
  const plan = await space.align("plan", file, "--device", "cuda");
  expect(plan.status).toBe(cuda.ok === true ? 0 : 2);
  if (cuda.ok !== true) expect(plan.stderr).toContain(`cuda cannot be used: ${cuda.text}`);
}, 240_000);
