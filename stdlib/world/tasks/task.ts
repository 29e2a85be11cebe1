// What a dataset of the small world is: questions with four wordings, and an answer that is computed.
import type { Random } from "../../../tensor/index.ts";
import { draw, pick } from "../scene.ts";

export interface Task {
  /** What is read first; empty where the question stands alone. */
  readonly text: string;
  /** What is asked about, in a word or two: with the text all that a question says. */
  readonly subject: string;
  readonly questions: readonly [string, string, string, string];
  /** In the order in which they are shown. */
  readonly choices: readonly string[];
  readonly answer: string;
}

export interface TaskFamily {
  readonly cluster: string;
  make(random: Random): Task;
}

export const yesNo = ["yes", "no"];

/** Wordings, and choices in an order of their own unless they are fixed. */
export function task(
  random: Random,
  text: string,
  subject: string,
  questions: Task["questions"],
  answer: string,
  choices: readonly string[],
  fixed = false,
): Task {
  return {
    text,
    subject,
    questions,
    answer,
    choices: fixed ? choices : random.shuffle([...new Set(choices)]),
  };
}

export const others = <T>(all: readonly T[], not: T) => all.filter((item) => item !== not);

/** A word that has a property among words that have not. */
export function odd(
  random: Random,
  has: readonly string[],
  not: readonly string[],
  count = 1,
): [string, string[]] {
  const right = pick(random, has);
  return [right, [right, ...draw(random, not, count)]];
}
