// Only what has a name can be imported elsewhere, and only a file that is a module exports.
import { diagnose } from "../codes.ts";
import { isNamed } from "../scope.ts";
import type { Check } from "./check.ts";

export const exports: Check = ({ original, place }) =>
  [
    ...original.declarations.map((d) => [d, undefined] as const),
    ...original.declarations.flatMap((p) =>
      p.kind === "profile" ? p.overrides.map((d) => [d, p.name.text] as const) : [],
    ),
  ].flatMap(([d, profile]) => {
    if (!d.exported || d.broken || (isNamed(d) && profile === undefined)) return [];
    const what = profile === undefined ? `\`${d.kind}\`` : "an override";
    // Written just before the declaration, with a space between.
    const end = d.span.start;
    const at = place({ start: Math.max(0, end - "export ".length), end });
    return [
      diagnose("AL0805", {
        title: `${what} cannot be exported`,
        at,
        label: profile === undefined ? "nobody could import this" : `inside profile \`${profile}\``,
        help: ["params, models, datasets, templates, clusters, mixtures and stages can be exported"],
        fixes: [{ title: "remove `export`", edits: [{ place: at, text: "" }] }],
      }),
    ];
  });
