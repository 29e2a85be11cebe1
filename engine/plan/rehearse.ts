// A program on a small scale: the same operations in the same places, each parameter as its declaration says for rehearsals.
import type { Json, ParamSchema, Program, ProgramCall } from "../../grammar/index.ts";
import type { Operation } from "../operation.ts";

/** Nothing is published: it is not what was asked for. Everything else of the program is there. */
export function rehearsalOf(program: Program, operations: ReadonlyMap<string, Operation>): Program {
  const nodes = program.nodes.map((node) => ({
    ...node,
    calls: node.calls.map((call) => smaller(call, operations.get(call.op))),
  }));
  return { ...program, nodes, publications: [] };
}

function smaller(call: ProgramCall, operation: Operation | undefined): ProgramCall {
  const params: Record<string, Json> = { ...call.params };
  for (const [name, schema] of Object.entries(operation?.params.properties ?? {})) {
    const value = rehearsed(params[name], schema["x-rehearse"]);
    if (value !== undefined) params[name] = value;
  }
  return { ...call, params };
}

/** `most` leaves alone what is smaller or not given; `always` is what it is in any rehearsal. */
function rehearsed(value: Json | undefined, how: ParamSchema["x-rehearse"]): Json | undefined {
  if (how === undefined) return undefined;
  if ("always" in how) return how.always;
  return typeof value === "number" ? Math.min(value, how.most) : undefined;
}
