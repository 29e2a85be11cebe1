// Measures how far labelers agree, and leaves out those who do not agree with a reference.
import { type Rows, readRows, type StageRun, TaskError, type TransformRun } from "../../engine/index.ts";
import { bootstrapInterval, mean } from "../compare/statistics.ts";
import { agreementOf, krippendorffAlpha, type Level } from "./agreement.ts";
import { items, type Labelled, labelledIn } from "./rankings.ts";

async function read(rows: Rows): Promise<Labelled[]> {
  const all: Labelled[] = [];
  for await (const row of rows) all.push(labelledIn(row, all.length + 1));
  return all;
}

export const agreement: StageRun<{ readonly level: Level; readonly seed: number }> = {
  async run({ params, inputs }) {
    const all = await read(readRows(inputs.rankings![0]!.dir));
    const shared = items(all).filter((group) => group.length > 1);
    if (shared.length === 0) {
      throw new TaskError({
        code: "no-overlap",
        message: `in ${all.length} rankings no two labelers ranked the same responses`,
        help: "agreement needs prompts that several labelers ranked (simulate_labelers: labelers_per_prompt: 2)",
      });
    }
    const perItem: number[] = [];
    const perLabeler = new Map<string, { agreed: number; pairs: number }>();
    for (const group of shared) {
      let [agreed, pairs] = [0, 0];
      group.forEach((a, i) => {
        for (const b of group.slice(i + 1)) {
          const one = agreementOf(a.ranks, b.ranks);
          agreed += one.agreed;
          pairs += one.pairs;
          for (const { labeler } of [a, b]) {
            const own = perLabeler.get(labeler) ?? { agreed: 0, pairs: 0 };
            perLabeler.set(labeler, { agreed: own.agreed + one.agreed, pairs: own.pairs + one.pairs });
          }
        }
      });
      perItem.push(agreed / pairs);
    }
    const { low, high } = bootstrapInterval(perItem, {
      seed: params.seed,
      resamples: 2000,
      confidence: 0.95,
    });
    const units = shared.flatMap((group) =>
      group[0]!.ranks.map((_, i) => group.map(({ ranks }) => ranks[i]!)),
    );
    const ties = all.map(({ ranks }) => 1 - new Set(ranks).size / ranks.length);
    const names = [...perLabeler.keys()].sort();
    const lines = names.map((name) => {
      const { agreed, pairs } = perLabeler.get(name)!;
      return `${name}  ${((100 * agreed) / pairs).toFixed(1)}%  of ${pairs} pairs`;
    });
    return {
      metrics: {
        agreement: mean(perItem),
        agreement_low: low,
        agreement_high: high,
        alpha: krippendorffAlpha(units, params.level),
        tied: mean(ties),
        labelers: new Set(all.map(({ labeler }) => labeler)).size,
        rankings: all.length,
        shared: shared.length,
      },
      summary: `Agreement of each labeler with the others\n${lines.join("\n")}\n`,
    };
  },
};

export const screenLabelers: TransformRun<{ readonly reference: string; readonly min_agreement: number }> = {
  async *transform(rows, { params }): Rows {
    const { reference, min_agreement } = params;
    const all = await read(rows);
    const names = [...new Set(all.map(({ labeler }) => labeler))];
    if (!names.includes(reference)) {
      throw new TaskError({
        code: "no-reference-labeler",
        message: `there is no ranking by ${reference}; labelers are ${names.slice(0, 8).join(", ")}${names.length > 8 ? ", …" : ""}`,
        help: "`reference` names the labeler whom the others are held against",
      });
    }
    const tally = new Map(names.map((name) => [name, { agreed: 0, pairs: 0 }]));
    for (const group of items(all)) {
      const own = group.find(({ labeler }) => labeler === reference);
      if (!own) continue;
      for (const { labeler, ranks } of group) {
        const { agreed, pairs } = agreementOf(own.ranks, ranks);
        const sum = tally.get(labeler)!;
        tally.set(labeler, { agreed: sum.agreed + agreed, pairs: sum.pairs + pairs });
      }
    }
    // Nobody can be told to agree who ranked nothing that the reference ranked.
    const passes = (name: string) => {
      const { agreed, pairs } = tally.get(name)!;
      return pairs > 0 && agreed / pairs >= min_agreement;
    };
    for (const { labeler, row } of all) if (passes(labeler)) yield row;
  },
};
