// Draws a picture in Graphviz' language.
import type { Box, Picture } from "./picture.ts";

export function dot(picture: Picture): string {
  const lines = [`digraph ${quote(picture.title)} {`, '  node [fontname="Helvetica"];'];
  for (const box of picture.boxes) {
    const fill = box.cached ? ', style=filled, fillcolor="#e6f4ea"' : "";
    lines.push(`  ${quote(box.id)} [label=${quote(`${box.id}\n${box.work}`)}, shape=${shape(box)}${fill}];`);
  }
  for (const { from, to, input } of picture.arrows)
    lines.push(`  ${quote(from)} -> ${quote(to)} [label=${quote(input)}];`);
  return `${lines.join("\n")}\n}\n`;
}

function shape({ kind }: Box): string {
  return kind === "dataset" ? "cylinder" : kind === "model" ? "ellipse" : "box";
}

function quote(text: string): string {
  return `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`;
}
