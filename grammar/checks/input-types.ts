// What is given to an operation has the type it wants. Both ends of a mismatch are shown.
import type { BoundArgument, BoundNode } from "../bind.ts";
import { type BoundCall, pipeInput } from "../bind-call.ts";
import { bridges, makersOf, selection } from "../bridge.ts";
import { diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic, Fix } from "../diagnostic.ts";
import { wholeFamily } from "../families.ts";
import { declaredAt } from "../scope.ts";
import type { InputSpec } from "../signature.ts";
import type { Place } from "../source.ts";
import { oneOf } from "../suggest.ts";
import { fits, misfits, printType, type Type } from "../types.ts";
import { type Check, everyCall, fitsItsPlace } from "./check.ts";

export const inputTypes: Check = (context) =>
  everyCall(context, (bound, node) => {
    if (!fitsItsPlace(bound)) return [];
    const { signature } = bound;
    const pipe = pipeInput(signature);
    const swapped = inAnotherOrder(bound, context);
    if (swapped) return [swapped];
    return [
      ...(pipe && bound.piped ? piped(bound, pipe, node, context) : []),
      ...bound.inputs.flatMap((input) =>
        input.given.flatMap((given) => argument(given, input.spec, signature.name, node, context)),
      ),
    ];
  });

/** Two arguments by position, each of which is what the other is wanted to be. */
function inAnotherOrder(bound: BoundCall, context: Context): Diagnostic | undefined {
  if (bound.inputs.length < 2) return undefined;
  const [a, b] = bound.inputs.flatMap(({ spec, given: all }) => {
    const [given] = all;
    if (!given || all.length > 1 || given.misplaced || fits(given.type, spec.type)) return [];
    const byPosition = bound.call.args.some((x) => !x.name && x.value === given.expression);
    return byPosition ? [{ spec, given }] : [];
  });
  if (!a || !b || !fits(a.given.type, b.spec.type) || !fits(b.given.type, a.spec.type)) return undefined;
  const [first, second] = [a.given.expression.span, b.given.expression.span];
  const text = (span: typeof first) => context.source.text.slice(span.start, span.end);
  const call = `${bound.call.callee.text}(${bound.call.args
    .map((x) => (x.value === a.given.expression ? second : x.value === b.given.expression ? first : x.span))
    .map(text)
    .join(", ")})`;
  return diagnose("AL0209", {
    title: `\`${bound.call.callee.text}\` is given its ${a.spec.name} and its ${b.spec.name} in another order`,
    at: context.place(first),
    label: `the ${a.spec.name} is wanted here, this is ${printType(a.given.type)}`,
    related: [
      [context.place(second), `the ${b.spec.name} is wanted here, this is ${printType(b.given.type)}`],
    ],
    help: [`write \`${call}\``],
    fixes: [
      {
        title: `exchange \`${text(first)}\` and \`${text(second)}\``,
        edits: [
          { place: context.place(first), text: text(second) },
          { place: context.place(second), text: text(first) },
        ],
      },
    ],
  });
}

function piped(bound: BoundCall, wanted: InputSpec, node: BoundNode, context: Context): Diagnostic[] {
  const given = bound.piped!;
  const type: Type = wanted.type.kind === "any" ? { kind: "dataset", row: { columns: {} } } : wanted.type;
  if (fits(given.type, type)) return [];
  return [
    diagnose("AL0202", {
      title: `\`${bound.call.callee.text}\` wants ${printType(type)}, it is given ${printType(given.type)}`,
      at: context.place(bound.call.callee.span),
      label: `${printType(type)} is wanted here`,
      related: [[given.place, `this is ${printType(given.type)}`]],
      notes: columns(given.type, type),
      help: bridges(given.type, type, context.signatures)
        .filter((b) => b.signature.name !== node.id)
        .slice(0, 1)
        .map((b) => `\`${b.call("rows")}\` makes ${printType(b.gives)} of ${printType(given.type)}`),
    }),
  ];
}

