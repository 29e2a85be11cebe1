import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { systemClock } from "../ports.ts";
import { FakeProcesses } from "../testing.ts";
import { type StoreUnderTest, storeContract } from "./contract.ts";
import { DiskStore, openStore } from "./disk.ts";
import { DigestMemo } from "./memo.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "align-store-"));
  folders.push(folder);
  return folder;
}

function blobOf(root: string, sha256: string): string {
  return join(root, "objects", sha256.slice(0, 2), sha256);
}

function open(folder = newFolder(), processes?: FakeProcesses): StoreUnderTest {
  const root = join(folder, "store");
  return {
    store: new DiskStore(root, processes ? { processes } : {}),
    outside: folder,
    write(path, text) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    },
    read: (dir) =>
      Object.fromEntries(below(dir).map((path) => [relative(dir, path), readFileSync(path, "utf8")])),
    tamper(sha256, text) {
      const path = blobOf(root, sha256);
      const { atime, mtime } = statSync(path);
      chmodSync(path, 0o644);
      writeFileSync(path, text);
      // Also somebody who restores the time of the file must be noticed.
      utimesSync(path, atime, mtime);
    },
    remove: (sha256) => rmSync(blobOf(root, sha256), { force: true }),
  };
}

function below(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    return entry.isDirectory() ? below(path) : [path];
  });
}

storeContract(open);

