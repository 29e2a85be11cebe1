// The pages in docs/codes/ are written from the table, the explanations and the fixtures: `npx vitest run test/language -u`.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { check } from "../../grammar/check.ts";
import { explanations } from "../../grammar/explanations.ts";
import { applyOne } from "../../grammar/fix.ts";
import { fixtures, readFixture } from "../../grammar/fixtures.testing.ts";
import { type Code, codes, render } from "../../grammar/index.ts";
import { testHost, testLibrary } from "../../grammar/testing.ts";

const folder = fileURLToPath(new URL("../../docs/codes/", import.meta.url));
const all = Object.keys(codes) as Code[];

function page(code: Code): string {
  const { title, severity } = codes[code];
  const { why, todo } = explanations[code];
  const { source, options } = readFixture(fixtures[code]);
  const { diagnostics } = check(source, testLibrary, testHost, options);
  const [fix] = diagnostics[0]!.fixes;
  const flags = [
    ...(options.profile ? [`--profile ${options.profile}`] : []),
    ...Object.entries(options.set ?? {}).map(([name, value]) => `--set ${name}=${value}`),
  ];
  const block = (language: string, text: string) => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\n`;
  return [
    `# ${code}: ${title}\n`,
    `${severity === "error" ? "Error: nothing runs until it is mended." : "Warning: the pipeline runs."}${fix ? " `align check --fix` can mend it where there is no doubt." : ""}\n`,
    `**Why.** ${why}\n`,
    `**What to do.** ${todo}\n`,
    `## Example\n`,
    block("align", source.text),
    `\`align check ${["demo.align", ...flags].join(" ")}\` says:\n`,
    block("text", render(diagnostics, [source], { color: false })),
    ...(fix ? ["With the fix:\n", block("align", applyOne(source, fix))] : []),
  ].join("\n");
}

function contents(): string {
  const row = (code: Code) => `| [${code}](${code}.md) | ${codes[code].severity} | ${codes[code].title} |`;
  return [
    "# What `align check` finds\n",
    "Every message has a code, every code a page: why it is there, what to do, and an example as it is printed. The pages are written",
    "by `npx vitest run test/language -u`.\n",
    "| code | severity | |",
    "|---|---|---|",
    ...all.map(row),
    "",
  ].join("\n");
}

test.each(all)("the page of %s is up to date", async (code) => {
  await expect(page(code)).toMatchFileSnapshot(`${folder}${code}.md`);
});

test("the table of contents is up to date", async () => {
  await expect(contents()).toMatchFileSnapshot(`${folder}README.md`);
});

test("there is no page without a code", () => {
  expect(readdirSync(folder).sort()).toEqual([...all.map((code) => `${code}.md`), "README.md"].sort());
});
