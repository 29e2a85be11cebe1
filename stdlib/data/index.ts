// The sources and transforms of datasets.
import type { Operation } from "../../engine/index.ts";
import { filter, map, rename, select } from "./columns/index.ts";
import { join } from "./join/index.ts";
import { fromAlpacaEval, fromFastChat } from "./judged/index.ts";
import { concat, sample, shuffle, skip, take } from "./order/index.ts";
import { prefix, sentences } from "./prose/index.ts";
import { csv, jsonl, parquet, text } from "./source/index.ts";
import { explicitPrompt, fromAlpaca, fromShareGpt } from "./spellings/index.ts";
import { dedupe, split } from "./split/index.ts";

export { peekRow } from "./source/peek.ts";

export const sources: readonly Operation[] = [text, jsonl, csv, parquet];

export const transforms: readonly Operation[] = [
  select,
  rename,
  filter,
  map,
  sentences,
  prefix,
  split,
  dedupe,
  take,
  skip,
  sample,
  shuffle,
  concat,
  join,
  fromAlpaca,
  fromShareGpt,
  fromAlpacaEval,
  fromFastChat,
  explicitPrompt,
];
