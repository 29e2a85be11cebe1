// What a person sees when a command cannot go on: one message without a stack, or a plain word that it is our bug.
import { asProblem } from "../engine/index.ts";
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

export function failureText(problem: {
  code: string;
  message: string;
  where?: string | undefined;
  help?: string | undefined;
}): string {
  const lines = [`${paint.red(`error[${problem.code}]`)}: ${paint.bold(problem.message)}`];
  if (problem.where) lines.push(`  ${paint.cyan("-->")} ${problem.where}`);
  if (problem.help) lines.push(`  ${paint.cyan("help")}: ${problem.help}`);
  return lines.join("\n");
}
