// Reads text files: UTF-8, with or without a byte order mark, any line ends.
import { readFileSync } from "node:fs";
import { type Rows, type SourceRun, TaskError } from "../../../engine/index.ts";

interface Params {
  readonly per: "file" | "paragraph" | "line";
}

export const text: SourceRun<Params> = {
  async *read({ params, files }): Rows {
    for (const path of files.paths ?? []) {
      for (const part of partsOf(readText(path), params.per)) yield { text: part };
    }
  },
};

/** Line ends become LF; the byte order mark goes. */
export function readText(path: string): string {
  const bytes = readFileSync(path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r\n?/g, "\n");
  } catch {
    throw new TaskError({
      code: "not-utf8",
      message: "this line is not UTF-8",
      where: `${path}:${firstBadLine(bytes)}`,
      help: "convert the file, for example: iconv -f latin1 -t utf-8",
    });
  }
}

function* partsOf(content: string, per: Params["per"]): Iterable<string> {
  if (per === "file") {
    if (content.trim() !== "") yield content;
    return;
  }
  for (const part of content.split(per === "line" ? "\n" : /\n[^\S\n]*(?:\n[^\S\n]*)+/)) {
    const trimmed = per === "line" ? part : part.replace(/^\n+|\n+$/g, "");
    if (trimmed.trim() !== "") yield trimmed;
  }
}

/** Counted from 1: the line in which the longest valid start, found by halving, ends. */
function firstBadLine(bytes: Uint8Array): number {
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      // `stream` forgives a character that is only cut short.
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  let line = 1;
  for (const byte of bytes.subarray(0, good)) if (byte === 0x0a) line++;
  return line;
}
