// What a person sees when a command cannot go on: one message without a stack, or a plain word that it is our bug.
import { asProblem } from "../engine/index.ts";
import { failureText } from "./ui/failure-text.ts";
import { paint } from "./ui/terminal.ts";

/** Prints to stderr and returns the exit status. */
export function reportFailure(error: unknown): number {
  const problem = asProblem(error);
  if (problem) {
    console.error(failureText(problem));
    return 1;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  console.error(
    `${paint.red("error")}: this is a bug in align, please report it with what follows\n${paint.dim(detail)}`,
  );
  return 1;
}
