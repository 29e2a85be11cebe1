// What every row of a row-wise stage came to, kept as soon as it is known: no row is computed or paid for twice.
import { createHash } from "node:crypto";
import { closeSync, fdatasyncSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Json } from "../../grammar/index.ts";
import { digest } from "../canonical.ts";
import { type Clock, systemClock } from "../ports.ts";

export interface RowJournal {
  /** What was kept for it: by an attempt that was killed, or by a run over other data that had the same row. */
  get(row: Json): Json | undefined;
  put(row: Json, result: Json): void;
  close(): void;
}

/** A kill loses nothing; a power cut loses what was put in this long. */
const SYNC_MS = 1_000;

/**
 * Lines of checksum, digest of the row, and result. Several processes may append at once; a line that is torn or
 * damaged is as if it had never been written.
 */
export function openRowJournal(path: string, clock: Clock = systemClock): RowJournal {
  mkdirSync(dirname(path), { recursive: true });
  const known = load(path);
  const fd = openSync(path, "a");
  let [synced, open, begun] = [clock.now(), true, false];
  return {
    get: (row) => known.get(rowDigest(row)),
    put(row, result) {
      const name = rowDigest(row);
      const body = JSON.stringify([name, result]);
      // What a crash may have left before it must not spoil the first line.
      writeSync(fd, `${begun ? "" : "\n"}${checksum(body)} ${body}\n`);
      begun = true;
      known.set(name, result);
      if (clock.now() - synced < SYNC_MS) return;
      fdatasyncSync(fd);
      synced = clock.now();
    },
    close() {
      if (!open) return;
      open = false;
      if (begun) fdatasyncSync(fd);
      closeSync(fd);
    },
  };
}

/** The kept result of a row, or a new one that is kept from now on. */
export async function once<T extends Json>(
  journal: RowJournal | undefined,
  row: Json,
  work: () => Promise<T>,
): Promise<T> {
  const kept = journal?.get(row);
  if (kept !== undefined) return kept as T;
  const result = await work();
  journal?.put(row, result);
  return result;
}

function load(path: string): Map<string, Json> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return new Map();
  }
  const known = new Map<string, Json>();
  for (const line of text.split("\n")) {
    const body = line.slice(SUM + 1);
    if (line.length <= SUM || checksum(body) !== line.slice(0, SUM)) continue;
    const [name, result] = JSON.parse(body) as [string, Json];
    known.set(name, result);
  }
  return known;
}

const SUM = 16;

function checksum(body: string): string {
  return createHash("sha256").update(body).digest("hex").slice(0, SUM);
}

function rowDigest(row: Json): string {
  return digest("align.row.1", row);
}
