// What rows of comparisons look like to the checker.
import { type CallFacts, dataset, type TypeProblem } from "../../grammar/index.ts";

export const comparisons = dataset({ name: "Ranking or Preference or Rated", columns: { prompt: "any" } });

/** Wrong where the rows of one of the inputs do not say what is better than what. */
export function comparisonsProblem(
  operation: string,
  inputs: CallFacts["inputs"],
  names: readonly string[],
): TypeProblem | undefined {
  for (const name of names) {
    const given = inputs[name];
    if (given?.kind !== "dataset") continue;
    const { columns } = given.row;
    const has = (...wanted: string[]) => wanted.every((column) => column in columns);
    if (has("chosen", "rejected") || has("responses", "ranks") || has("responses", "scores")) continue;
    return {
      message: `\`${operation}\` reads comparisons; these rows have the columns ${Object.keys(columns).join(", ")}`,
      help: "give it rows with responses and ranks, responses and scores (`judge` makes them), or chosen and rejected",
      at: name,
    };
  }
  return undefined;
}
