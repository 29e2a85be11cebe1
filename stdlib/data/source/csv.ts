// Reads CSV files as a stream; a record with too many or too few values is named with its file and line.
import { Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { type RowData, type Rows, type SourceRun, TaskError } from "../../../engine/index.ts";
import { type Count, contentsOf, type DataFile, named, readFiles } from "./read.ts";

export interface CsvParams {
  readonly delimiter: string;
  readonly numbers: boolean;
}

export const csv: SourceRun<CsvParams> = {
  read: ({ params, files, progress }) =>
    readFiles(named(files.paths), (file, count) => readCsv(file, count, params), progress),
};

export async function* readCsv(file: DataFile, count: Count, { delimiter, numbers }: CsvParams): Rows {
  const parser = parse({
    bom: true,
    delimiter,
    skip_empty_lines: true,
    columns: (header: string[]) => checkedHeader(header, file.name),
  });
  const input = Readable.from(contentsOf(file, count));
  input.on("error", (error) => parser.destroy(error));
  input.pipe(parser);
  try {
    for await (const record of parser as AsyncIterable<Record<string, string>>) {
      yield numbers ? withNumbers(record) : record;
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new TaskError({
      code: "malformed-csv",
      message: messageOf(error),
      where: `${file.name}:${error.lines}`,
      help: 'a value that contains the delimiter, a quote or a line end must stand in quotes: "a, b"',
    });
  } finally {
    input.destroy();
  }
}

function checkedHeader(header: string[], path: string): string[] {
  const twice = header.find((name, i) => header.indexOf(name) !== i);
  if (twice === undefined) return header;
  throw new TaskError({
    code: "malformed-csv",
    message: `the first line names ${JSON.stringify(twice)} twice`,
    where: `${path}:1`,
    help: "the first line must name every column once",
  });
}

function messageOf(error: CsvError): string {
  const { code, record, column } = error as CsvError & { record?: string[]; column?: unknown };
  switch (code) {
    case "CSV_RECORD_INCONSISTENT_COLUMNS":
    case "CSV_RECORD_INCONSISTENT_FIELDS_LENGTH":
      return `this record has ${record?.length} values, the first line names another number of columns`;
    case "CSV_QUOTE_NOT_CLOSED":
      return "a quote is opened and never closed";
    case "CSV_INVALID_CLOSING_QUOTE":
      return "a quote is closed in the middle of a value";
    default:
      return column === undefined ? error.message : `${String(column)}: ${error.message}`;
  }
}

function withNumbers(record: Record<string, string>): RowData {
  const row: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(record)) {
    row[name] = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(value) ? Number(value) : value;
  }
  return row;
}
