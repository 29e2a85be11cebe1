import { expect, test } from "vitest";
import { textStream } from "./text-stream.ts";

/** Each token is a byte. */
const bytes = (ids: readonly number[]) => Buffer.from(ids).toString("utf8");
const pieces = (text: string, stop: readonly string[] = []) => {
  const stream = textStream(bytes, stop);
  const shown = [...Buffer.from(text)].map((id) => stream.push(id));
  return { shown: [...shown, stream.end()], stopped: stream.stopped };
};

test("a character is shown when its last byte has come", () => {
  // é is two bytes, 🙂 four.
  expect(pieces("aé🙂b").shown).toEqual(["a", "", "é", "", "", "", "🙂", "b", ""]);
});

test("what may become a stop text waits until it is one or cannot be", () => {
  expect(pieces("x\n\ny", ["\n\nQ"]).shown).toEqual(["x", "", "", "\n\ny", ""]);
  expect(pieces("x\n\nQ: more", ["\n\nQ"])).toEqual({
    shown: ["x", "", "", "", "", "", "", "", "", "", ""].slice(0, 11),
    stopped: true,
  });
});

test("the earliest stop text ends it, and what was only begun is shown at the end", () => {
  expect(pieces("one two three", ["three", " two"]).shown.join("")).toBe("one");
  expect(pieces("one th", ["three"])).toMatchObject({ stopped: false });
  expect(pieces("one th", ["three"]).shown.at(-1)).toBe("th");
});

test("half a character at the end is shown as what it is", () => {
  const stream = textStream(bytes, []);
  expect([stream.push(0x61), stream.push(0xc3), stream.end()]).toEqual(["a", "", "\uFFFD"]);
});
