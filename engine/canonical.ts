// One spelling per value: canonical JSON for what people read, tagged bytes for what is hashed.
import { createHash } from "node:crypto";
import type { Json } from "../grammar/index.ts";

/** Sorted by UTF-16 code unit, the same on every machine and in every locale. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A bug in align: a value that has no canonical form reached a key or an artifact. */
export class NotCanonical extends Error {
  readonly value: string;
  /** From the root to the value: `["scores", 2]`. */
  readonly path: readonly (string | number)[];

  constructor(value: string, path: readonly (string | number)[]) {
    super(`${value} at ${path.length > 0 ? path.join(".") : "the top"} has no canonical form`);
    this.name = "NotCanonical";
    this.value = value;
    this.path = path;
  }
}

/** JSON with sorted keys, no spaces, no -0; members that are undefined are left out; NaN and the like are refused. */
export function canonicalJson(value: unknown): string {
  return json(value, []);
}

function json(value: unknown, path: (string | number)[]): string {
  switch (typeof value) {
    case "string":
    case "boolean":
      return JSON.stringify(value);
    case "number":
      if (!Number.isFinite(value)) throw new NotCanonical(String(value), [...path]);
      return value === 0 ? "0" : String(value);
    case "object": {
      if (value === null) return "null";
      if (Array.isArray(value)) {
        const items = value.map((item, i) => {
          path.push(i);
          const text = json(item, path);
          path.pop();
          return text;
        });
        return `[${items.join(",")}]`;
      }
      const members: string[] = [];
      const object = value as Record<string, unknown>;
      for (const name of Object.keys(object).sort(byCodeUnit)) {
        if (object[name] === undefined) continue;
        path.push(name);
        members.push(`${JSON.stringify(name)}:${json(object[name], path)}`);
        path.pop();
      }
      return `{${members.join(",")}}`;
    }
    default:
      throw new NotCanonical(typeof value, [...path]);
  }
}

/**
 * Tagged, length-prefixed bytes of a value: no two different values share them. Every value that is hashed
 * says what kind of record it is, so that a tree can never be mistaken for a task.
 */
export function encode(record: string, value: Json): Buffer {
  const parts: Buffer[] = [];
  push(parts, "r", Buffer.from(record));
  write(parts, value, []);
  return Buffer.concat(parts);
}

/** sha256 of `encode(record, value)`, in hex. */
export function digest(record: string, value: Json): string {
  return createHash("sha256").update(encode(record, value)).digest("hex");
}

function write(parts: Buffer[], value: Json, path: (string | number)[]): void {
  if (value === null) push(parts, "n");
  else if (typeof value === "boolean") push(parts, value ? "t" : "f");
  else if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new NotCanonical(String(value), path);
    push(parts, "d", Buffer.from(value === 0 ? "0" : String(value)));
  } else if (typeof value === "string") {
    // UTF-8 would make one replacement character of every lone surrogate.
    if (/\p{Surrogate}/u.test(value)) push(parts, "u", Buffer.from(value, "utf16le"));
    else push(parts, "s", Buffer.from(value));
  } else if (Array.isArray(value)) {
    push(parts, "l", Buffer.from(String(value.length)));
    value.forEach((item, i) => {
      write(parts, item, [...path, i]);
    });
  } else {
    const object = value as { readonly [key: string]: Json };
    const names = Object.keys(object)
      .filter((name) => object[name] !== undefined)
      .sort(byCodeUnit);
    push(parts, "o", Buffer.from(String(names.length)));
    for (const name of names) {
      write(parts, name, path);
      write(parts, object[name]!, [...path, name]);
    }
  }
}

function push(parts: Buffer[], tag: string, bytes: Buffer = Buffer.alloc(0)): void {
  parts.push(Buffer.from(`${tag}${bytes.length}:`), bytes);
}
