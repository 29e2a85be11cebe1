// The pages in docs/operations/ are written from the declarations: `align docs --stdlib -o docs/operations`.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { libraryPages } from "../../cli/docs/library.ts";
import { library } from "../../stdlib/index.ts";

const folder = fileURLToPath(new URL("../../docs/operations/", import.meta.url));
const pages = libraryPages(library);

test.each([...pages])("%s is as the declarations say", async (name, page) => {
  await expect(page).toMatchFileSnapshot(`${folder}${name}`);
});

test("there is no page without an operation", () => {
  expect(readdirSync(folder).sort()).toEqual([...pages.keys()].sort());
});
