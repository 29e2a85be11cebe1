// Append-only files of JSON lines, readable after a crash in the middle of a line.
import { appendFileSync, closeSync, fstatSync, mkdirSync, openSync, readFileSync, readSync } from "node:fs";
import { dirname } from "node:path";
import type { Log } from "./store.ts";

export function openLog(path: string): Log {
  let begun = false;
  return {
    append(lines) {
      if (lines.length === 0) return;
      const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
      if (!begun) mkdirSync(dirname(path), { recursive: true });
      // A crash may have torn the last line: begin on a new one.
      appendFileSync(path, !begun && isTorn(path) ? `\n${text}` : text);
      begun = true;
    },
    read() {
      let text: string;
      try {
        text = readFileSync(path, "utf8");
      } catch {
        return [];
      }
      return text.split("\n").flatMap(parsedLine);
    },
  };
}

/** Nothing for a line that is empty or torn. */
function parsedLine(line: string): unknown[] {
  try {
    return line === "" ? [] : [JSON.parse(line)];
  } catch {
    return [];
  }
}

function isTorn(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return false;
  }
  try {
    const { size } = fstatSync(fd);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 10;
  } finally {
    closeSync(fd);
  }
}
