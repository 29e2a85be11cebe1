import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetWriteFile } from "hyparquet-writer";
import { beforeAll, describe, expect, test } from "vitest";
import type { Row } from "../../../grammar/index.ts";
import { columnsOf, readWith, temporaryFolder } from "../../testing.ts";
import { csv, jsonl, parquet, text } from "./index.ts";
import { peekRow } from "./peek.ts";

let dir: string;
beforeAll(async () => {
  dir = await temporaryFolder();
});
async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, content);
  return path;
}

describe("text", () => {
  test("a file is one row; byte order mark and CRLF go", async () => {
    const a = await file("a.txt", "\uFEFFone\r\ntwo\r\n");
    const b = await file("b.txt", "three");
    expect(await readWith(text, [a, b])).toEqual([{ text: "one\ntwo\n" }, { text: "three" }]);
  });

  test("paragraphs stand between blank lines, lines that are blank are left out", async () => {
    const path = await file("p.txt", "\none\ntwo\n \t\n\nthree\n\n");
    expect(await readWith(text, [path], { per: "paragraph" })).toEqual([
      { text: "one\ntwo" },
      { text: "three" },
    ]);
    expect(await readWith(text, [path], { per: "line" })).toEqual([
      { text: "one" },
      { text: "two" },
      { text: "three" },
    ]);
  });

  test("bytes that are not UTF-8 are refused with their line", async () => {
    // "é" in UTF-8 is C3 A9; in Latin-1 it is E9 alone.
    const path = await file("latin1.txt", new Uint8Array([0xc3, 0xa9, 0x0a, 0x63, 0xe9, 0x63]));
    await expect(readWith(text, [path])).rejects.toMatchObject({
      code: "not-utf8",
      message: "this line is not UTF-8",
      where: `${path}:2`,
    });
  });
});

describe("jsonl", () => {
  test("each line is a row; blank lines, byte order mark and CRLF do no harm", async () => {
    const path = await file("a.jsonl", '\uFEFF{"a":1}\r\n\r\n{"a":2,"b":["x"]}');
    expect(await readWith(jsonl, [path])).toEqual([{ a: 1 }, { a: 2, b: ["x"] }]);
  });

  test.each([
    ["a broken line", '{"a":1}\n{"a":', "bad.jsonl:2", "this line is not JSON"],
    ["a line that is no object", '{"a":1}\n\n[1]\n', "bad.jsonl:3", "this line is a list, not an object"],
  ])("%s is named with file and line", async (_, content, where, message) => {
    const path = await file("bad.jsonl", content);
    await expect(readWith(jsonl, [path])).rejects.toMatchObject({
      where: expect.stringContaining(where),
      message: expect.stringContaining(message),
    });
  });
});

describe("csv", () => {
  test("the first line names the columns; quoted values keep commas, quotes and line ends", async () => {
    const path = await file("a.csv", '\uFEFFid,text\r\n01,"a, ""b""\nc"\r\n\r\n2,d\r\n');
    expect(await readWith(csv, [path])).toEqual([
      { id: "01", text: 'a, "b"\nc' },
      { id: "2", text: "d" },
    ]);
  });

  test("numbers are read as numbers only when asked, and a leading zero is not a number", async () => {
    const path = await file("n.tsv", "a\tb\n1.5\t01\n-2\tx\n");
    expect(await readWith(csv, [path], { delimiter: "\t", numbers: true })).toEqual([
      { a: 1.5, b: "01" },
      { a: -2, b: "x" },
    ]);
  });

  test.each([
    ["too many values", "a,b\n1,2\n1,2,3\n", ":3", "this record has 3 values"],
    ["too few values", "a,b\n1\n", ":2", "this record has 1 values"],
    ["an open quote", 'a,b\n1,"2\n', "", "a quote is opened and never closed"],
    ["text after a quote", 'a,b\n"1"x,2\n', ":2", "a quote is closed in the middle of a value"],
    ["a column named twice", "a,a\n1,2\n", ":1", 'the first line names "a" twice'],
  ])("%s: refused with file and line", async (_, content, where, message) => {
    const path = await file("bad.csv", content);
    await expect(readWith(csv, [path])).rejects.toMatchObject({
      code: "malformed-csv",
      where: expect.stringContaining(path + where),
      message: expect.stringContaining(message),
    });
  });
});

