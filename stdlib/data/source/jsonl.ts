// Reads JSON Lines, or one JSON list of objects, as a stream; what is not an object is named with its file and line.
import {
  linesOf,
  parseJsonl,
  parseRow,
  type Rows,
  type SourceRun,
  TaskError,
} from "../../../engine/index.ts";
import { type Count, contentsOf, type DataFile, named, readFiles } from "./read.ts";

export const jsonl: SourceRun = {
  read: ({ files, progress }) => readFiles(named(files.paths), readJson, progress),
};

export async function* readJson(file: DataFile, count: Count): Rows {
  const lines = linesOf(contentsOf(file, count))[Symbol.asyncIterator]();
  const blank: string[] = [];
  let first = await lines.next();
  for (; !first.done && first.value.trim() === ""; first = await lines.next()) blank.push("");
  if (first.done) return;
  const all = from([...blank, first.value], lines);
  // A row is an object, so what starts with a bracket is the list of all of them: `alpaca_data.json`.
  if (first.value.trimStart().startsWith("[")) yield* readList(all, file.name);
  else yield* parseJsonl(all, file.name);
}

async function* from(start: readonly string[], rest: AsyncIterator<string>): AsyncIterable<string> {
  try {
    yield* start;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** Cuts the list where an object of it ends, and reads one object at a time. */
async function* readList(lines: AsyncIterable<string>, name: string): Rows {
  let [depth, quoted, escaped, number, item, began] = [0, false, false, 0, "", 0];
  let state = "before" as "before" | "item" | "between" | "after";
  for await (const line of lines) {
    number++;
    let start = 0;
    for (let i = 0; i < line.length; i++) {
      const c = line[i]!;
      if (state === "item") {
        if (escaped) escaped = false;
        else if (quoted) {
          if (c === "\\") escaped = true;
          else if (c === '"') quoted = false;
        } else if (c === '"') quoted = true;
        else if (c === "{" || c === "[") depth++;
        else if ((c === "}" || c === "]") && --depth === 0) {
          yield parseRow(item + line.slice(start, i + 1), `${name}:${began}`);
          [state, item] = ["between", ""];
        }
      } else if (/\s/.test(c)) continue;
      else if (state === "before" && c === "[") state = "between";
      else if (state === "between" && c === "{") [state, depth, start, began] = ["item", 1, i, number];
      else if (state === "between" && c === "]") state = "after";
      else if (state !== "between" || c !== ",") throw notAList(c, `${name}:${number}`);
    }
    if (state === "item") item += `${line.slice(start)}\n`;
  }
  if (state !== "after") throw notAList("the end of the file", `${name}:${number}`);
}

function notAList(found: string, where: string): TaskError {
  return new TaskError({
    code: "malformed-json",
    message: `${found.length === 1 ? JSON.stringify(found) : found} stands where an object or the end of the list is wanted`,
    where,
    help: "a JSON file is a list of objects: [{…}, {…}]; or write one object per line",
  });
}
