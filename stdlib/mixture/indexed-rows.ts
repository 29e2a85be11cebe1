// Any row of a dataset artifact without holding all of them: where each line starts, and the line when it is wanted.
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { RowData } from "../../engine/index.ts";

const newline = 10;
const chunk = 1 << 20;

export class IndexedRows {
  readonly #file: FileHandle;
  /** Of each line, and the end of the last. */
  readonly #starts: readonly number[];

  private constructor(file: FileHandle, starts: readonly number[]) {
    this.#file = file;
    this.#starts = starts;
  }

  static async open(dir: string): Promise<IndexedRows> {
    const file = await open(join(dir, "rows.jsonl"), "r");
    const starts = [0];
    const buffer = Buffer.allocUnsafe(chunk);
    for (let at = 0; ; ) {
      const { bytesRead } = await file.read(buffer, 0, chunk, at);
      if (bytesRead === 0) break;
      for (let i = buffer.indexOf(newline); i !== -1 && i < bytesRead; i = buffer.indexOf(newline, i + 1))
        starts.push(at + i + 1);
      at += bytesRead;
    }
    return new IndexedRows(file, starts);
  }

  get count(): number {
    return this.#starts.length - 1;
  }

  async row(index: number): Promise<RowData> {
    const start = this.#starts[index]!;
    const length = this.#starts[index + 1]! - start;
    const { buffer } = await this.#file.read(Buffer.allocUnsafe(length), 0, length, start);
    return JSON.parse(buffer.toString("utf8")) as RowData;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
