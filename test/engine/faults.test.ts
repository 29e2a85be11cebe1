// The world around goes wrong: each ends in a clear message or a completed run, never in a wrong artifact.
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { openStore } from "../../engine/index.ts";
import { bin } from "../align.ts";

const folders: string[] = [];
const mounts: string[] = [];
afterEach(() => {
  for (const mount of mounts.splice(0)) execFileSync("umount", ["-l", mount]);
  for (const folder of folders.splice(0)) {
    execFileSync("chmod", ["-R", "u+w", folder]);
    rmSync(folder, { recursive: true, force: true });
  }
});

/** A project whose stage writes as many bytes as `size` says, then publishes them. */
function project(name = "project", command = 'head -c "$(cat size)" /dev/zero > {out}/zeros'): string {
  const folder = mkdtempSync(join(tmpdir(), "align-fault-"));
  folders.push(folder);
  const dir = join(folder, name);
  mkdirSync(dir);
  writeFileSync(join(dir, "size"), "100");
  writeFileSync(
    join(dir, "p.align"),
    `pipeline p

stage zeros = exec() { run: ${JSON.stringify(command)}, output: Files, files: ["size"] }

publish zeros to "out"
`,
  );
  return dir;
}

interface Ended {
  readonly status: number;
  readonly stderr: string;
}

function align(dir: string, args: readonly string[], prefix: readonly string[] = []): Promise<Ended> {
  const [command = "", ...rest] = [...prefix, process.execPath, bin, ...args];
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: "1", ALIGN_DEVICE: "cpu" };
    const child = spawn(command, rest, { cwd: dir, env, stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (data) => {
      stderr += data;
    });
    child.on("close", (code) => resolve({ status: code ?? -1, stderr }));
  });
}

const isRoot = process.getuid?.() === 0;
/** Only where this machine lets us. */
function tmpfs(at: string, size: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "none", at], { stdio: "ignore" });
    mounts.push(at);
    return true;
  } catch {
    return false;
  }
}

describe("a full disk", () => {
  test.runIf(isRoot)(
    "fails the stage in words, keeps nothing half, and with room again the run goes on",
    async () => {
      const dir = project();
      const store = join(dir, "small");
      mkdirSync(store);
      if (!tmpfs(store, "2m")) return;
      writeFileSync(join(dir, "size"), "4000000");
      const full = await align(dir, ["run", "p.align", "--store", join(store, "s")]);
      expect(full.status).toBe(1);
      expect(full.stderr).toMatch(/error\[disk-full\]: zeros: the disk is full/);
      expect(await openStore(join(store, "s")).keys()).toEqual([]);
      expect(existsSync(join(dir, "out"))).toBe(false);
      execFileSync("mount", ["-o", "remount,size=32m", store]);
      expect(await align(dir, ["run", "p.align", "--store", join(store, "s")])).toMatchObject({ status: 0 });
      expect(readFileSync(join(dir, "out/zeros")).length).toBe(4_000_000);
    },
  );

  test.runIf(isRoot)("is told before the run when there is no room even for its journal", async () => {
    const dir = project();
    const store = join(dir, "small");
    mkdirSync(store);
    if (!tmpfs(store, "64k")) return;
    try {
      writeFileSync(join(store, "ballast"), Buffer.alloc(1 << 20));
    } catch {
      // As much as went in.
    }
    const { status, stderr } = await align(dir, ["run", "p.align", "--store", join(store, "s")]);
    expect(status).toBe(1);
    expect(stderr).toContain("error[disk-full]: the disk is full");
    expect(stderr).toContain("--store DIR");
  });

  test.runIf(isRoot)("where results are published says so, and the result is kept", async () => {
    const dir = project();
    mkdirSync(join(dir, "mnt"));
    if (!tmpfs(join(dir, "mnt"), "1m")) return;
    writeFileSync(join(dir, "size"), "3000000");
    writeFileSync(
      join(dir, "p.align"),
      readFileSync(join(dir, "p.align"), "utf8").replace('"out"', '"mnt/out"'),
    );
    const { status, stderr } = await align(dir, ["run", "p.align", "--store", join(dir, "s")]);
    expect(status).toBe(1);
    expect(stderr).toContain("error[disk-full]");
    expect(existsSync(join(dir, "mnt/out"))).toBe(false);
    expect(await openStore(join(dir, "s")).keys()).toHaveLength(1);
  });
});

