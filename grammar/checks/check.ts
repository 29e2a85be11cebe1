// What a check is, and how checks walk over what is bound.
import type { BoundNode } from "../bind.ts";
import type { BoundCall } from "../bind-call.ts";
import type { Context } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";

export type Check = (context: Context) => readonly Diagnostic[];

/** Every operation applied anywhere, with the node it belongs to. */
export function everyCall(
  context: Context,
  visit: (call: BoundCall, node: BoundNode) => readonly Diagnostic[],
): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const node of context.own()) for (const call of node.calls) found.push(...visit(call, node));
  return found;
}

/** Whether the operation exists and stands where it may: otherwise nothing more is worth saying about it. */
export function fitsItsPlace(
  call: BoundCall,
): call is BoundCall & { signature: NonNullable<BoundCall["signature"]> } {
  return call.signature !== undefined && call.roles.includes(call.signature.kind);
}
