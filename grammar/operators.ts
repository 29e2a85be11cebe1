// Which operator binds how tightly: the row of operands that the parser reads becomes groups.
import type { IToken } from "chevrotain";

/** From the loosest to the tightest; `except` is written once, `not` stands between `and` and the comparisons. */
const levels: readonly (readonly string[])[] = [
  ["except"],
  ["or"],
  ["and"],
  ["<", "<=", ">", ">=", "==", "!="],
  ["+", "-"],
  ["*", "/"],
];
const comparisons = 3;

/** Behind these a comparison may begin. */
export const joins = (image: string): boolean => levels.findIndex((l) => l.includes(image)) < comparisons;

/** `a + b + c` means something, `a < b < c` does not. */
export const chains = (image: string): boolean => image !== "except" && !levels[comparisons]!.includes(image);

export interface Meaning<T> {
  operand(index: number): T;
  /** `a op b op c`, operators of one level. Of `except` and the comparisons there should be one. */
  join(operands: readonly T[], operators: readonly IToken[]): T;
  /** What `not` before the operand of this index holds for. */
  negate?(index: number, operand: T): T;
}

/** Every operator stands behind the operand of its index; operands may be missing. */
export function grouped<T>(operators: readonly IToken[], meaning: Meaning<T>): T {
  let next = 0;
  const read = (level: number): T => {
    if (level === levels.length) return meaning.operand(next++);
    const first = next;
    const operands = [read(level + 1)];
    const between: IToken[] = [];
    for (let op = operators[next - 1]; op && levels[level]!.includes(op.image); op = operators[next - 1]) {
      between.push(op);
      operands.push(read(level + 1));
    }
    const all = between.length > 0 ? meaning.join(operands, between) : operands[0]!;
    return level === comparisons && meaning.negate ? meaning.negate(first, all) : all;
  };
  return read(0);
}
