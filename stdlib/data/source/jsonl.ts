// Reads JSON Lines files as a stream; a line that is not an object is named with its file.
import { type Rows, readJsonl, type SourceRun } from "../../../engine/index.ts";

export const jsonl: SourceRun = {
  async *read({ files }): Rows {
    for (const path of files.paths ?? []) yield* readJsonl(path);
  },
};
