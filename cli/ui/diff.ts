// The lines that differ between two texts, as a unified diff.

interface Line {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

const context = 3;

/** `--- path`, `+++ path`, hunks; empty when nothing differs. */
export function unifiedDiff(path: string, before: string, after: string): string {
  const lines = compared(before.split("\n"), after.split("\n"));
  const near = lines.map((_, i) =>
    lines.slice(Math.max(0, i - context), i + context + 1).some((l) => l.sign !== " "),
  );
  const out: string[] = [];
  let [oldLine, newLine] = [1, 1];
  for (let i = 0; i < lines.length; ) {
    if (!near[i]) {
      oldLine++;
      newLine++;
      i++;
      continue;
    }
    const hunk: Line[] = [];
    while (i < lines.length && near[i]) hunk.push(lines[i++]!);
    const removed = hunk.filter((l) => l.sign !== "+").length;
    const added = hunk.filter((l) => l.sign !== "-").length;
    out.push(`@@ -${oldLine},${removed} +${newLine},${added} @@`, ...hunk.map((l) => l.sign + l.text));
    oldLine += removed;
    newLine += added;
  }
  return out.length === 0 ? "" : [`--- ${path}`, `+++ ${path}`, ...out, ""].join("\n");
}

/** Longest common subsequence between the common head and tail; a file of declarations is short. */
function compared(a: readonly string[], b: readonly string[]): Line[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const [x, y] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  const same = (text: string): Line => ({ sign: " ", text });
  const lengths = Array.from({ length: x.length + 1 }, () => new Uint32Array(y.length + 1));
  for (let i = x.length - 1; i >= 0; i--)
    for (let j = y.length - 1; j >= 0; j--)
      lengths[i]![j] =
        x[i] === y[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
  const middle: Line[] = [];
  for (let [i, j] = [0, 0]; i < x.length || j < y.length; ) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      middle.push(same(x[i++]!));
      j++;
    } else if (j >= y.length || (i < x.length && lengths[i + 1]![j]! >= lengths[i]![j + 1]!))
      middle.push({ sign: "-", text: x[i++]! });
    else middle.push({ sign: "+", text: y[j++]! });
  }
  return [...a.slice(0, head).map(same), ...middle, ...a.slice(a.length - tail).map(same)];
}
