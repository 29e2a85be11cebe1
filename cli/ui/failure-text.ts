// A failure in words: what, where and what to do.
import { paint } from "./terminal.ts";

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