describe("what can be known before anything runs", () => {
  test("columns of JSONL are those that the first rows share, of any type where they differ", async () => {
    const path = await file(
      "peek.jsonl",
      '{"a":"x","b":1,"m":[{"role":"user","content":"hi"}]}\n{"a":"y","b":"2","m":[{"role":"user","content":"ho"}],"c":true}\n',
    );
    expect(peekRow(path, join(dir, "x.align"))).toEqual({
      columns: { a: "string", b: "any", m: "messages" },
    });
  });

  test("columns of CSV are texts", async () => {
    const path = await file("peek.csv", '"id",text\n1,a\n');
    expect(peekRow("peek.csv", join(dir, "x.align"))).toEqual({ columns: { id: "string", text: "string" } });
    const peek = (p: string): Row | undefined => peekRow(p, path);
    expect(columnsOf(csv, { params: { paths: ["peek.csv"] }, peek })).toEqual({
      id: "string",
      text: "string",
    });
    expect(columnsOf(csv, { params: { paths: ["peek.csv"], numbers: true }, peek })).toEqual({
      id: "any",
      text: "any",
    });
  });

  test("several files have the columns that all have; a file that is not there has any", () => {
    const rows: Record<string, Row> = {
      a: { columns: { x: "string", y: "number" } },
      b: { columns: { y: "string", x: "string", z: "list" } },
    };
    const peek = (path: string) => rows[path];
    expect(columnsOf(jsonl, { params: { paths: ["a", "b"] }, peek })).toEqual({ x: "string", y: "any" });
    expect(columnsOf(jsonl, { params: { paths: ["a", "c"] }, peek })).toBe("any");
  });
});

describe("a JSON list", () => {
  test("is read object by object, whatever stands in its texts", async () => {
    const rows = [{ a: 'b]"{' }, { a: [1, { c: "\\" }] }];
    for (const text of [JSON.stringify(rows), JSON.stringify(rows, null, 2), "[]"]) {
      const path = await file("list.json", text);
      expect(await readWith(jsonl, [path])).toEqual(text === "[]" ? [] : rows);
    }
  });

  test.each([
    ["a value that is no object", "[\n{},\n7]", "list.json:3", '"7" stands where an object'],
    ["no end", '[{"a":1},\n', "list.json:1", "the end of the file stands where"],
    ["a broken object", '[\n{"a":1},\n{"a" 2}]', "list.json:3", "this line is not JSON"],
    ["something behind it", '[{"a":1}]\n{}', "list.json:2", '"{" stands where'],
  ])("%s: refused with file and line", async (_, text, where, message) => {
    const path = await file("list.json", text);
    await expect(readWith(jsonl, [path])).rejects.toMatchObject({
      where: expect.stringContaining(where),
      message: expect.stringContaining(message),
    });
  });
});

describe("parquet", () => {
  test("rows of every group, values as JSON has them", async () => {
    const path = join(dir, "a.parquet");
    parquetWriteFile({
      filename: path,
      rowGroupSize: 2,
      columnData: [
        { name: "text", data: ["a", "ü", "c"] },
        { name: "n", data: [1n, 2n ** 60n, 3n], type: "INT64" },
        { name: "x", data: [0.5, Number.NaN, 2], type: "DOUBLE" },
        { name: "list", data: [[1], [], [{ k: "v" }]], type: "JSON" },
        { name: "maybe", data: ["p", null, "q"], nullable: true },
      ],
    });
    expect(await readWith(parquet, [path])).toEqual([
      { text: "a", n: 1, x: 0.5, list: [1], maybe: "p" },
      { text: "ü", n: "1152921504606846976", x: null, list: [], maybe: null },
      { text: "c", n: 3, x: 2, list: [{ k: "v" }], maybe: "q" },
    ]);
    expect(await readWith(parquet, [path], { columns: ["n"] })).toHaveLength(3);
    const peek = (p: string) => peekRow(p, path);
    expect(columnsOf(parquet, { params: { paths: ["a.parquet"], columns: ["n", "text"] }, peek })).toEqual({
      n: "number",
      text: "string",
    });
  });

  test("a cut file, a column that is not there and one of bytes are refused", async () => {
    const path = join(dir, "b.parquet");
    parquetWriteFile({
      filename: path,
      columnData: [
        { name: "plain", data: [Buffer.from("é")], type: "BYTE_ARRAY" },
        { name: "image", data: [Uint8Array.of(0x89, 0x50)], type: "BYTE_ARRAY" },
      ],
    });
    await expect(readWith(parquet, [path])).rejects.toMatchObject({
      code: "column-of-bytes",
      where: `${path}, row 1`,
      message: "column image holds bytes, which a row cannot",
    });
    // Bytes that are text are one, as old writers left the note out.
    expect(await readWith(parquet, [path], { columns: ["plain"] })).toEqual([{ plain: "é" }]);
    await expect(readWith(parquet, [path], { columns: ["plan"] })).rejects.toMatchObject({
      message: "there is no column plan",
      help: "columns are plain, image",
    });
    const whole = await readFile(path);
    const cut = await file("cut.parquet", whole.subarray(0, whole.length - 3));
    await expect(readWith(parquet, [cut])).rejects.toMatchObject({ code: "malformed-parquet", where: cut });
  });
});
