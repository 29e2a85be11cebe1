// Values inside a running template: made from JSON, and written as Python writes them.
import { Environment } from "@huggingface/jinja";

/** A value of the template engine, which exports no types of its own for them. */
export interface Value {
  readonly type: string;
  readonly value: unknown;
}

/** From plain data; lists and objects are copied. */
export function boxed(value: unknown): Value {
  return new Environment().set("value", value) as unknown as Value;
}

/** Plain data. */
export function unboxed({ value }: Value): unknown {
  if (Array.isArray(value)) return value.map(unboxed);
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, x]) => [key, unboxed(x as Value)]));
  return value;
}

export const isUndefined = ({ type }: Value) => type === "UndefinedValue";

/** `value[key]`; keys of dicts may be numbers, as `{0: "no"}` has them. */
export function itemOf({ value }: Value, key: Value): Value {
  const at = Number(key.value);
  const found =
    value instanceof Map
      ? (value.get(text(key)) as Value | undefined)
      : typeof value === "string"
        ? [...value].at(at)
        : Array.isArray(value) && Number.isInteger(at)
          ? (value.at(at) as Value | undefined)
          : undefined;
  return typeof found === "object" ? found : boxed(found);
}

/** `str(value)` */
export function text(value: Value): string {
  return value.type === "StringValue" ? (value.value as string) : repr(value);
}

function repr(value: Value): string {
  switch (value.type) {
    case "StringValue":
      return quoted(value.value as string);
    case "NullValue":
      return "None";
    case "UndefinedValue":
      return "";
    case "BooleanValue":
      return value.value ? "True" : "False";
    case "TupleValue": {
      const items = (value.value as Value[]).map(repr);
      return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
    }
    case "ArrayValue":
      return `[${(value.value as Value[]).map(repr).join(", ")}]`;
    case "ObjectValue":
      return `{${[...(value.value as Map<string, Value>)].map(([key, x]) => `${quoted(key)}: ${repr(x)}`).join(", ")}}`;
    default:
      return String(value);
  }
}

/** Single quotes, unless only those are in it. */
function quoted(value: string): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const body = value.replace(/[\\\n\r\t'"]|\p{Cc}/gu, (c) => {
    if (c === "\\") return "\\\\";
    if (c === "\n") return "\\n";
    if (c === "\r") return "\\r";
    if (c === "\t") return "\\t";
    if (c === "'" || c === '"') return c === quote ? `\\${c}` : c;
    return `\\x${c.codePointAt(0)!.toString(16).padStart(2, "0")}`;
  });
  return `${quote}${body}${quote}`;
}

/** What `text` wrote of a list of texts or numbers, read back: `ast.literal_eval`. Undefined when it is no such list. */
export function listIn(written: string): (string | number)[] | undefined {
  const source = written.trim();
  if (!/^[[(].*[\])]$/s.test(source)) return undefined;
  const items: (string | number)[] = [];
  const token = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?))\s*(,|$)/sy;
  const body = source.slice(1, -1).trim();
  while (token.lastIndex < body.length) {
    const found = token.exec(body);
    if (!found) return undefined;
    const [, single, double, number] = found;
    items.push(number === undefined ? unescaped((single ?? double)!) : Number(number));
  }
  return items;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function unescaped(body: string): string {
  return body.replace(
    /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(.))/gis,
    (_, byte: string, unit: string, c: string) =>
      c === undefined ? String.fromCharCode(Number.parseInt(byte ?? unit, 16)) : (escapes[c] ?? c),
  );
}
