// Everything declared is read by something. Stages run anyway.
import { expressionsOf, walk } from "../ast.ts";
import { diagnose } from "../codes.ts";
import { isNamed } from "../scope.ts";
import type { Check } from "./check.ts";

export const unused: Check = ({ original, place }) => {
  const read = new Set<string>();
  for (const d of original.declarations) {
    for (const e of expressionsOf(d)) {
      walk(e, (x) => {
        if (x.kind === "reference" && x.name.text !== d.name.text) read.add(x.name.text);
      });
    }
    if (d.kind === "publish") read.add(d.name.text);
    if (d.kind === "template" && d.rows) read.add(d.rows.text);
    if (d.kind === "param")
      for (const b of d.type?.bounds ?? []) {
        for (const e of b.kind === "range" ? [b.from, b.to] : [b.value]) {
          walk(e, (x) => x.kind === "reference" && read.add(x.name.text));
        }
      }
  }
  return original.declarations.flatMap((d) =>
    isNamed(d) && d.kind !== "stage" && d.name.text !== "" && !read.has(d.name.text)
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
