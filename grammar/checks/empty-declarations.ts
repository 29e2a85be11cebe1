// Outside profiles a model, dataset or stage says what it is.
import { diagnose } from "../codes.ts";
import { isNode } from "../scope.ts";
import type { Check } from "./check.ts";

export const emptyDeclarations: Check = ({ original, place }) =>
  original.declarations.flatMap((d) =>
    isNode(d) && !d.value && !d.broken
      ? [
          diagnose("AL0010", {
            title: `${d.kind} \`${d.name.text}\` does not say what it is`,
            at: place(d.name.span),
            label: "`= …` is expected after this",
            help: [`write \`${d.kind} ${d.name.text} = operation(…)\``],
          }),
        ]
      : [],
  );