describe("a folder that cannot be written", () => {
  test.runIf(isRoot)("as a store is named before anything runs", async () => {
    const dir = project();
    const store = join(dir, "ro");
    mkdirSync(store);
    if (!tmpfs(store, "1m")) return;
    execFileSync("mount", ["-o", "remount,ro", store]);
    const { status, stderr } = await align(dir, ["run", "p.align", "--store", join(store, "s")]);
    expect(status).toBe(1);
    expect(stderr).toContain("error[no-permission]: no permission to open the store in");
  });

  test.runIf(isRoot)(
    "after it has been filled still says what is in it, and what cannot be done",
    async () => {
      const dir = project();
      const store = join(dir, "ro");
      mkdirSync(store);
      if (!tmpfs(store, "8m")) return;
      expect(await align(dir, ["run", "p.align", "--store", join(store, "s")])).toMatchObject({ status: 0 });
      execFileSync("mount", ["-o", "remount,ro", store]);
      const { status, stderr } = await align(dir, ["run", "p.align", "--store", join(store, "s")]);
      expect(status).toBe(1);
      expect(stderr).toMatch(/error\[no-permission\]: no permission to/);
      expect(stderr).not.toContain("bug");
    },
  );
});

test("a path with spaces, quotes and unicode is a path like any other", async () => {
  const dir = project('it\'s a "projéct" 模型 $HOME');
  expect(await align(dir, ["run", "p.align", "--store", join(dir, "the störe")])).toMatchObject({
    status: 0,
  });
  expect(readdirSync(join(dir, "out"))).toContain("zeros");
});

test("a reader of stdout that goes away does not take the run with it", async () => {
  const dir = project();
  const store = join(dir, "s");
  const command = `"$0" "$1" run p.align --json --store "$2" | head -n 1 > first; true`;
  execFileSync("sh", ["-c", command, process.execPath, bin, store], { cwd: dir, stdio: "ignore" });
  const [first = ""] = readFileSync(join(dir, "first"), "utf8").split("\n");
  expect(JSON.parse(first)).toMatchObject({ type: "run-started" });
  const { status, stderr } = await align(dir, ["run", "p.align", "--store", store]);
  expect(status).toBe(0);
  expect(stderr).not.toContain("bug");
  expect(readFileSync(join(dir, "out/zeros")).length).toBe(100);
  expect(await openStore(store).verify()).toEqual([]);
  expect(readdirSync(join(store, "attempts"))).toEqual([]);
});

test("an input that is edited while the stage runs fails it, and the next run reads the new one", async () => {
  const dir = project("project", "cat size > {out}/zeros; echo 200 > size");
  const store = join(dir, "s");
  const first = await align(dir, ["run", "p.align", "--store", store]);
  expect(first.status).toBe(1);
  expect(first.stderr).toContain("size changed while it was read");
  expect(await openStore(store).keys()).toEqual([]);
  // Now it writes what is there already.
  expect(await align(dir, ["run", "p.align", "--store", store])).toMatchObject({ status: 0 });
  expect(readFileSync(join(dir, "out/zeros"), "utf8")).toBe("200\n");
});

test("a store whose folders lost their rights is named", async () => {
  if (isRoot) return; // rights mean nothing to root
  const dir = project();
  const store = join(dir, "s");
  mkdirSync(store);
  chmodSync(store, 0o555);
  const { status, stderr } = await align(dir, ["run", "p.align", "--store", store]);
  expect(status).toBe(1);
  expect(stderr).toContain("error[no-permission]");
});
