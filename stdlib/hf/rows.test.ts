import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Operation, RowData } from "../../engine/index.ts";
import { columnsOf, readWith, temporaryFolder } from "../testing.ts";
import { cachedRows } from "./cached-rows.ts";
import { chooseFiles } from "./data-files.ts";
import { hfRows } from "./index.ts";
import { type FakeHub, fakeHub } from "./testing.ts";

const commit = "fedcba9876543210fedcba9876543210fedcba98";
const bytes = (text: string) => Buffer.from(text);
const parquetOf = (columns: Record<string, unknown[]>) =>
  new Uint8Array(
    parquetWriteBuffer({ columnData: Object.entries(columns).map(([name, data]) => ({ name, data })) }),
  );
const card = `---
configs:
- config_name: plain
  data_files:
  - {split: train, path: plain/train-*}
  - {split: test, path: [plain/t1.jsonl, plain/t2.jsonl]}
- config_name: packed
  data_dir: packed
  data_files: "*.jsonl.gz"
---
# A card
`;
const files = new Map<string, Uint8Array>([
  ["README.md", bytes(card)],
  ["plain/train-00000-of-00002.parquet", parquetOf({ text: ["a", "b"], label: [0, 1] })],
  ["plain/train-00001-of-00002.parquet", parquetOf({ text: ["c"], label: [1] })],
  ["plain/t1.jsonl", bytes('{"text":"x","label":0}\n')],
  ["plain/t2.jsonl", bytes('{"text":"y","label":1}\n{"text":\n')],
  ["packed/rows.jsonl.gz", gzipSync('{"text":"z","n":1}\n')],
]);

let hub: FakeHub;
const before = { ...process.env };
beforeEach(async () => {
  hub = await fakeHub(commit, files, "dataset");
  Object.assign(process.env, { HF_ENDPOINT: hub.url, HF_HUB_CACHE: await temporaryFolder(), HF_TOKEN: "" });
});
afterEach(async () => {
  await hub.close();
  process.env = { ...before };
});

const rows = (params: Record<string, unknown>): Promise<RowData[]> =>
  readWith(hfRows, [], { repo: "org/tiny", ...params });

test("shards of a split are read in order, and lie in the cache of datasets", async () => {
  expect(await rows({ config: "plain" })).toEqual([
    { text: "a", label: 0 },
    { text: "b", label: 1 },
    { text: "c", label: 1 },
  ]);
  const cache = process.env.HF_HUB_CACHE!;
  expect(await readdir(join(cache, "datasets--org--tiny/snapshots", commit, "plain"))).toEqual([
    "train-00000-of-00002.parquet",
    "train-00001-of-00002.parquet",
  ]);
});

test("columns that are not wanted are not read; one that is not there is named", async () => {
  expect(await rows({ config: "plain", columns: ["text"] })).toEqual([
    { text: "a" },
    { text: "b" },
    { text: "c" },
  ]);
  await expect(rows({ config: "plain", columns: ["texts"] })).rejects.toMatchObject({
    message: "there is no column texts",
    where: "org/tiny/plain/train-00000-of-00002.parquet",
    help: "columns are text, label",
  });
});

test("packed files are unpacked as they are read", async () => {
  expect(await rows({ config: "packed" })).toEqual([{ text: "z", n: 1 }]);
});

test("a malformed row is named by the repository's own file and line", async () => {
  await expect(rows({ config: "plain", split: "test" })).rejects.toMatchObject({
    code: "malformed-json",
    where: "org/tiny/plain/t2.jsonl:2",
  });
});

test.each([
  [{}, "org/tiny has several configurations", 'config: "plain", "packed"'],
  [{ config: "plane" }, "org/tiny has no configuration plane", 'config: "plain", "packed"'],
  [
    { config: "plain", split: "validation" },
    "org/tiny has no split validation in plain",
    "splits are train, test",
  ],
])("%j is refused and what there is is said", async (params, message, help) => {
  await expect(rows(params)).rejects.toMatchObject({ message, help: expect.stringContaining(help) });
});

test("without a connection what was read before is read again, and anything else says what to do", async () => {
  await rows({ config: "plain" });
  await hub.close();
  expect(await rows({ config: "plain" })).toHaveLength(3);
  await expect(rows({ config: "packed" })).rejects.toMatchObject({
    code: "hub-unreachable",
    help: expect.stringContaining('jsonl("…"), csv("…") or parquet("…")'),
  });
  hub = await fakeHub(commit, files, "dataset");
});

test("a broken connection is taken up where it broke", async () => {
  const size = files.get("plain/train-00000-of-00002.parquet")!.length;
  hub.breakAfter = size - 100;
  expect(await rows({ config: "plain", columns: ["label"] })).toHaveLength(3);
});

test("columns are known to `check` once they are in the cache, and any before", async () => {
  const peek = (path: string) => cachedRows.read(path, process.env)?.row;
  const facts = (params: Record<string, string | string[]>) => ({
    params: { repo: "org/tiny", revision: "main", split: "train", ...params },
    peek,
  });
  const columns = (params: Record<string, string | string[]>) =>
    columnsOf(hfRows as Operation, facts(params));
  expect(columns({ config: "plain" })).toBe("any");
  await rows({ config: "plain" });
  expect(columns({ config: "plain" })).toEqual({ text: "string", label: "number" });
  expect(columns({ config: "plain", columns: ["label"] })).toEqual({ label: "number" });
  expect(columns({ config: "plain", columns: ["lable"] })).toBe("there is no column `lable`");
});

describe("which files are a split, where the card does not say", () => {
  const choose = async (paths: string[], split: string, config?: string) =>
    (
      await chooseFiles(
        { repo: "o/n", split, ...(config === undefined ? {} : { config }) },
        paths.map((path) => ({ path, size: 1, digest: "" })),
        undefined,
      )
    ).map(({ path }) => path);

  test("shards name it", async () => {
    const paths = ["data/test_prefs-00000-of-00001.parquet", "data/train_sft-00000-of-00001.parquet"];
    expect(await choose(paths, "train_sft")).toEqual([paths[1]]);
    await expect(choose(paths, "train")).rejects.toMatchObject({
      help: "splits are test_prefs, train_sft",
    });
  });

  test("words in files and folders name it", async () => {
    expect(await choose(["dev.csv", "my-train.csv"], "train")).toEqual(["my-train.csv"]);
    expect(await choose(["dev.csv", "my-train.csv"], "validation")).toEqual(["dev.csv"]);
    const converted = ["a/test/0000.parquet", "a/train/0000.parquet", "b/train/0000.parquet"];
    expect(await choose(converted, "train", "b")).toEqual(["b/train/0000.parquet"]);
  });

  test("otherwise all of them are train, in one format", async () => {
    expect(await choose(["b.jsonl", "a.parquet", "LICENSE"], "train")).toEqual(["a.parquet"]);
  });

  test("a loading script is not run", async () => {
    await expect(choose(["x.py"], "train")).rejects.toMatchObject({
      message: "o/n has a loading script, which is not run here, and no files of rows",
      help: expect.stringContaining("refs/convert/parquet"),
    });
  });
});
