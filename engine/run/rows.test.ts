import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RowData } from "../task.ts";
import { readColumns, readJsonl, readRows, writeRows } from "./rows.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "align-rows-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

describe("rows on disk", () => {
  test("are one canonical object per line", async () => {
    await writeRows(dir, [
      { b: 1, a: "x\ny" },
      { a: "ü\u2028", b: -0 },
    ]);
    expect(readFileSync(join(dir, "rows.jsonl"), "utf8")).toBe(
      '{"a":"x\\ny","b":1}\n{"a":"ü\u2028","b":0}\n',
    );
  });

  test("come back as they were", async () => {
    const rows = [
      { text: "one", list: [1, { deep: null }] },
      { text: "a\r\nb", list: [] },
    ];
    await writeRows(dir, rows);
    expect(await all(readRows(dir))).toEqual(rows);
  });

  test("come with the number of rows and the types of the columns", async () => {
    const message = [{ role: "user", content: "hi" }];
    await writeRows(dir, [
      { text: "a", n: 1, ok: true, chat: message, list: ["x"], mixed: 1 },
      { text: "b", n: 2, ok: false, chat: [], list: [], mixed: "x" },
    ]);
    expect(await readColumns(dir)).toEqual({
      rows: 2,
      columns: { chat: "messages", list: "list", mixed: "any", n: "number", ok: "boolean", text: "string" },
    });
  });

  test("may be none", async () => {
    expect(await writeRows(dir, [])).toEqual({ rows: 0, columns: {} });
    expect(await all(readRows(dir))).toEqual([]);
  });

  test("are not made faster than they are written", async () => {
    // 4 MB in rows of 1 KB: whoever writes has to take a breath every 256 KB.
    let made = 0;
    let ahead = 0;
    async function* source(): AsyncIterable<RowData> {
      for (; made < 4096; made++) yield { text: "x".repeat(1024) };
    }
    await writeRows(dir, source(), (count) => {
      ahead = Math.max(ahead, made - count);
    });
    expect(made).toBe(4096);
    expect(ahead).toBeLessThanOrEqual(1);
  });

  test("cannot hold what JSON cannot hold, and the row is named", async () => {
    await expect(writeRows(dir, [{ a: 1 }, { a: [Number.NaN] }])).rejects.toThrow("row 2 has NaN in a.0");
  });

  test("survive characters that fall on the border of a block", async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => ({ text: "ä€😀".repeat(40), i }));
    await writeRows(dir, rows);
    expect(await all(readRows(dir))).toEqual(rows);
  });

  test("of a user's file may have a byte order mark, CRLF and empty lines", async () => {
    writeFileSync(join(dir, "x.jsonl"), '\ufeff{"a":1}\r\n\r\n{"a":2}');
    expect(await all(readJsonl(join(dir, "x.jsonl")))).toEqual([{ a: 1 }, { a: 2 }]);
  });

  test.each([
    ['{"a":1}\n\n{"a":', 3, "this line is not JSON"],
    ['{"a":1}\n[1]\n', 2, "this line is a list, not an object"],
    ["null", 1, "this line is null, not an object"],
  ])("that are malformed are reported with their line", async (text, line, message) => {
    const path = join(dir, "bad.jsonl");
    writeFileSync(path, text);
    const error = await all(readJsonl(path)).catch((e) => e);
    expect(error).toMatchObject({ code: "malformed-json", where: `${path}:${line}` });
    expect(error.message).toContain(message);
  });
});
