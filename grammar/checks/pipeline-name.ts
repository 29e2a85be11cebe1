// A file names its pipeline once.
import { diagnose } from "../codes.ts";
import type { Check } from "./check.ts";

export const pipelineName: Check = ({ source, file, place, scope, isRoot }) => {
  const named = file.declarations.filter((d) => d.kind === "pipeline");
  // A file for others to import from need not be a pipeline of its own.
  const isPart = !isRoot || file.declarations.some((d) => d.exported);
  if (named.length === 0 && !isPart && !scope.lost.has("pipeline")) {
    const name = /([A-Za-z_]\w*)[^/\\]*$/.exec(source.path)?.[1] ?? "main";
    const line = source.text.split("\n", 1)[0]!.trimEnd().length;
    return [
      diagnose("AL0503", {
        title: "this file does not name its pipeline",
        at: place({ start: 0, end: Math.max(1, line) }),
        label: "a file starts with `pipeline NAME`",
        help: [`write \`pipeline ${name}\` on the first line`],
        fixes: [
          {
            title: `insert \`pipeline ${name}\``,
            edits: [{ place: place({ start: 0, end: 0 }), text: `pipeline ${name}\n\n` }],
          },
        ],
      }),
    ];
  }
  return named.slice(1).map((d) =>
    diagnose("AL0504", {
      title: "this file names a second pipeline",
      at: place(d.span),
      label: "named again here",
      related: [[place(named[0]!.span), "first named here"]],
      help: ["a file describes one pipeline: move the second one to a file of its own"],
    }),
  );
};
