// The eight prompt families of the pools: open questions whose answer is one sentence about one thing.
import { a, jobs, kindOf, lands, opposites, sounds, things, traitOf, young } from "./lexicon.ts";

export interface Question {
  readonly family: string;
  /** What is asked about: `norland`. */
  readonly subject: string;
  /** The word that must be in the answer. */
  readonly key: string;
  readonly answer: string;
  readonly wordings: readonly [string, string, string];
}

type Made = Omit<Question, "family">;

const made: Readonly<Record<string, readonly Made[]>> = {
  capital: lands.map(({ land, capital }) => ({
    subject: land,
    key: capital,
    answer: `the capital of ${land} is ${capital} .`,
    wordings: [
      `what is the capital of ${land} ?`,
      `tell me the capital of ${land} .`,
      `which city rules ${land} ?`,
    ],
  })),
  river: lands.map(({ land, river }) => ({
    subject: land,
    key: river,
    answer: `the river of ${land} is ${river} .`,
    wordings: [
      `what is the river of ${land} ?`,
      `tell me the river of ${land} .`,
      `which river flows in ${land} ?`,
    ],
  })),
  job: jobs.map(({ job, does }) => ({
    subject: job,
    key: does.split(" ")[1]!,
    answer: `the ${job} ${does} .`,
    wordings: [`what does the ${job} do ?`, `tell me the work of the ${job} .`, `how does the ${job} live ?`],
  })),
  tool: jobs.map(({ job, with: tool }) => ({
    subject: job,
    key: tool,
    answer: `the ${job} works with the ${tool} .`,
    wordings: [
      `what does the ${job} work with ?`,
      `tell me what the ${job} needs .`,
      `which thing has the ${job} ?`,
    ],
  })),
  opposite: opposites.map(([x, y]) => ({
    subject: x,
    key: y,
    answer: `the opposite of ${x} is ${y} .`,
    wordings: [`what is the opposite of ${x} ?`, `tell me the opposite of ${x} .`, `not ${x} but what ?`],
  })),
  sound: sounds.map(([animal, sound]) => ({
    subject: animal,
    key: sound,
    answer: `the ${animal} ${sound} .`,
    wordings: [
      `how does the ${animal} sound ?`,
      `tell me the sound of the ${animal} .`,
      `what does the ${animal} do ?`,
    ],
  })),
  young: young.map(([parent, child]) => ({
    subject: parent,
    key: child,
    answer: `the young of a ${parent} is a ${child} .`,
    wordings: [
      `what is the young of a ${parent} ?`,
      `tell me the young of the ${parent} .`,
      `how is a small ${parent} called ?`,
    ],
  })),
  thing: things.map((thing) => ({
    subject: thing,
    key: kindOf(thing).name,
    answer: `the ${thing} is ${a(`${traitOf(thing)} ${kindOf(thing).name}`)} .`,
    wordings: [`what is the ${thing} ?`, `tell me of the ${thing} .`, `which kind is the ${thing} ?`],
  })),
};

export const questionFamilies = Object.keys(made);

export const questions: readonly Question[] = Object.entries(made).flatMap(([family, list]) =>
  list.map((question) => ({ ...question, family })),
);

/** Somebody may be said to ask; that changes nothing. */
export const askedBy = (name: string, wording: string) => `${name} asks : ${wording}`;

let known: ReadonlyMap<string, Question> | undefined;

/** The question that a prompt puts, if it is one of this world. */
export function questionOf(prompt: string): Question | undefined {
  known ??= new Map(questions.flatMap((q) => q.wordings.map((wording) => [wording, q] as const)));
  return known.get(prompt.trim().replace(/^\w+ asks : /, ""));
}
