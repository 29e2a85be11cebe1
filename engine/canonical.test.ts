import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../grammar/index.ts";
import { canonicalJson, digest, encode } from "./canonical.ts";

describe("canonical JSON", () => {
  test("sorts keys by code unit and leaves no room for spaces", () => {
    expect(canonicalJson({ b: [1, { d: 1, c: 2 }], a: "x y", Z: null })).toBe(
      '{"Z":null,"a":"x y","b":[1,{"c":2,"d":1}]}',
    );
  });

  test("has one zero", () => {
    expect(canonicalJson([-0, 0])).toBe("[0,0]");
  });

  test("leaves out what is undefined", () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "refuses %s and says where it is",
    (x) => {
      expect(() => canonicalJson({ scores: [1, x] })).toThrow(`${x} at scores.1`);
    },
  );

  test("reads back as the same value", () => {
    fc.assert(
      fc.property(json(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(value);
      }),
    );
  });
});

describe("the encoding that is hashed", () => {
  test("is the same bytes as ever", () => {
    expect(encode("r", { b: [true, null], a: "é", n: -0.5 }).toString()).toBe(
      "r1:ro1:3s1:as2:és1:bl1:2t0:n0:s1:nd4:-0.5",
    );
  });

  test("tells apart what concatenation would not", () => {
    const values: Json[] = [
      ["ab", "c"],
      ["a", "bc"],
      ["abc"],
      "abc",
      [["abc"]],
      { abc: null },
      ["abc", null],
      1,
      "1",
      true,
      "true",
      null,
      "null",
      [],
      {},
      "",
      "s0:",
      -1,
      "\ud800",
      "\udfff",
      "\ufffd",
    ];
    expect(new Set(values.map((value) => digest("r", value))).size).toBe(values.length);
  });

  test("tells records of different kinds apart", () => {
    expect(digest("tree", [])).not.toBe(digest("task", []));
  });

  test("does not depend on the order of members", () => {
    expect(digest("r", { a: 1, b: 2 })).toBe(digest("r", { b: 2, a: 1 }));
  });

  test("is different for different values, and only for those", () => {
    fc.assert(
      fc.property(json(), json(), (a, b) => {
        expect(encode("r", a).equals(encode("r", b))).toBe(canonicalJson(a) === canonicalJson(b));
      }),
    );
  });
});

function json(): fc.Arbitrary<Json> {
  return fc.jsonValue().map((value) => JSON.parse(canonicalJson(value)) as Json);
}
