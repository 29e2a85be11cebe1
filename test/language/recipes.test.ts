// The published recipes: each checks and plans as it is and with its laptop profile where it has one, without asking the network.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bin, type Workspace, workspace } from "../align.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (name: string) => readFileSync(`${root}pipelines/${name}`, "utf8");
const files = readdirSync(`${root}pipelines`).filter((name) => name.endsWith(".align"));
// The others are what recipes share.
const recipes = files.filter((name) => /^pipeline /m.test(read(name)));
const cases = recipes.flatMap((name) => [
  [name, "as published", []],
  ...(read(name).includes("\nprofile laptop {") ? [[name, "on a laptop", ["--profile", "laptop"]]] : []),
]) as [string, string, string[]][];

let space: Workspace;
beforeAll(async () => {
  space = await workspace();
});
afterAll(() => space.remove());

const align = (...args: string[]) =>
  execa(process.execPath, [bin, ...args], {
    cwd: root,
    reject: false,
    stdin: "ignore",
    // Nothing of the hub is here, and nobody is asked for it.
    env: {
      NO_COLOR: "1",
      ALIGN_STORE: `${space.dir}/store`,
      ALIGN_DEVICE: "cpu",
      HF_HUB_CACHE: space.dir,
      HF_ENDPOINT: "http://127.0.0.1:9",
    },
  });

test.each(cases)("%s %s has nothing to complain about", async (name, _, profile) => {
  const { exitCode, stdout, stderr } = await align("check", `pipelines/${name}`, ...profile);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/: ok, (?!.*warning)/);
  expect(exitCode).toBe(0);
});

test.each(cases)("%s %s has a plan", async (name, _, profile) => {
  const { exitCode, stdout, stderr } = await align("plan", `pipelines/${name}`, ...profile);
  expect(stderr).toBe("");
  expect(stdout).toMatch(/\d+ stages: 0 cached/);
  expect(exitCode).toBe(0);
});

test("each is formatted", async () => {
  const { exitCode, stdout } = await align("fmt", "--check", ...files.map((name) => `pipelines/${name}`));
  expect(stdout).toBe("");
  expect(exitCode).toBe(0);
});
