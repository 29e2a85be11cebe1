// How far people agree: pairs that two ranked alike, and Krippendorff's alpha, which also counts what chance would give.

/** Ranks of the same responses, 1 is best, by one labeler. */
export type Ranks = readonly number[];

/**
 * Over the pairs of responses: 1 where both say the same, ½ where exactly one of them says tie, else 0; summed, with the number
 * of pairs (Zhou et al. 2023 §4.1, tie-discounted accuracy).
 */
export function agreementOf(a: Ranks, b: Ranks): { agreed: number; pairs: number } {
  let [agreed, pairs] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    for (let j = i + 1; j < a.length; j++) {
      const [x, y] = [Math.sign(a[i]! - a[j]!), Math.sign(b[i]! - b[j]!)];
      agreed += x === y ? 1 : x === 0 || y === 0 ? 0.5 : 0;
      pairs++;
    }
  }
  return { agreed, pairs };
}

export type Level = "nominal" | "ordinal" | "interval";

/**
 * Krippendorff's alpha, 1 - observed / expected disagreement (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability).
 * `units` are what was judged, each with the values that it was given; units with fewer than two say nothing. NaN where all
 * values are the same.
 */
export function krippendorffAlpha(units: readonly (readonly number[])[], level: Level): number {
  const paired = units.filter((values) => values.length > 1);
  const kinds = [...new Set(paired.flat())].sort((a, b) => a - b);
  const place = new Map(kinds.map((kind, i) => [kind, i]));
  // How often values c and k stand beside each other in a unit, each unit weighing as many as it has values.
  const together = kinds.map(() => kinds.map(() => 0));
  for (const values of paired) {
    values.forEach((c, i) => {
      values.forEach((k, j) => {
        if (i !== j) together[place.get(c)!]![place.get(k)!]! += 1 / (values.length - 1);
      });
    });
  }
  const totals = together.map((row) => row.reduce((s, x) => s + x, 0));
  const n = totals.reduce((s, x) => s + x, 0);
  const difference = (c: number, k: number): number => {
    if (c === k) return 0;
    if (level === "nominal") return 1;
    if (level === "interval") return (kinds[c]! - kinds[k]!) ** 2;
    const [low, high] = [Math.min(c, k), Math.max(c, k)];
    const between = totals.slice(low, high + 1).reduce((s, x) => s + x, 0);
    return (between - (totals[c]! + totals[k]!) / 2) ** 2;
  };
  let [observed, expected] = [0, 0];
  for (const c of kinds.keys()) {
    for (const k of kinds.keys()) {
      observed += together[c]![k]! * difference(c, k);
      expected += (totals[c]! * totals[k]! * difference(c, k)) / (n - 1);
    }
  }
  return 1 - observed / expected;
}
