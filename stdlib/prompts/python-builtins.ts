// Filters of Jinja and promptsource, and methods of Python's texts, lists and dicts, that templates call.
import { boxed, text, unboxed, type Value } from "./python-values.ts";

type Method = (args: Value[]) => Value;
type Filter = (args: Value[], uniform: () => number) => Value;

const none = () => boxed(null);
const list = (value: Value) => value.value as Value[];
const same = (a: Value, b: Value) => JSON.stringify(unboxed(a)) === JSON.stringify(unboxed(b));

/** Jinja's `truncate`: whole words, and five characters more are let through. Characters are code points. */
function truncate(value: string, length: number, end = "...", leeway = 5): string {
  const characters = [...value];
  if (characters.length <= length + leeway) return value;
  const cut = characters.slice(0, length - end.length).join("");
  const space = cut.lastIndexOf(" ");
  return (space === -1 ? cut : cut.slice(0, space)) + end;
}

function numbers(value: Value): number[] {
  return list(value).map((x) => Number(x.value));
}

/** Items that come most often, in the order in which they came first. */
function mostFrequent(items: readonly Value[]): Value[] {
  const counts = new Map<string, { item: Value; count: number }>();
  for (const item of items) {
    const key = JSON.stringify(unboxed(item));
    const entry = counts.get(key) ?? { item, count: 0 };
    entry.count++;
    counts.set(key, entry);
  }
  const most = Math.max(...[...counts.values()].map(({ count }) => count));
  return [...counts.values()].filter(({ count }) => count === most).map(({ item }) => item);
}

function draw(args: Value[], uniform: () => number): Value {
  const items = args[0]!.type === "StringValue" ? [...text(args[0]!)].map(boxed) : list(args[0]!);
  if (items.length === 0) throw new Error("cannot choose from an empty sequence");
  return items[Math.floor(uniform() * items.length)]!;
}

export const filters: Readonly<Record<string, Filter>> = {
  string: ([value]) => boxed(text(value!)),
  truncate: ([value, length]) => boxed(truncate(text(value!), length ? Number(length.value) : 255)),
  choice: draw,
  random: draw,
  most_frequent([value]) {
    const items = list(value!);
    if (items.length === 0) return none();
    const made = boxed([]);
    list(made).push(...mostFrequent(items));
    return made;
  },
  highlight: ([value]) => boxed(`<span style='color: #F08080'>${text(value!)}</span>`),
  join: ([value, between]) => {
    const items = value!.type === "StringValue" ? [...text(value!)] : list(value!).map(text);
    return boxed(items.join(between ? text(between) : ""));
  },
  capitalize: ([value]) => boxed(capitalize(text(value!))),
  /** `map("lower")`; `map(attribute=…)` is the engine's own. */
  map([value, name]) {
    const f = simple[text(name!)];
    if (!f) throw new Error(`map knows no filter ${text(name!)}`);
    return boxed(list(value!).map((item) => f(text(item))));
  },
  sum: ([value]) => boxed(numbers(value!).reduce((a, b) => a + b, 0)),
  max: ([value]) => list(value!)[argbest(numbers(value!), Math.max)]!,
  min: ([value]) => list(value!)[argbest(numbers(value!), Math.min)]!,
  wordcount: ([value]) => boxed((text(value!).match(/[\p{L}\p{N}_]+/gu) ?? []).length),
};

const simple: Readonly<Record<string, (value: string) => string | number>> = {
  lower: (value) => value.toLowerCase(),
  upper: (value) => value.toUpperCase(),
  trim: (value) => value.trim(),
  string: (value) => value,
  capitalize,
  int: (value) => Math.trunc(Number(value)),
  length: (value) => [...value].length,
};

function argbest(values: readonly number[], best: (...values: number[]) => number): number {
  return values.indexOf(best(...values));
}

function capitalize(value: string): string {
  const [first = "", ...rest] = value;
  return first.toUpperCase() + rest.join("").toLowerCase();
}

function position(where: Value, what: Value): number {
  return where.type === "StringValue"
    ? [...text(where).split(text(what))[0]!].length -
        (text(where).includes(text(what)) ? 0 : [...text(where)].length + 1)
    : list(where).findIndex((item) => same(item, what));
}

export const methods: Readonly<Record<string, Method>> = {
  append([to, item]) {
    list(to!).push(item!);
    return none();
  },
  extend([to, items]) {
    list(to!).push(...list(items!));
    return none();
  },
  insert([to, at, item]) {
    list(to!).splice(Number(at!.value), 0, item!);
    return none();
  },
  remove([from, item]) {
    const at = position(from!, item!);
    if (at < 0) throw new Error("list.remove(x): x not in list");
    list(from!).splice(at, 1);
    return none();
  },
  pop([from, at]) {
    if (from!.value instanceof Map) {
      const key = text(at!);
      const found = from!.value.get(key) as Value | undefined;
      from!.value.delete(key);
      return found ?? none();
    }
    const items = list(from!);
    const place = at ? Number(at.value) : -1;
    const [found] = items.splice(place < 0 ? items.length + place : place, 1);
    if (!found) throw new Error("pop index out of range");
    return found;
  },
  index([where, what]) {
    const at = position(where!, what!);
    if (at < 0) throw new Error(`${text(what!)} is not in it`);
    return boxed(at);
  },
  find: ([where, what]) => boxed(Math.max(-1, position(where!, what!))),
  count: ([where, what]) =>
    boxed(
      where!.type === "StringValue"
        ? text(where!).split(text(what!)).length - 1
        : list(where!).filter((item) => same(item, what!)).length,
    ),
  join: ([between, items]) => boxed(list(items!).map(text).join(text(between!))),
  update([into, from]) {
    const target = into!.value as Map<string, Value>;
    for (const [key, value] of from!.value as Map<string, Value>) target.set(key, value);
    return none();
  },
  capitalize: ([value]) => boxed(capitalize(text(value!))),
  isdigit: ([value]) => boxed(/^\p{Nd}+$/u.test(text(value!))),
};
