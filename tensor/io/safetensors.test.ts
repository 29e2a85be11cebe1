import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FileError } from "./error.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  openSafetensors,
  readSafetensors,
  type TensorMap,
  writeSafetensors,
} from "./safetensors.ts";

const fixture = join(import.meta.dirname, "fixtures/types.safetensors");
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "align-io-"));
});
afterAll(() => rm(dir, { recursive: true }));

/** A file with this header text and this many bytes of data. */
function file(header: unknown, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function problem(bytes: Uint8Array): string {
  try {
    decodeSafetensors(bytes);
  } catch (error) {
    if (error instanceof FileError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "none";
}

const f32 = (shape: number[], begin: number, end: number) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

describe("reading what the reference library wrote", () => {
  // 65504 is the largest fp16; 2^-14 its smallest normal; 2^-24 its smallest subnormal.
  const values = [0, -0, 1, -2.5, 65504, 2 ** -14, 2 ** -24, Number.POSITIVE_INFINITY];

  test("every float format becomes fp32", async () => {
    const file = await openSafetensors(fixture);
    expect([...(await file.read("f32")).data]).toEqual(values);
    expect([...(await file.read("f16")).data]).toEqual(values);
    expect((await file.read("f16")).shape).toEqual([2, 4]);
    // bf16 keeps 8 bits of fraction: 65504 = 0x477FE000 rounds up to 65536.
    expect([...(await file.read("bf16")).data]).toEqual(values.map((v) => (v === 65504 ? 65536 : v)));
    expect([...(await file.read("f64")).data]).toEqual(values);
    expect(file.metadata).toEqual({ format: "pt" });
    await file.close();
  });

  test("integers become fp32 where it holds them exactly", async () => {
    const file = await openSafetensors(fixture);
    expect([...(await file.read("i64")).data]).toEqual([-1, 0, 16777216]);
    expect([...(await file.read("i32")).data]).toEqual([-7, 7]);
    expect([...(await file.read("u8")).data]).toEqual([0, 255]);
    expect([...(await file.read("bool")).data]).toEqual([1, 0]);
    await expect(file.read("i64_big")).rejects.toThrow(
      "i64_big[0] is 16777217, which fp32 cannot hold exactly",
    );
    expect((await file.raw("i64_big")).bytes).toHaveLength(8);
    await file.close();
  });

  test("a scalar has one value, an empty tensor none", async () => {
    const file = await openSafetensors(fixture);
    expect(await file.read("scalar")).toEqual({ shape: [], data: new Float32Array([3]) });
    expect(await file.read("empty")).toEqual({ shape: [0, 4], data: new Float32Array(0) });
    await expect(file.read("nothing")).rejects.toMatchObject({ code: "tensor-missing" });
    await file.close();
  });
});

describe("writing", () => {
  const a = { shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) };
  const b = { shape: [1], data: new Float32Array([5]) };

  test("comes back as it went", async () => {
    const tensors: TensorMap = new Map([
      ["b", b],
      ["a", a],
      ["10", b],
    ]);
    const path = join(dir, "round.safetensors");
    await writeSafetensors(path, tensors);
    expect(await readSafetensors(path)).toEqual(tensors);
    expect(new Uint8Array(await readFile(path))).toEqual(new Uint8Array(encodeSafetensors(tensors)));
  });

  test("gives the same bytes whatever the order of the map, with data at a multiple of 8", () => {
    const one = encodeSafetensors(new Map([["a", a], ["b", b]])); // biome-ignore format: short
    const two = encodeSafetensors(new Map([["b", b], ["a", a]])); // biome-ignore format: short
    expect(one).toEqual(two);
    const header = Number(new DataView(one.buffer, one.byteOffset, 8).getBigUint64(0, true));
    expect(header % 8).toBe(0);
    // 4 values + 1 value of 4 bytes.
    expect(one.length).toBe(8 + header + 20);
    expect(new TextDecoder().decode(one.subarray(8, 8 + header)).trimEnd()).toBe(
      '{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},' +
        '"b":{"dtype":"F32","shape":[1],"data_offsets":[16,20]}}',
    );
  });

  test("writes a view of a larger array, not the array", () => {
    const view = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
    const read = decodeSafetensors(encodeSafetensors(new Map([["v", { shape: [2], data: view }]])));
    expect([...read.get("v")!.data]).toEqual([1, 2]);
  });

  test("refuses data that do not fill the shape", () => {
    expect(() => encodeSafetensors(new Map([["a", { ...a, shape: [3] }]]))).toThrow(
      "a has the shape [3], 3 values, but 4 are given",
    );
  });
});

describe("a damaged file is refused before anything is allocated", () => {
  test.each<[string, Uint8Array, string]>([
    ["an empty file", new Uint8Array(0), "safetensors-truncated: the file has 0 bytes"],
    ["seven bytes", new Uint8Array(7), "safetensors-truncated"],
    [
      "a header of 2^63 bytes",
      new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0x80]),
      "safetensors-header: the header claims 9223372036854775808 bytes; at most 100000000",
    ],
    [
      "a header longer than the file",
      file("{}", 0).subarray(0, 9),
      "safetensors-truncated: the header claims 2",
    ],
    ["not JSON", file("{oops}", 0), "safetensors-header: the header is not JSON"],
    ["JSON that is not an object", file("[]", 0), "it does not start with {"],
    ["an unknown dtype", file({ a: { ...f32([1], 0, 4), dtype: "F4" } }, 4), 'unknown dtype "F4"'],
    ["a negative size", file({ a: f32([-1], 0, 4) }, 4), "a list of sizes is wanted"],
    ["a shape that overflows", file({ a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4), "impossible shape"],
    ["no offsets", file({ a: { dtype: "F32", shape: [1] } }, 4), "[begin, end] is wanted"],
    [
      "a shape that does not fill its range",
      file({ a: f32([3], 0, 8) }, 8),
      "a is F32 [3], which takes 12 bytes, but its offsets span 8",
    ],
    [
      "overlapping tensors",
      file({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8),
      "b overlaps the tensor before it",
    ],
    ["a hole", file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), "4 bytes before b belong to no tensor"],
    [
      "data cut short",
      file({ a: f32([4], 0, 16) }, 10),
      "the tensors end at byte 79 but the file has only 73: 6 bytes are missing",
    ],
    ["bytes left over", file({ a: f32([1], 0, 4) }, 7), "3 bytes after the last tensor belong to none"],
    [
      "a name given twice",
      file(`{"a":${JSON.stringify(f32([1], 0, 4))},"a":${JSON.stringify(f32([1], 0, 4))}}`, 4),
      'the header names "a" twice',
    ],
    [
      "metadata that is not text",
      file({ __metadata__: { x: 1 } }, 0),
      "__metadata__ must map names to texts",
    ],
  ])("%s", (_, bytes, expected) => {
    expect(problem(bytes)).toContain(expected);
  });

  test("the message names the file and says what to do", async () => {
    const path = join(dir, "cut.safetensors");
    await writeFile(path, (await readFile(fixture)).subarray(0, -3));
    const error = await readSafetensors(path).then(
      () => undefined,
      (e: FileError) => e,
    );
    expect(error).toMatchObject({ code: "safetensors-truncated", where: path });
    expect(error?.help).toContain("fetch it again");
  });
});
