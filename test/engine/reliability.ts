// `npm run test:reliability -- [--write]`: the failure table, with every engine that is on the PATH; --write puts it into docs/reliability.md.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { engines } from "./engines.ts";
import { failures, type Result, suffer } from "./failures.ts";

const words: Readonly<Record<Result, string>> = { ok: "ok", wrong: "**wrong**", asks: "asks", "-": "–" };

const { values } = parseArgs({ options: { write: { type: "boolean", default: false } } });
const present = engines.flatMap((engine) => {
  const version = engine.version();
  return version === undefined ? [] : [{ engine, version }];
});
const rows: string[] = [];
const passed = new Map<string, number>();
for (const [name, failure] of Object.entries(failures)) {
  const results: Result[] = [];
  for (const { engine } of present) {
    const result = await suffer(engine, failure);
    if (result === "ok") passed.set(engine.name, (passed.get(engine.name) ?? 0) + 1);
    results.push(result);
  }
  rows.push(`| ${name} | ${results.map((result) => words[result]).join(" | ")} |`);
  console.log(rows.at(-1));
}
const total = Object.keys(failures).length;
const counts = present.map(({ engine }) => `${passed.get(engine.name) ?? 0} of ${total}`);
const table = [
  `| | ${present.map(({ engine, version }) => `${engine.name}, ${version}`).join(" | ")} |`,
  `|---|${present.map(() => "---|").join("")}`,
  ...rows,
  `| right, with no human step | ${counts.join(" | ")} |`,
].join("\n");
console.log(table);
if (values.write) {
  const path = new URL("../../docs/reliability.md", import.meta.url);
  const marked = /(<!-- failures:begin -->\n)[\s\S]*?(<!-- failures:end -->)/;
  const text = readFileSync(path, "utf8");
  if (!marked.test(text)) throw new Error("docs/reliability.md has lost its markers");
  writeFileSync(
    path,
    text.replace(marked, (_, begin: string, end: string) => `${begin}${table}\n${end}`),
  );
}
