// What every store promises, as tests that run against each of them.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { ActionRecord, Store } from "./store.ts";

export interface StoreUnderTest {
  readonly store: Store;
  /** The files below a folder that the store handed out, by relative path. */
  read(dir: string): Record<string, string>;
  write(path: string, text: string): void;
  /** Somebody else's hands on the content with this digest. */
  tamper(sha256: string, text: string): void;
  remove(sha256: string): void;
  /** A folder outside the store. */
  readonly outside: string;
}

const KEY = "a".repeat(64);

export function storeContract(open: () => StoreUnderTest): void {
  const begin = (store: Store, key = KEY) => store.begin({ key, node: "stage", run: "run" });
  const record = (key = KEY): Omit<ActionRecord, "tree"> => ({
    key,
    ops: ["train"],
    keyTree: [{ label: "op", value: "train" }],
    metrics: { loss: 1.5 },
    seconds: 2,
  });
  async function commit(on: StoreUnderTest, files: Record<string, string>, key = KEY): Promise<ActionRecord> {
    const attempt = await begin(on.store, key);
    for (const [path, text] of Object.entries(files)) on.write(`${attempt.out}/${path}`, text);
    return attempt.commit(record(key));
  }
  async function contents(on: StoreUnderTest, tree: string): Promise<Record<string, string>> {
    const laid = await on.store.materialise(tree);
    if ("damage" in laid) throw new Error(laid.damage);
    return on.read(laid.dir);
  }

  describe("a store", () => {
    test("has nothing under a key that nobody committed", async () => {
      expect(await open().store.lookup(KEY)).toEqual({});
    });

    test("gives back the record and the files of a committed attempt", async () => {
      const on = open();
      const committed = await commit(on, { "a.txt": "one", "sub/b.txt": "two" });
      expect((await on.store.lookup(KEY)).record).toEqual(committed);
      expect(committed).toMatchObject({ ...record(), tree: expect.stringMatching(/^[0-9a-f]{64}$/) });
      expect(await contents(on, committed.tree)).toEqual({ "a.txt": "one", "sub/b.txt": "two" });
      expect(await on.store.manifest(committed.tree)).toEqual([
        { path: "a.txt", size: 3, sha256: sha256("one") },
        { path: "sub/b.txt", size: 3, sha256: sha256("two") },
      ]);
    });

    test("names equal files with equal digests, whichever key made them", async () => {
      const on = open();
      const a = await commit(on, { "a.txt": "one" }, "a".repeat(64));
      const b = await commit(on, { "a.txt": "one" }, "b".repeat(64));
      const c = await commit(on, { "b.txt": "one" }, "c".repeat(64));
      expect(b.tree).toBe(a.tree);
      expect(c.tree).not.toBe(a.tree);
    });

    test("keeps what was committed first", async () => {
      const on = open();
      const [early, late] = [await begin(on.store), await begin(on.store)];
      expect(early.out).not.toBe(late.out);
      on.write(`${early.out}/a.txt`, "early");
      on.write(`${late.out}/a.txt`, "late");
      const first = await early.commit(record());
      expect(await late.commit(record())).toEqual(first);
      expect(await contents(on, first.tree)).toEqual({ "a.txt": "early" });
    });

    test("knows nothing of a discarded attempt", async () => {
      const on = open();
      const attempt = await begin(on.store);
      on.write(`${attempt.out}/a.txt`, "half");
      await attempt.discard();
      expect(await on.store.lookup(KEY)).toEqual({});
      expect(on.read(attempt.out)).toEqual({});
    });

    test("has artifacts without files", async () => {
      const on = open();
      const { tree } = await commit(on, {});
      expect(await contents(on, tree)).toEqual({});
    });

    test("notices content that was cut short, once, and takes it anew", async () => {
      const on = open();
      await commit(on, { "a.txt": "one" });
      on.tamper(sha256("one"), "on");
      expect(await on.store.lookup(KEY)).toEqual({ damage: "a.txt has 2 bytes instead of 3" });
      expect(await on.store.lookup(KEY)).toEqual({});
      const { tree } = await commit(on, { "a.txt": "one" });
      expect(await contents(on, tree)).toEqual({ "a.txt": "one" });
    });

    test("notices content that was changed in place", async () => {
      const on = open();
      const { tree } = await commit(on, { "a.txt": "one" });
      on.tamper(sha256("one"), "eno");
      expect(await on.store.materialise(tree)).toEqual({
        damage: "a.txt has other content than was written",
      });
    });

    test("notices content that is gone", async () => {
      const on = open();
      const { tree } = await commit(on, { "a.txt": "one" });
      on.remove(sha256("one"));
      expect(await on.store.materialise(tree)).toEqual({ damage: "a.txt is missing" });
    });

    test("verifies everything and tells what is damaged", async () => {
      const on = open();
      await commit(on, { "a.txt": "one" }, "a".repeat(64));
      await commit(on, { "b.txt": "two" }, "b".repeat(64));
      expect(await on.store.verify()).toEqual([]);
      on.tamper(sha256("two"), "owt");
      expect(await on.store.verify()).toEqual([expect.stringContaining("b.txt has other content")]);
      expect(await on.store.keys()).toEqual(["a".repeat(64)]);
    });

    test("lets one run at a time claim a key", async () => {
      const { store } = open();
      const first = await store.claim(KEY);
      expect(first.mine).toBe(true);
      expect(await store.claim(KEY)).toMatchObject({ mine: false });
      expect((await store.claim("b".repeat(64))).mine).toBe(true);
      if (first.mine) first.release();
      expect((await store.claim(KEY)).mine).toBe(true);
    });

    test("publishes an artifact, and again only what changed", async () => {
      const on = open();
      const to = `${on.outside}/model`;
      const one = await commit(on, { "a.txt": "one", "old.txt": "old" }, "a".repeat(64));
      const two = await commit(on, { "a.txt": "two", "new.txt": "new" }, "b".repeat(64));
      expect(await on.store.publish(one.tree, to)).toBe(true);
      expect(await on.store.publish(one.tree, to)).toBe(false);
      on.write(`${to}/mine.txt`, "not yours");
      expect(await on.store.publish(two.tree, to)).toBe(true);
      expect(on.read(to)).toEqual({ "a.txt": "two", "new.txt": "new", "mine.txt": "not yours" });
    });

    test("keeps its own copy when a published file is edited", async () => {
      const on = open();
      const { tree } = await commit(on, { "a.txt": "one" });
      await on.store.publish(tree, `${on.outside}/model`);
      on.write(`${on.outside}/model/a.txt`, "edited");
      expect(await contents(on, tree)).toEqual({ "a.txt": "one" });
    });

    test("digests files outside, and again when they changed", async () => {
      const on = open();
      const path = `${on.outside}/data.txt`;
      expect(await on.store.digestFile(path)).toBeUndefined();
      on.write(path, "one");
      const before = await on.store.digestFile(path);
      expect(before).toMatchObject({ sha256: sha256("one"), size: 3, stamp: on.store.stampOf(path) });
      on.write(path, "two");
      expect(await on.store.digestFile(path)).toMatchObject({ sha256: sha256("two") });
    });

    test("keeps the scratch folder of a key until the key is committed", async () => {
      const on = open();
      const first = await begin(on.store);
      on.write(`${first.scratch}/checkpoint`, "step 100");
      await first.discard();
      const second = await begin(on.store);
      expect(on.read(second.scratch)).toEqual({ checkpoint: "step 100" });
      await second.commit(record());
      expect(on.read((await begin(on.store)).scratch)).toEqual({});
    });

    test("removes what is not to be kept, and nothing that shares its content with what is", async () => {
      const on = open();
      const keep = { keys: new Set(["a".repeat(64)]), runs: new Set<string>() };
      const a = await commit(on, { "a.txt": "shared", "b.txt": "mine" }, "a".repeat(64));
      await commit(on, { "a.txt": "shared", "c.txt": "gone" }, "b".repeat(64));
      const counted = await on.store.collect({ ...keep, dryRun: true });
      expect(counted.artifacts).toBe(1);
      expect(await on.store.keys()).toHaveLength(2);
      expect(await on.store.collect(keep)).toEqual(counted);
      expect(await on.store.keys()).toEqual(["a".repeat(64)]);
      expect(await contents(on, a.tree)).toEqual({ "a.txt": "shared", "b.txt": "mine" });
      expect(await on.store.collect(keep)).toEqual({ artifacts: 0, bytes: 0 });
    });

    test("keeps what was published, and the checkpoints of unfinished tasks that are to be kept", async () => {
      const on = open();
      const published = await commit(on, { "a.txt": "one" }, "a".repeat(64));
      await commit(on, { "b.txt": "gone" }, "b".repeat(64));
      for (const key of ["c".repeat(64), "d".repeat(64)]) {
        const attempt = await begin(on.store, key);
        on.write(`${attempt.scratch}/checkpoint`, "step 100");
        await attempt.discard();
      }
      const before = await on.store.usage();
      // "one" and "gone"; two checkpoints.
      expect(before).toMatchObject({ artifacts: 7, checkpoints: 16 });
      const keep = {
        keys: new Set<string>(),
        runs: new Set<string>(),
        trees: new Set([published.tree]),
        unfinished: new Set(["c".repeat(64)]),
      };
      await on.store.collect(keep);
      expect(await contents(on, published.tree)).toEqual({ "a.txt": "one" });
      expect((await on.store.records()).map(({ key }) => key)).toEqual(["a".repeat(64)]);
      expect(await on.store.usage()).toMatchObject({ artifacts: 3, checkpoints: 8 });
      expect(on.read((await begin(on.store, "c".repeat(64))).scratch)).toEqual({ checkpoint: "step 100" });
      expect(on.read((await begin(on.store, "d".repeat(64))).scratch)).toEqual({});
    });

    test("keeps logs, line by line", () => {
      const { store } = open();
      expect(store.log("runs/1/events.jsonl").read()).toEqual([]);
      store.log("runs/1/events.jsonl").append([{ n: 1 }]);
      store.log("runs/1/events.jsonl").append([{ n: 2 }, { n: 3 }]);
      expect(store.log("runs/1/events.jsonl").read()).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    });
  });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
