// A name is declared once.
import { diagnose } from "../codes.ts";
import type { Check } from "./check.ts";

export const duplicates: Check = ({ original, scope, place }) => {
  const named = scope.duplicates.map(([first, second]) =>
    diagnose("AL0102", {
      title: `\`${second.name.text}\` is declared twice`,
      at: place(second.name.span),
      label: "declared again here",
      related: [[place(first.name.span), `first declared here, as ${first.what}`]],
      help: ["give one of them another name; only a profile overrides what is declared"],
    }),
  );
  const profiles = original.declarations.filter((d) => d.kind === "profile");
  const twice = profiles.flatMap((d, i) => {
    const first = profiles.slice(0, i).find((p) => p.name.text === d.name.text && d.name.text !== "");
    return first
      ? [
          diagnose("AL0102", {
            title: `profile \`${d.name.text}\` is declared twice`,
            at: place(d.name.span),
            label: "declared again here",
            related: [[place(first.name.span), "first declared here"]],
            help: ["write all its overrides in one block"],
          }),
        ]
      : [];
  });
  return [...named, ...twice];
};
