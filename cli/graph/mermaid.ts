// Draws a picture as a Mermaid flowchart, which Markdown viewers show.
import { type Box, grouped, type Picture } from "./picture.ts";

export function mermaid(picture: Picture): string {
  const lines = ["flowchart TD"];
  const draw = (box: Box, indent: string) =>
    lines.push(`${indent}${key(box.id)}${shape(box)}${box.cached ? ":::cached" : ""}`);
  for (const { family, boxes } of grouped(picture.boxes)) {
    if (family === undefined) for (const box of boxes) draw(box, "  ");
    else {
      lines.push(`  subgraph f_${key(family)}["${quoted(family)}"]`);
      for (const box of boxes) draw(box, "    ");
      lines.push("  end");
    }
  }
  for (const { from, to, input } of picture.arrows) lines.push(`  ${key(from)} -->|${input}| ${key(to)}`);
  lines.push("  classDef cached fill:#e6f4ea,stroke:#34a853,color:#137333");
  return `${lines.join("\n")}\n`;
}

/** Data is a cylinder, a model a rounded box, a stage a plain one. */
function shape({ id, kind, work }: Box): string {
  const label = `"<b>${quoted(id)}</b><br/>${quoted(work)}"`;
  if (kind === "dataset" || kind === "mixture") return `[(${label})]`;
  return kind === "model" ? `(${label})` : `[${label}]`;
}

/** Mermaid's ids are words; `sft.data` and reserved words like `end` are not. */
function key(id: string): string {
  return `n_${id.replace(/\W/g, (c) => (c === "." || c === " " ? "_" : `_${c.charCodeAt(0)}_`))}`;
}

function quoted(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
}