describe("a store on disk", () => {
  const record = (key: string) => ({ key, ops: [], keyTree: [], metrics: {}, seconds: 0 });
  const key = "c".repeat(64);
  async function commit({ store, write }: StoreUnderTest, text: string, of = key) {
    const attempt = await store.begin({ key: of, node: "n", run: "r" });
    write(join(attempt.out, "a.txt"), text);
    return attempt.commit(record(of));
  }

  test("is found again by the next process", async () => {
    const folder = newFolder();
    const committed = await commit(open(folder), "one");
    expect((await open(folder).store.lookup(key)).record).toEqual(committed);
  });

  test("keeps contents read-only, and lays them out as links to the same inode", async () => {
    const on = open();
    const { tree } = await commit(on, "one");
    const [entry] = (await on.store.manifest(tree))!;
    const laid = (await on.store.materialise(tree)) as { dir: string };
    const blob = statSync(blobOf(on.store.root, entry!.sha256));
    expect(blob.mode & 0o777).toBe(0o444);
    expect(statSync(join(laid.dir, "a.txt")).ino).toBe(blob.ino);
  });

  test("leaves no attempt behind after commit and discard", async () => {
    const on = open();
    await commit(on, "one");
    await (await on.store.begin({ key, node: "n", run: "r" })).discard();
    on.store.flush();
    expect(readdirSync(join(on.store.root, "attempts"))).toEqual([]);
  });

  test("sweeps attempts of processes that are gone, and only those", async () => {
    const folder = newFolder();
    const [dead, alive, me] = [new FakeProcesses(7), new FakeProcesses(8), new FakeProcesses(1)];
    for (const process of [dead, alive])
      await open(folder, process).store.begin({ key, node: "n", run: "r" });
    me.alivePids.add(8);
    expect(await open(folder, me).store.sweep()).toBe(1);
    expect(readdirSync(join(folder, "store", "attempts"))).toEqual([expect.stringContaining("+8+")]);
  });

  test("takes over the lease of a process that is gone at once", async () => {
    const folder = newFolder();
    expect((await open(folder, new FakeProcesses(7)).store.claim(key)).mine).toBe(true);
    const alive = new FakeProcesses(8);
    alive.alivePids.add(7);
    expect(await open(folder, alive).store.claim(key)).toEqual({ mine: false, holder: "process 7 on here" });
    expect((await open(folder, new FakeProcesses(9)).store.claim(key)).mine).toBe(true);
  });

  test("is not cleaned up while a run is on", async () => {
    const on = open();
    const attempt = await on.store.begin({ key, node: "n", run: "r" });
    const keep = { keys: new Set<string>(), runs: new Set<string>() };
    await expect(on.store.collect(keep)).rejects.toMatchObject({ code: "store-busy" });
    await attempt.discard();
    expect(await on.store.collect(keep)).toMatchObject({ artifacts: 0 });
  });

  test("sets a damaged blob aside for people to look at", async () => {
    const on = open();
    const { tree } = await commit(on, "one");
    const [entry] = (await on.store.manifest(tree))!;
    on.tamper(entry!.sha256, "on");
    await on.store.lookup(key);
    expect(readFileSync(join(on.store.root, "quarantine", entry!.sha256), "utf8")).toBe("on");
  });

  test("does not trust a record that lost or changed a byte", async () => {
    for (const damage of [
      (text: string) => text.slice(0, -20),
      (t: string) => t.replace('"seconds":0', '"seconds":9'),
    ]) {
      const on = open();
      await commit(on, "one");
      const path = join(on.store.root, "actions", "cc", `${key}.json`);
      chmodSync(path, 0o644);
      writeFileSync(path, damage(readFileSync(path, "utf8")));
      expect(await on.store.lookup(key)).toEqual({ damage: "its record cannot be read" });
      expect(await on.store.lookup(key)).toEqual({});
    }
  });

  test("takes no half-written record of a writer that was killed for an artifact", async () => {
    const on = open();
    await commit(on, "one");
    writeFileSync(join(on.store.root, "actions", "cc", `${key}.json.4711.0.tmp`), "{");
    expect(await on.store.keys()).toEqual([key]);
    expect(await on.store.verify()).toEqual([]);
  });

  test("does not trust a list of files that changed", async () => {
    const on = open();
    const { tree } = await commit(on, "one");
    const path = join(on.store.root, "trees", tree.slice(0, 2), `${tree}.json`);
    chmodSync(path, 0o644);
    writeFileSync(path, "[]");
    expect(await on.store.lookup(key)).toEqual({ damage: "its list of files is missing or damaged" });
    expect((await commit(on, "one")).tree).toBe(tree);
    expect((await on.store.lookup(key)).record?.tree).toBe(tree);
  });

  test("lays an artifact out again when a file of its folder was removed or added", async () => {
    const on = open();
    const { tree } = await commit(on, "one");
    const { dir } = (await on.store.materialise(tree)) as { dir: string };
    rmSync(join(dir, "a.txt"));
    writeFileSync(join(dir, "b.txt"), "stray");
    await on.store.materialise(tree);
    expect(on.read(dir)).toEqual({ "a.txt": "one" });
  });

  test("skips the line that a crash tore, and goes on behind it", () => {
    const on = open();
    on.store.log("x.jsonl").append([1]);
    writeFileSync(join(on.store.root, "x.jsonl"), '1\n{"half', { flag: "w" });
    const log = on.store.log("x.jsonl");
    log.append([2]);
    expect(log.read()).toEqual([1, 2]);
  });

  test("notices an edit of a data file that keeps size and time", async () => {
    const on = open();
    const path = join(on.outside, "data.txt");
    writeFileSync(path, "one");
    const { atime, mtime } = statSync(path);
    const before = await on.store.digestFile(path);
    writeFileSync(path, "two");
    utimesSync(path, atime, mtime);
    expect((await on.store.digestFile(path))!.sha256).not.toBe(before!.sha256);
  });

  test("reads a data file anew when it is asked to, whatever it remembers", async () => {
    const folder = newFolder();
    const path = join(folder, "data.txt");
    writeFileSync(path, "one");
    const { sha256, stamp } = (await open(folder).store.digestFile(path))!;
    const wrong = "f".repeat(64);
    writeFileSync(join(folder, "store", "memo.json"), JSON.stringify([[path, [stamp, wrong]]]));
    const { store } = open(folder);
    expect((await store.digestFile(path))!.sha256).toBe(wrong);
    expect((await store.digestFile(path, true))!.sha256).toBe(sha256);
  });

  test("reads cheap artifacts again after a reboot: they may not have reached the disk", async () => {
    const folder = newFolder();
    const path = join(folder, "memo.json");
    writeFileSync(join(folder, "cheap"), "one");
    writeFileSync(join(folder, "dear"), "one");
    const before = new DigestMemo(path, systemClock, "boot 1");
    before.trust(join(folder, "cheap"), "f".repeat(64), false);
    before.trust(join(folder, "dear"), "e".repeat(64), true);
    before.flush();
    const digests = async (boot: string) => {
      const memo = new DigestMemo(path, systemClock, boot);
      return [
        (await memo.digest(join(folder, "cheap")))!.sha256[0],
        (await memo.digest(join(folder, "dear")))!.sha256[0],
      ];
    };
    expect(await digests("boot 1")).toEqual(["f", "e"]);
    // sha256("one") begins with 7.
    expect(await digests("boot 2")).toEqual(["7", "e"]);
  });

  test("refuses an artifact with a link in it", async () => {
    const on = open();
    const attempt = await on.store.begin({ key, node: "n", run: "r" });
    const { symlinkSync } = await import("node:fs");
    symlinkSync("/etc/hostname", join(attempt.out, "a.txt"));
    await expect(attempt.commit(record(key))).rejects.toMatchObject({ code: "artifact-link" });
  });

  test("says what to do when the folder is of another layout, or cannot be made", () => {
    const folder = newFolder();
    mkdirSync(join(folder, "store"));
    writeFileSync(join(folder, "store", "layout"), "99");
    expect(() => openStore(join(folder, "store"))).toThrow("layout 99");
    writeFileSync(join(folder, "file"), "");
    expect(() => openStore(join(folder, "file", "store"))).toThrow(
      expect.objectContaining({ code: "no-store" }),
    );
  });
});
