// Writes a table of results into docs/benchmarks.md, between the markers that bear the bench's name: one for each machine.
import { readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { fileURLToPath } from "node:url";
import { machine } from "./machine.ts";
import type { BenchRow } from "./main.ts";

const path = fileURLToPath(new URL("../docs/benchmarks.md", import.meta.url));

export function writeTable(name: string, rows: readonly BenchRow[]): void {
  const text = readFileSync(path, "utf8");
  const [start, end] = [`<!-- ${name}: written by npm run bench -->`, `<!-- end ${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no "${start}" … "${end}"`);
  const table = [
    `| case | Align | peer | | peer / Align |`,
    `|---|--:|--:|---|--:|`,
    ...rows.map(
      ({ name, ours, peer, peerName, ratio, unit }) =>
        `| ${name} | ${ours.toFixed(1)} ${unit} | ${peer.toFixed(1)} | ${peerName ?? ""} | ${ratio.toFixed(2)} |`,
    ),
  ].join("\n");
  const mine = `${machine()}; load ${os.loadavg()[2]!.toFixed(1)} before and during.\n\n${table}\n`;
  const others = sections(text.slice(from + start.length, to)).filter(
    (section) => !section.startsWith(machine()),
  );
  const body = `${start}\n${[mine, ...others].join("\n")}`;
  writeFileSync(path, text.slice(0, from) + body + text.slice(to));
}

/** What was measured on each machine: a line that says on which, and a table. */
const sections = (body: string): string[] =>
  body
    .split(/^(?=\d+ cores of )/m)
    .filter((section) => section.trim() !== "")
    .map((section) => `${section.trimEnd()}\n`);
