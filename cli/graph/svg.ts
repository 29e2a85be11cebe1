// Draws a picture as a self-contained SVG, laid out by dagre.
import dagre from "@dagrejs/dagre";
import { quoted } from "../ui/markup.ts";
import type { Box, Picture } from "./picture.ts";

const lineHeight = 17;
const charWidth = 7.2;

export interface SvgOptions {
  /** In a page that has the styles, each box a link to what this gives. */
  readonly linkOf?: (box: Box) => string;
}

export function svg(picture: Picture, { linkOf }: SvgOptions = {}): string {
  const layout = new dagre.graphlib.Graph({ multigraph: true });
  layout.setGraph({ rankdir: "TB", nodesep: 24, ranksep: 36 });
  layout.setDefaultEdgeLabel(() => ({}));
  for (const box of picture.boxes) {
    const widest = Math.max(box.id.length, box.work.length);
    layout.setNode(box.id, { width: widest * charWidth + 24, height: 2 * lineHeight + 14 });
  }
  for (const { from, to, input } of picture.arrows) layout.setEdge(from, to, {}, input);
  dagre.layout(layout);

  // Edges may swing wider than the boxes; the picture has to hold both.
  const corners: { x: number; y: number }[] = [];
  const arrows = layout.edges().map((edge: { name?: string }) => {
    const { points } = layout.edge(edge) as { points: { x: number; y: number }[] };
    for (const point of points) corners.push(point);
    const path = points
      .map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`)
      .join("");
    return `<path d="${path}"><title>${quoted(edge.name ?? "")}</title></path>`;
  });
  const boxes = picture.boxes.map((box) => {
    const { x, y, width, height } = layout.node(box.id) as Record<"x" | "y" | "width" | "height", number>;
    corners.push({ x: x - width / 2, y: y - height / 2 }, { x: x + width / 2, y: y + height / 2 });
    const drawn = [
      `<g class="${box.kind}${box.cached ? " cached" : ""}">`,
      `<rect x="${(x - width / 2).toFixed(1)}" y="${(y - height / 2).toFixed(1)}" width="${width.toFixed(1)}" height="${height}" rx="${radius(box)}"/>`,
      `<text class="name" x="${x.toFixed(1)}" y="${(y - 3).toFixed(1)}">${quoted(box.id)}</text>`,
      `<text x="${x.toFixed(1)}" y="${(y + lineHeight - 3).toFixed(1)}">${quoted(box.work)}</text></g>`,
    ].join("");
    return linkOf ? `<a href="${quoted(linkOf(box))}">${drawn}</a>` : drawn;
  });
  const [left, right] = extent(corners.map(({ x }) => x));
  const [top, bottom] = extent(corners.map(({ y }) => y));
  const size = `width="${right - left}" height="${bottom - top}" viewBox="${left} ${top} ${right - left} ${bottom - top}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" class="graph" ${size} role="img">
<title>${quoted(picture.title)}</title>${linkOf ? "" : style}
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>
${arrows.join("\n")}
${boxes.join("\n")}
</svg>
`;
}

const style = `
<style>
text { font: 12px ui-monospace, Menlo, Consolas, monospace; text-anchor: middle; fill: #444; }
text.name { font-weight: bold; fill: #111; }
rect { fill: #f1f3f4; stroke: #9aa0a6; }
.dataset rect, .mixture rect { fill: #e8f0fe; stroke: #5b8def; }
.model rect { fill: #fef7e0; stroke: #e0a500; }
.cached rect { stroke-width: 2.5; stroke: #34a853; }
path { fill: none; stroke: #80868b; marker-end: url(#tip); }
path.tip { fill: #80868b; stroke: none; marker-end: none; }
</style>`;

const margin = 12;

function extent(values: readonly number[]): [number, number] {
  return [Math.floor(Math.min(...values)) - margin, Math.ceil(Math.max(...values)) + margin];
}

function radius({ kind }: Box): number {
  return kind === "stage" ? 3 : kind === "model" ? 20 : 9;
}
