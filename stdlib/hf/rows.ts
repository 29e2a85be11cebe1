// Rows of a dataset of the hub: downloaded into the shared cache, then streamed from there.
import { setTimeout } from "node:timers/promises";
import type { Rows, SourceRun } from "../../engine/index.ts";
import { type Count, type DataFile, onlyColumns, type ReadFile, readFiles } from "../data/source/read.ts";
import { chooseFiles, formatOf, type Part, partName } from "./data-files.ts";
import { hubSettings } from "./settings.ts";
import { type Selection, snapshot } from "./snapshot.ts";

interface Params extends Part {
  readonly revision: string;
  readonly columns?: readonly string[];
}

export const hfRows: SourceRun<Params> = {
  async *read({ params, progress, signal }): Rows {
    const { repo, revision, columns } = params;
    const { files, blob } = await snapshot({
      kind: "dataset",
      repo,
      revision,
      selection: dataFiles(params),
      settings: hubSettings(process.env),
      signal,
      onBytes: (done, total) => progress({ done, total, unit: "bytes" }),
      pause: (ms) => setTimeout(ms, undefined, { signal }),
    });
    const data = files.map((file): DataFile => ({ path: blob(file), name: `${repo}/${file.path}` }));
    yield* readFiles(data, readerOf(columns), progress);
  },
};

const dataFiles = (part: Part): Selection => ({
  name: partName(part),
  async choose(listed, read) {
    const card = listed.find(({ path }) => path === "README.md");
    return chooseFiles(part, listed, card && (await read(card)));
  },
});

function readerOf(columns: readonly string[] | undefined): ReadFile {
  return async function* (file: DataFile, count: Count): Rows {
    const format = formatOf(file.name);
    if (format === ".parquet") {
      yield* (await import("../data/source/parquet.ts")).readParquet(file, count, columns);
      return;
    }
    const rows =
      format === ".csv" || format === ".tsv"
        ? (await import("../data/source/csv.ts")).readCsv(file, count, {
            delimiter: format === ".tsv" ? "\t" : ",",
            // As `datasets` reads them.
            numbers: true,
          })
        : (await import("../data/source/jsonl.ts")).readJson(file, count);
    yield* columns ? onlyColumns(rows, columns, file.name) : rows;
  };
}
