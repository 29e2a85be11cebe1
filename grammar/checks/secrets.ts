// Secrets come from variables of the environment that are set; only their names are ever seen.
import { diagnose } from "../codes.ts";
import { type Check, everyCall, fitsItsPlace } from "./check.ts";

export const secrets: Check = (context) =>
  everyCall(context, (bound) => {
    if (!fitsItsPlace(bound)) return [];
    return bound.written.flatMap(({ name, schema, expression, evaluated: { value } }) => {
      if (schema["x-align"] !== "secret" || !expression) return [];
      const variable = value !== null && typeof value === "object" && "env" in value ? value.env : undefined;
      if (typeof variable !== "string" || context.host.hasVariable?.(variable) !== false) return [];
      return [
        diagnose("AL0320", {
          title: `\`${name}\` of \`${bound.signature.name}\` reads ${variable}, which is not set`,
          at: context.place(expression.span),
          label: "this variable has no value here",
          help: [`set it where the pipeline runs: \`export ${variable}=…\``],
        }),
      ];
    });
  });
