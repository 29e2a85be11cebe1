// Rows of rankings with their labelers, and the rows of different labelers that rank the same responses.
import { type RowData, TaskError } from "../../engine/index.ts";
import { listIn, textIn, wrongColumn } from "../data/row-text.ts";
import type { Ranks } from "./agreement.ts";

export interface Labelled {
  readonly labeler: string;
  readonly ranks: Ranks;
  readonly row: RowData;
}

export function labelledIn(row: RowData, number: number): Labelled {
  const responses = listIn(row, "responses", number);
  const ranks = listIn(row, "ranks", number).map((rank) => {
    if (typeof rank === "number") return rank;
    throw wrongColumn(row, "ranks", number, "a list of numbers");
  });
  if (ranks.length !== responses.length) {
    throw new TaskError({
      code: "ranking-invalid",
      message: `row ${number} has ${responses.length} responses and ${ranks.length} ranks`,
      help: "a ranking has a rank for each response: 1 is best, equal ranks are ties",
    });
  }
  return { labeler: textIn(row, "labeler", number), ranks, row };
}

/** Rankings of the same responses to the same prompt, in the order of their first one. */
export function items(all: readonly Labelled[]): Labelled[][] {
  const groups = new Map<string, Labelled[]>();
  for (const one of all) {
    const key = JSON.stringify([one.row.prompt, one.row.responses]);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return [...groups.values()];
}
