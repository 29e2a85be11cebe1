// Everything declared is read by something. Stages run anyway, and what is exported is for others to read.
import type { Declaration, File } from "../ast.ts";
import { diagnose } from "../codes.ts";
import { isNamed } from "../scope.ts";
import { everyCluster } from "../sets.ts";
import { namesRead } from "../touched.ts";
import type { Check } from "./check.ts";

export const unused: Check = ({ original, place }) => {
  const read = everyNameRead(original);
  return original.declarations.flatMap((d) =>
    isNamed(d) && d.kind !== "stage" && !d.exported && d.name.text !== "" && !isRead(d, read)
      ? [
          diagnose("AL0502", {
            title: `nothing reads ${d.kind} \`${d.name.text}\``,
            at: place(d.name.span),
            label: "declared here, and left out of the pipeline",
            help: ["use it in a stage, `expect` or `publish`, or remove it"],
          }),
        ]
      : [],
  );
};

function isRead(d: Declaration, read: ReadonlySet<string>): boolean {
  // A template for a dataset is read with it, a cluster where all are.
  if (d.kind === "template" && d.rows) return true;
  return read.has(d.name.text) || (d.kind === "cluster" && read.has(everyCluster));
}

/** Names that something other than their own declaration reads. */
export function everyNameRead(file: File): ReadonlySet<string> {
  const read = new Set<string>();
  for (const d of file.declarations) {
    for (const name of namesRead(d)) if (name !== d.name.text || d.kind === "publish") read.add(name);
  }
  return read;
}
