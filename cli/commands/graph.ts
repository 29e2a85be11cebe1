// `align graph FILE`: the DAG as Mermaid, Graphviz, SVG or JSON.
import { pictureOf } from "../graph/picture.ts";
import { openPlan, type PipelineOptions } from "../pipeline.ts";

export interface GraphOptions extends PipelineOptions {
  readonly format: "mermaid" | "dot" | "svg" | "json";
}

export async function graph(file: string, options: GraphOptions): Promise<number> {
  const opened = await openPlan(file, options);
  if (typeof opened === "number") return opened;
  const picture = pictureOf(opened.plan);
  switch (options.format) {
    case "mermaid":
      process.stdout.write((await import("../graph/mermaid.ts")).mermaid(picture));
      break;
    case "dot":
      process.stdout.write((await import("../graph/dot.ts")).dot(picture));
      break;
    case "svg":
      process.stdout.write((await import("../graph/svg.ts")).svg(picture));
      break;
    case "json":
      console.log(JSON.stringify(picture, null, 2));
  }
  return 0;
}
