// Bytes kept one record after the other, any of which can be had by its place: in memory while they are few, in a file beyond that.
import { closeSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Bytes held before they go to the file, 64 MiB; also the most that is written at once. */
const HELD = 2 ** 26;

export interface RecordsOptions {
  /** Where they go when they are many; without one they stay in memory. A file that is there is written over. */
  readonly path?: string | undefined;
  readonly held?: number;
}

export class Records {
  readonly #path: string | undefined;
  readonly #limit: number;
  readonly #starts = new Column(Float64Array);
  #file: number | undefined;
  /** Bytes in the file; what comes after them is in the buffer. */
  #written = 0;
  #buffer = Buffer.allocUnsafe(1 << 12);
  #used = 0;

  constructor({ path, held = HELD }: RecordsOptions = {}) {
    this.#path = path;
    this.#limit = held;
  }

  get count(): number {
    return this.#starts.length;
  }

  add(record: Uint8Array): void {
    this.#makeRoom(record.length);
    this.#starts.push(this.#written + this.#used);
    this.#buffer.set(record, this.#used);
    this.#used += record.length;
  }

  /** A copy. */
  at(index: number): Uint8Array {
    const start = this.#starts.at(index);
    const end = index + 1 < this.count ? this.#starts.at(index + 1) : this.#written + this.#used;
    const record = new Uint8Array(end - start);
    if (start >= this.#written) {
      record.set(this.#buffer.subarray(start - this.#written, end - this.#written));
    } else {
      for (let done = 0; done < record.length; )
        done += readSync(this.#file!, record, done, record.length - done, start + done);
    }
    return record;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #makeRoom(needed: number): void {
    if (this.#used + needed <= this.#buffer.length) return;
    if (this.#path !== undefined && this.#used + needed > this.#limit) this.#flush();
    if (this.#used + needed <= this.#buffer.length) return;
    const most = this.#path === undefined ? Number.POSITIVE_INFINITY : this.#limit;
    const doubled = Math.min(2 * this.#buffer.length, most);
    const larger = Buffer.allocUnsafe(Math.max(doubled, this.#used + needed));
    larger.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = larger;
  }

  #flush(): void {
    if (this.#file === undefined) mkdirSync(dirname(this.#path!), { recursive: true });
    this.#file ??= openSync(this.#path!, "w+");
    for (let done = 0; done < this.#used; )
      done += writeSync(this.#file, this.#buffer, done, this.#used - done, this.#written + done);
    this.#written += this.#used;
    this.#used = 0;
  }
}

/** Numbers one after the other, four or eight bytes each. */
export class Column {
  #values: Float64Array | Uint32Array;
  #length = 0;

  constructor(Values: typeof Float64Array | typeof Uint32Array) {
    this.#values = new Values(1 << 10);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new (this.#values.constructor as typeof Float64Array)(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  at(index: number): number {
    return this.#values[index]!;
  }

  values(): Float64Array | Uint32Array {
    return this.#values.subarray(0, this.#length);
  }
}
