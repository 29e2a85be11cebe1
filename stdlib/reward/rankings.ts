// Rows of comparisons as what a reward model learns from: token sequences, and which of them are better than which.
import { type Artifact, type RowData, readRows, TaskError } from "../../engine/index.ts";
import { listIn, wrongColumn } from "../data/row-text.ts";
import { encodePair, encodeResponses, plainText } from "../template/index.ts";
import type { ModelShell } from "../training/model.ts";
import type { Example } from "../training/padding.ts";

export interface RankedResponses {
  /** Prompt with response, K of them. */
  readonly sequences: readonly (readonly number[])[];
  /** The same with a mark on the responses. */
  readonly examples: readonly Example[];
  /** 1 is best; equal ranks are ties. */
  readonly ranks: readonly number[];
  /** By how much the better of two must lead; for pairs only. */
  readonly margin?: number;
  readonly labeler?: string;
}

/** The most that InstructGPT's labelers ranked at once. */
const LARGEST = 9;

/** Comparisons with at least one pair; those where all responses tie teach nothing and are left out. */
export async function readRankings(
  data: Pick<Artifact, "dir" | "node">,
  model: ModelShell,
  limit: number | undefined,
): Promise<{ rankings: RankedResponses[]; tied: number }> {
  const max_length = limit ?? model.geometry.maxLength;
  const rankings: RankedResponses[] = [];
  let [number, tied, long] = [0, 0, 0];
  for await (const row of readRows(data.dir)) {
    number++;
    const ranking = rankingOf(row, number, model, max_length);
    const untied = new Set(ranking.ranks).size > 1;
    if (!untied) tied++;
    else if (ranking.sequences.some((ids) => ids.length > max_length)) long++;
    else rankings.push(ranking);
  }
  if (rankings.length === 0) {
    throw new TaskError({
      code: "no-rankings",
      message: `none of the ${number} comparisons of ${data.node} can be learnt from: in ${tied} all responses tie, in ${long} the prompt leaves no room for a response within ${max_length} tokens`,
      help: long > 0 ? "raise max_length" : "look at the stage that made them",
    });
  }
  return { rankings, tied };
}

function rankingOf(row: RowData, number: number, model: ModelShell, max_length: number): RankedResponses {
  if (row.chosen !== undefined && row.rejected !== undefined) {
    const { chosen, rejected } = encodePair(row, model.tokenizer, { max_length });
    const margin = typeof row.margin === "number" ? { margin: row.margin } : {};
    return { ...sequencesOf([chosen, rejected]), ranks: [1, 2], ...margin, ...labelerOf(row) };
  }
  const { responses, ...rest } = comparisonIn(row, number);
  const examples = encodeResponses(row, responses, model.tokenizer, { max_length });
  return { ...sequencesOf(examples), ...rest };
}

export interface Comparison {
  readonly responses: readonly string[];
  /** 1 is best; equal ranks are ties. */
  readonly ranks: readonly number[];
  readonly labeler?: string;
}

/** What a row compares, as texts. */
export function comparisonIn(row: RowData, number: number): Comparison {
  if (row.chosen !== undefined && row.rejected !== undefined)
    return {
      responses: [plainText(row.chosen, "chosen"), plainText(row.rejected, "rejected")],
      ranks: [1, 2],
      ...labelerOf(row),
    };
  const responses = listIn(row, "responses", number).map((response) => {
    if (typeof response === "string") return response;
    throw wrongColumn(row, "responses", number, "a list of texts");
  });
  const ranks = ranksOf(row, number);
  if (ranks.length !== responses.length || responses.length < 2 || responses.length > LARGEST) {
    throw new TaskError({
      code: "ranking-invalid",
      message: `row ${number} has ${responses.length} responses and ${ranks.length} ranks`,
      help: `a comparison has 2 to ${LARGEST} responses and a rank for each: 1 is best, equal ranks are ties`,
    });
  }
  return { responses, ranks, ...labelerOf(row) };
}

const labelerOf = ({ labeler }: RowData) => (typeof labeler === "string" ? { labeler } : {});

const sequencesOf = (examples: readonly Example[]) => ({
  sequences: examples.map(({ ids }) => ids),
  examples,
});

/** The column `ranks`, or the order of the column `scores`. */
function ranksOf(row: RowData, number: number): number[] {
  const column = row.ranks === undefined ? "scores" : "ranks";
  const values = listIn(row, column, number).map((value) => {
    if (typeof value === "number") return value;
    throw wrongColumn(row, column, number, "a list of numbers");
  });
  return column === "ranks"
    ? values
    : values.map((score) => 1 + values.filter((other) => other > score).length);
}

/** Every pair of a comparison as a comparison of its own, better first. */
export function pairsOf({ examples, ranks, ...rest }: RankedResponses): RankedResponses[] {
  return ranks.flatMap((rank, i) =>
    ranks.flatMap((other, j) =>
      rank < other ? [{ ...rest, ...sequencesOf([examples[i]!, examples[j]!]), ranks: [1, 2] }] : [],
    ),
  );
}
