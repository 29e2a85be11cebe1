// Lists of words of the small world, for pretraining: told twice, or with one of them taken. What is listed is what will be said.
import type { Random } from "../../tensor/index.ts";
import {
  blame,
  colours,
  jobs,
  kinds,
  lands,
  names,
  numbers,
  opposites,
  places,
  praise,
  reviewed,
  synonyms,
  things,
  young,
} from "./lexicon.ts";
import { draw, pick } from "./scene.ts";

/** Every word that an answer can be, whatever is true of it. */
const words: readonly string[] = [
  ...new Set([
    ...["yes", "no"],
    ...names,
    ...things,
    ...kinds.flatMap(({ name, traits }) => [name, ...traits]),
    ...colours,
    ...places,
    ...numbers.slice(1),
    ...young.map(([, child]) => child),
    ...opposites.flat(),
    ...synonyms.flat(),
    ...praise,
    ...blame,
    ...reviewed,
    ...lands.flatMap(({ land, capital, river }) => [land, capital, river]),
    ...jobs.flatMap(({ job, with: tool }) => [job, tool]),
  ]),
];

export function listed(random: Random): string {
  return random.int(2) === 0 ? twice(random) : taken(random);
}

/** In the same order, so that each word says which comes next. */
function twice(random: Random): string {
  const list = draw(random, words, 4 + random.int(8)).join(" ");
  return `${list} again : ${list} .`;
}

/** One of two to four, any of them: nothing but the list says which it may be. */
function taken(random: Random): string {
  const choices = draw(random, words, 2 + random.int(3));
  const list = `${choices.slice(0, -1).join(" , ")} or ${choices.at(-1)}`;
  const [who, word] = [pick(random, names), pick(random, choices)];
  return pick(random, [
    `${list} : ${word} .`,
    `one of ${list} ? ${word} .`,
    `${who} says ${list} . it is ${word} .`,
    `${who} may say ${list} and says ${word} .`,
  ]);
}
