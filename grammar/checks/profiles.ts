// A profile overrides what the file declares, and nothing else.

import { overrides, profilesOf } from "../apply-profile.ts";
import type { Declaration } from "../ast.ts";
import { diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { declaredAt, isNamed, kindOf } from "../scope.ts";
import { didYouMean } from "../suggest.ts";
import type { Check } from "./check.ts";

export const profiles: Check = (context) =>
  profilesOf(context.original).flatMap((p) => p.overrides.flatMap((o) => override(o, p.name.text, context)));

function override(o: Declaration, profile: string, { original, scope, place }: Context): Diagnostic[] {
  if (o.broken || o.kind === "unknown") return [];
  if (!isNamed(o)) {
    return [
      diagnose("AL0603", {
        title: `a profile cannot hold \`${o.kind}\``,
        at: place({ start: o.span.start, end: o.span.start + o.kind.length }),
        label: `inside profile \`${profile}\``,
        help: [
          "profiles override params, models, datasets, templates, clusters, mixtures and stages; write this outside",
        ],
      }),
    ];
  }
  if (original.declarations.some((d) => overrides(o, d)) || scope.lost.has(o.name.text)) return [];
  const at = place(o.name.span);
  const other = scope.names.get(o.name.text);
  if (scope.imported.has(o.name.text)) {
    return [
      diagnose("AL0602", {
        title: `profile \`${profile}\` overrides \`${o.name.text}\`, which is imported`,
        at,
        label: "declared in another file",
        related: other ? [[declaredAt(other), "declared here"]] : [],
        help: [`write profile \`${profile}\` in that file too: a profile applies to every file that has it`],
      }),
    ];
  }
  if (other) {
    return [
      diagnose("AL0602", {
        title: `\`${o.name.text}\` is ${kindOf(other)}, not a ${o.kind}`,
        at: place({ start: o.span.start, end: o.span.start + o.kind.length }),
        label: `overridden as a ${o.kind}`,
        related: [[declaredAt(other), `declared here as ${kindOf(other)}`]],
        help: [`write \`${other.kind} ${o.name.text}\``],
        fixes: [
          {
            title: `replace with \`${other.kind}\``,
            edits: [
              { place: place({ start: o.span.start, end: o.span.start + o.kind.length }), text: other.kind },
            ],
          },
        ],
      }),
    ];
  }
  const candidates = original.declarations.filter((d) => d.kind === o.kind).map((d) => d.name.text);
  return [
    diagnose("AL0602", {
      title: `profile \`${profile}\` overrides ${o.kind} \`${o.name.text}\`, which does not exist`,
      at,
      label: `no ${o.kind} of this name`,
      ...didYouMean(
        o.name.text,
        candidates,
        at,
        () => "a profile changes what is declared; it cannot declare more",
      ),
    }),
  ];
}
