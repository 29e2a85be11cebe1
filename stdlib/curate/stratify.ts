// Draws rows so that small strata are not drowned: a stratum of n rows with probability ∝ n^(1/τ).
import type { Random } from "../../tensor/index.ts";

/** Positions of the rows drawn, in their order; of a stratum the ones that `rank` puts first. */
export function stratified(
  strata: readonly string[],
  count: number,
  {
    temperature,
    random,
    rank,
  }: { temperature: number; random: Random; rank: (a: number, b: number) => number },
): number[] {
  const groups = new Map<string, number[]>();
  for (const [at, name] of strata.entries()) {
    const group = groups.get(name);
    if (group) group.push(at);
    else groups.set(name, [at]);
  }
  const left = [...groups.values()].map((rows) => ({
    weight: rows.length ** (1 / temperature),
    // Equal ranks are in an order of chance.
    rows: random.shuffle(rows).sort(rank),
  }));
  const drawn: number[] = [];
  while (drawn.length < count && left.length > 0) {
    let at = random.uniform() * left.reduce((sum, { weight }) => sum + weight, 0);
    let chosen = 0;
    while (chosen < left.length - 1 && at >= left[chosen]!.weight) at -= left[chosen++]!.weight;
    const group = left[chosen]!;
    drawn.push(group.rows.shift()!);
    if (group.rows.length === 0) left.splice(chosen, 1);
  }
  return drawn.sort((a, b) => a - b);
}
