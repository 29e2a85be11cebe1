// Draws a picture in Graphviz' language.
import { type Box, grouped, type Picture } from "./picture.ts";

export function dot(picture: Picture): string {
  const lines = [`digraph ${quote(picture.title)} {`, '  node [fontname="Helvetica"];'];
  const draw = (box: Box, indent: string) => {
    const fill = box.cached ? ', style=filled, fillcolor="#e6f4ea"' : "";
    const label = quote(`${box.id}\n${box.work}`);
    lines.push(`${indent}${quote(box.id)} [label=${label}, shape=${shape(box)}${fill}];`);
  };
  for (const { family, boxes } of grouped(picture.boxes)) {
    if (family === undefined) for (const box of boxes) draw(box, "  ");
    else {
      lines.push(`  subgraph ${quote(`cluster_${family}`)} {`, `    label=${quote(family)};`);
      for (const box of boxes) draw(box, "    ");
      lines.push("  }");
    }
  }
  for (const { from, to, input } of picture.arrows)
    lines.push(`  ${quote(from)} -> ${quote(to)} [label=${quote(input)}];`);
  return `${lines.join("\n")}\n}\n`;
}

function shape({ kind }: Box): string {
  return kind === "dataset" || kind === "mixture" ? "cylinder" : kind === "model" ? "ellipse" : "box";
}

function quote(text: string): string {
  return `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`;
}
