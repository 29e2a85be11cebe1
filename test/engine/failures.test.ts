// The failure table of docs/reliability.md, Align's column.
import { expect, test } from "vitest";
import { align } from "./engines.ts";
import { failures, suffer } from "./failures.ts";

test("there are twelve", () => expect(Object.keys(failures)).toHaveLength(12));

test.each(Object.entries(failures))(
  "%s: the right output, with no human step",
  async (_, failure) => {
    expect(await suffer(align, failure)).toBe("ok");
  },
  120_000,
);