function argument(
  given: BoundArgument,
  spec: InputSpec,
  operation: string,
  node: BoundNode,
  context: Context,
): Diagnostic[] {
  if (!given.misplaced && fits(given.type, spec.type)) return [];
  const at = context.place(given.expression.span);
  const wanted = printType(spec.type);
  if (given.misplaced) {
    const { expression } = given;
    if (expression.kind === "reference" && context.family(expression.name.text))
      return wholeFamily(expression.name, context);
    return [
      diagnose("AL0202", {
        title: `\`${operation}\` wants ${wanted} for \`${spec.name}\`, this is ${given.misplaced}`,
        at,
        label: `${wanted} is wanted here`,
        notes: spec.doc ? [`${spec.name}: ${spec.doc}`] : [],
        help: [`give the name of ${declarationFor(spec.type)}`],
      }),
    ];
  }
  const type = printType(given.type);
  const name = given.expression.kind === "reference" ? given.expression.name.text : undefined;
  const declared = name === undefined ? undefined : given.node?.declaration;
  const { help, fixes } = remedy(given, spec.type, name, at, node, context);
  return [
    diagnose("AL0202", {
      title: `\`${operation}\` wants ${wanted}, ${name === undefined ? "it is given" : `\`${name}\` is`} ${type}`,
      at,
      label: `${wanted} is wanted here`,
      related: declared ? [[declaredAt(declared), `this is ${type}`]] : [],
      notes: columns(given.type, spec.type),
      help,
      fixes,
    }),
  ];
}

function declarationFor(type: Type): string {
  switch (type.kind) {
    case "dataset":
      return "a dataset, or of a stage that makes one";
    case "model":
      return "a model, or of a stage that makes one";
    default:
      return `something that is ${printType(type)}`;
  }
}

/** Which columns are the trouble. */
function columns(given: Type, wanted: Type): string[] {
  if (given.kind !== "dataset" || wanted.kind !== "dataset") return [];
  const found = misfits(given.row, wanted.row);
  const absent = found.filter((m) => m.given === undefined).map((m) => m.column);
  const have = Object.keys(given.row.columns).join(", ") || "none";
  return [
    ...(absent.length > 0 ? [`there is no column ${oneOf(absent)}; the columns are ${have}`] : []),
    ...found.flatMap((m) =>
      m.given === undefined ? [] : [`column \`${m.column}\` is ${m.given}, ${m.wanted} is wanted`],
    ),
  ];
}

/** Another declaration that fits is no remedy for rows; an operation that makes them fit is. */
function remedy(
  given: BoundArgument,
  wanted: Type,
  name: string | undefined,
  at: Place,
  node: BoundNode,
  context: Context,
): { help: string[]; fixes: Fix[] } {
  // Making rows of a model is a pipeline of its own, and hardly what was meant.
  const found =
    wanted.kind === "dataset" && given.type.kind !== "dataset"
      ? []
      : bridges(given.type, wanted, context.signatures);
  const best = found[0];
  if (best) {
    const call = best.call(name ?? "rows");
    const help = [`\`${call}\` makes ${printType(best.gives)} of ${printType(given.type)}`];
    if (name === undefined || !best.complete || !node.declaration) return { help, fixes: [] };
    if (best.signature.kind === "transform") {
      return { help, fixes: [{ title: `replace with \`${call}\``, edits: [{ place: at, text: call }] }] };
    }
    const fresh = context.freshId(`${name}_${best.signature.name}`);
    const start = node.declaration.span.start;
    return {
      help: [`${help[0]}: \`stage ${fresh} = ${call}\``],
      fixes: [
        {
          title: `insert \`stage ${fresh} = ${call}\` and use it`,
          edits: [
            { place: context.place({ start, end: start }), text: `stage ${fresh} = ${call}\n` },
            { place: at, text: fresh },
          ],
        },
      ],
    };
  }
  const fitting = context
    .own()
    .filter((n) => n.declaration && n.type.kind !== "any" && n !== node && fits(n.type, wanted));
  const names = fitting.map((n) => `\`${n.id}\``);
  const select = selection(given.type, wanted);
  const makers = wanted.kind === "dataset" ? [] : makersOf(wanted, context.signatures);
  return {
    help: [
      ...(select ? [`name the columns it wants: \`${name ?? "rows"} |> ${select}\``] : []),
      names.length > 0
        ? `declared in this file and fitting: ${names.join(", ")}`
        : `nothing in this file is ${printType(wanted)}`,
      ...(makers.length > 0
        ? [`${printType(wanted)} is what these make: ${makers.map((m) => `\`${m}(…)\``).join(", ")}`]
        : []),
    ],
    fixes: [],
  };
}
