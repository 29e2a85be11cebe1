// What makes a stage run again, and what does not: the table of docs/hashing.md, edit by edit.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Edit, edits } from "./edits.ts";
import { pipeline, World } from "./world.ts";

let built: World;
beforeAll(async () => {
  built = new World();
  expect((await built.reruns()).length).toBe(14);
});
afterAll(() => built.remove());

describe.each(Object.entries(edits))("%s", (_, table) => {
  test.each(table.map((edit) => [edit.what, edit.reruns || "nothing", edit] as const))(
    "%s: %s",
    async (_what, _reruns, { make, reruns, with: options }: Edit) => {
      const world = built.copy("a projéct");
      try {
        expect(await world.reruns()).toEqual([]);
        expect(world.stands()).toBe(true);
        await make?.(world);
        const told = world.stands(options);
        expect((await world.reruns(options)).join(" ")).toBe(reruns);
        // What is told from memory is what the run would have found.
        if (told) expect(reruns).toBe("");
        // Once more: whatever was built is found.
        if (reruns !== "") expect(await world.reruns(options)).toEqual([]);
      } finally {
        world.remove();
      }
    },
  );
});

const document = new URL("../../docs/hashing.md", import.meta.url);

/** The document with what is between the markers written anew. */
function filled(text: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((whole, [name, part]) => {
    const marked = new RegExp(`(<!-- ${name}:begin -->\n)[\\s\\S]*?(<!-- ${name}:end -->)`);
    if (!marked.test(whole)) throw new Error(`docs/hashing.md has lost its ${name} markers`);
    return whole.replace(marked, (_, begin: string, end: string) => `${begin}${part}\n${end}`);
  }, text);
}

test("docs/hashing.md shows this table (written by vitest -u)", async () => {
  const table = Object.entries(edits).map(([about, list]) => {
    const rows = list.map(({ what, reruns }) => `| ${what} | ${reruns.replaceAll(" ", ", ") || "nothing"} |`);
    return `| ${about} | runs again |\n|---|---|\n${rows.join("\n")}`;
  });
  const text = filled(readFileSync(document, "utf8"), {
    pipeline: `\`\`\`align\n${pipeline}\`\`\``,
    table: table.join("\n\n"),
  });
  await expect(text).toMatchFileSnapshot("../../docs/hashing.md");
});
