// Reads word lists: words, or short phrases, with numbers. What a file is, its content says, not its name.
import { pathToFileURL } from "node:url";
import { parse } from "csv-parse/sync";
import { TaskError } from "../../engine/index.ts";
import { readText } from "../data/source/text.ts";
import { tokensOf } from "./lexicon-judge.ts";

/** Phrases as `tokensOf` spells them, sorted. */
export async function readWordList(path: string): Promise<Record<string, number>> {
  const entries = await entriesOf(path, readText(path));
  const words = new Map<string, number>();
  for (const [word, value] of entries) {
    const phrase = typeof word === "string" ? tokensOf(word).join(" ") : "";
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (phrase === "" || typeof number !== "number" || !Number.isFinite(number)) {
      throw invalid(path, `${JSON.stringify(word)}: ${JSON.stringify(value)} is not a word with a number`);
    }
    const known = words.get(phrase);
    if (known !== undefined && known !== number)
      throw invalid(path, `${phrase} is there with ${known} and ${number}`);
    words.set(phrase, number);
  }
  if (words.size === 0) throw invalid(path, "it has no words");
  return Object.fromEntries([...words].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function entriesOf(path: string, content: string): Promise<[unknown, unknown][]> {
  const start = content.trimStart();
  if (start.startsWith("{") || start.startsWith("[")) {
    try {
      return pairsOf(JSON.parse(content), path);
    } catch (error) {
      if (error instanceof TaskError) throw error;
      throw invalid(path, `it is not JSON: ${(error as Error).message}`);
    }
  }
  if (/^\s*(export|module\.exports|exports\.)/m.test(content)) return moduleEntries(path);
  return tableEntries(path, content);
}

async function moduleEntries(path: string): Promise<[unknown, unknown][]> {
  let module: Record<string, unknown>;
  try {
    module = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    throw invalid(path, `the module cannot be loaded: ${(error as Error).message}`);
  }
  const lists = [...new Set(Object.values(module))].filter(
    (value) => typeof value === "object" && value !== null,
  );
  if (lists.length !== 1)
    throw invalid(path, `the module exports ${lists.length} objects; one word list is wanted`);
  return pairsOf(lists[0], path);
}

function tableEntries(path: string, content: string): [unknown, unknown][] {
  const first = content.split("\n", 1)[0]!;
  let records: string[][];
  try {
    records = parse(content, { delimiter: first.includes("\t") ? "\t" : ",", skip_empty_lines: true });
  } catch (error) {
    throw invalid(path, `it is not a table of two columns: ${(error as Error).message}`);
  }
  // A first line without a number names the columns.
  const named = records.length > 0 && Number.isNaN(Number(records[0]![1]));
  return pairsOf(named ? records.slice(1) : records, path);
}

function pairsOf(value: unknown, path: string): [unknown, unknown][] {
  if (!Array.isArray(value)) return Object.entries(value as Record<string, unknown>);
  return value.map((pair) => {
    if (Array.isArray(pair) && pair.length === 2) return [pair[0], pair[1]];
    throw invalid(path, `${JSON.stringify(pair)} is not a word with a number`);
  });
}

function invalid(path: string, message: string): TaskError {
  return new TaskError({
    code: "lexicon-invalid",
    message,
    where: path,
    help: 'a word list is {"good": 3, "bad": -3}, a list of such pairs, two columns, or a module that exports one',
  });
}
