// A failure or a warning in words: what, where and what to do.
import { paint } from "./terminal.ts";

interface Told {
  readonly code: string;
  readonly message: string;
  readonly where?: string | undefined;
  readonly help?: string | undefined;
}

export const failureText = (problem: Told): string => told(paint.red(`error[${problem.code}]`), problem);

export const warningText = (problem: Told): string => told(paint.yellow(`warning[${problem.code}]`), problem);

function told(kind: string, { message, where, help }: Told): string {
  const lines = [`${kind}: ${paint.bold(message)}`];
  if (where) lines.push(`  ${paint.cyan("-->")} ${where}`);
  if (help) lines.push(`  ${paint.cyan("help")}: ${help}`);
  return lines.join("\n");
}
