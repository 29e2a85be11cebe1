// `as Row` promises columns that are there.
import { diagnose } from "../codes.ts";
import { didYouMean, listed, oneOf } from "../suggest.ts";
import { printType, rows } from "../types.ts";
import type { Check } from "./check.ts";

export const casts: Check = (context) =>
  context.own().flatMap((node) =>
    node.casts.flatMap((cast) => {
      const at = context.place(cast.row.span);
      if (!cast.known) {
        if (cast.row.text === "") return [];
        return [
          diagnose("AL0106", {
            title: `there is no row \`${cast.row.text}\``,
            at,
            label: "unknown row",
            ...didYouMean(cast.row.text, Object.keys(rows), at, (all) => `rows are ${listed(all)}`),
          }),
        ];
      }
      if (cast.given.kind !== "dataset" && cast.given.kind !== "any") {
        return [
          diagnose("AL0206", {
            title: `only rows can be read as \`${cast.row.text}\`, this is ${printType(cast.given)}`,
            at,
            label: "a dataset is wanted before `as`",
            help: [`remove \`as ${cast.row.text}\``],
          }),
        ];
      }
      if (cast.missing.length === 0 || cast.given.kind !== "dataset") return [];
      const absent = cast.missing.filter((m) => m.given === undefined).map((m) => m.column);
      const other = cast.missing.filter((m) => m.given !== undefined);
      return [
        diagnose("AL0206", {
          title: `these rows are not \`${cast.row.text}\``,
          at,
          label:
            absent.length > 0
              ? `${oneOf(absent, "and")} ${absent.length === 1 ? "is" : "are"} missing`
              : `${oneOf(
                  other.map((m) => m.column),
                  "and",
                )} of another type`,
          notes: [
            `columns are ${listed(Object.keys(cast.given.row.columns))}`,
            ...other.map((m) => `column \`${m.column}\` is ${m.given}, ${m.wanted} is wanted`),
          ],
          help: ["name the columns first: `|> select(wanted: column)`"],
        }),
      ];
    }),
  );
