// Two models in one operation: not the same one twice where they are compared, and with one tokenizer. A reward model
// that a policy is trained against reads the policy's own tokens.
import type { BoundArgument, BoundNode } from "../bind.ts";
import type { BoundCall } from "../bind-call.ts";
import { diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { modelsOf } from "../lineage.ts";
import { type Check, everyCall, fitsItsPlace } from "./check.ts";

export const modelPairs: Check = (context) =>
  everyCall(context, (call) => {
    if (!fitsItsPlace(call) || call.signature.kind !== "stage") return [];
    const models = call.inputs.flatMap((i) =>
      i.spec.variadic
        ? []
        : i.given.filter(
            (g) =>
              g.node?.type.kind === "model" ||
              (trainsAgainst(call, i.spec.name) && g.node?.type.kind === "reward_model"),
          ),
    );
    const [first, second] = models;
    if (!first?.node || !second?.node) return [];
    if (first.node === second.node)
      return call.output.kind === "metrics" ? itself(call, first, second, context) : [];
    return tokenizers(call, first, second, context);
  });

const trainsAgainst = (call: BoundCall, input: string): boolean =>
  call.output.kind === "model" && input === "reward";

function itself(
  call: BoundCall,
  first: BoundArgument,
  second: BoundArgument,
  context: Context,
): Diagnostic[] {
  return [
    diagnose("AL0703", {
      title: `\`${call.call.callee.text}\` is given the same model twice`,
      at: context.place(second.expression.span),
      label: "this is the same model",
      related: [[context.place(first.expression.span), "as this"]],
      notes: ["a model wins half of the time against itself, whatever it is worth"],
      help: ["give it the model that training started from as the second"],
    }),
  ];
}

function tokenizers(
  call: BoundCall,
  first: BoundArgument,
  second: BoundArgument,
  context: Context,
): Diagnostic[] {
  const [a, b] = [tokenizerOf(first.node!), tokenizerOf(second.node!)];
  if (!a || !b || a === b) return [];
  const says = (
    { expression }: BoundArgument,
    t: BoundNode,
  ): readonly [ReturnType<Context["place"]>, string] => [
    context.place(expression.span),
    `this one reads with \`${t.declaration ? t.id : context.source.text.slice(t.place.span.start, t.place.span.end)}\``,
  ];
  const [at, label] = says(second, b);
  return [
    diagnose("AL0208", {
      title: `\`${call.call.callee.text}\` is given models with different tokenizers`,
      at,
      label,
      related: [says(first, a)],
      notes: ["it compares probabilities token by token, and these models cut text into different tokens"],
      help: ["give it models that were made over one tokenizer"],
    }),
  ];
}

const tokenizersOf = new WeakMap<BoundNode, { readonly tokenizer: BoundNode | undefined }>();

/** The tokenizer that a model was made over, where the program shows it. */
function tokenizerOf(model: BoundNode): BoundNode | undefined {
  const known = tokenizersOf.get(model);
  if (known) return known.tokenizer;
  let tokenizer: BoundNode | undefined;
  for (const node of modelsOf(model)) {
    const before = tokenizersOf.get(node);
    const given = node.calls.flatMap((c) => c.inputs.flatMap((i) => i.given));
    tokenizer = before ? before.tokenizer : given.find((g) => g.node?.type.kind === "tokenizer")?.node;
    if (before || tokenizer) break;
  }
  tokenizersOf.set(model, { tokenizer });
  return tokenizer;
}
