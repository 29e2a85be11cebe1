// Finds a stage of a plan by the name that was typed, and says what it may have been meant as.
import type { Plan, PlanTask } from "../engine/index.ts";
import { nearest } from "../grammar/index.ts";
import { failureText } from "./ui/failure-text.ts";

/** Undefined when there is none, which has been said; `others` are what else it may have been meant as. */
export function findStage(
  plan: Plan,
  name: string,
  file: string,
  others: readonly { readonly name: string }[] = [],
): PlanTask | undefined {
  const found = plan.tasks.find(({ id }) => id === name);
  if (found) return found;
  const names = [...plan.tasks.map(({ id }) => id), ...others.map((other) => other.name)];
  const [close] = nearest(name, names);
  const known = names.length > 0 ? `there is ${names.join(", ")}` : "it declares none that anything reads";
  const help = close ? `did you mean ${close}?` : known;
  console.error(failureText({ code: "no-such-stage", message: `${file} has no stage ${name}`, help }));
  return undefined;
}
