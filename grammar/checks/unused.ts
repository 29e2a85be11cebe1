// Everything declared is read by something. Stages run anyway.
import { diagnose } from "../codes.ts";
import { isNamed } from "../scope.ts";
import { namesRead } from "../touched.ts";
import type { Check } from "./check.ts";

export const unused: Check = ({ original, place }) => {
  const read = new Set<string>();
  for (const d of original.declarations) {
    for (const name of namesRead(d)) if (name !== d.name.text || d.kind === "publish") read.add(name);
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
