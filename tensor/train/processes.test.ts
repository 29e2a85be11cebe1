// The same weights, to the last bit, in other processes and with other numbers of threads.

import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { expect, test } from "vitest";

const child = fileURLToPath(new URL("hash-child.ts", import.meta.url));

test.each(["llama", "gpt2"])(
  "%s after twenty steps in three processes, on two threads, one, and two",
  async (family) => {
    const said: { hash: string; first: number; last: number }[] = [];
    for (const threads of [2, 1, 2]) {
      const { stdout } = await execa(process.execPath, ["--import", "tsx", child, family, String(threads)]);
      said.push(JSON.parse(stdout));
      console.log(`${family}, ${threads} threads: ${said.at(-1)!.hash}`);
    }
    expect(new Set(said.map(({ hash }) => hash)).size).toBe(1);
    expect(said[0]!.last).not.toBe(said[0]!.first);
  },
);
