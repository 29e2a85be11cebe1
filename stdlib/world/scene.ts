// Scenes: a few people of whom something is true. Texts are made of them, and answers are read from them.
import type { Random } from "../../tensor/index.ts";
import { a, colours, isGirl, names, places, things } from "./lexicon.ts";

export interface Person {
  readonly name: string;
  readonly place: string;
  readonly colour: string;
  readonly thing: string;
  readonly likes: string;
}

export const pick = <T>(random: Random, items: readonly T[]): T => items[random.int(items.length)]!;
export const draw = <T>(random: Random, items: readonly T[], count: number): T[] =>
  random.shuffle(items).slice(0, count);

/** `count` people who differ in everything. */
export function people(random: Random, count: number): Person[] {
  const drawn = {
    name: draw(random, names, count),
    place: draw(random, places, count),
    colour: draw(random, colours, count),
    thing: draw(random, things, count),
    likes: draw(random, things, count),
  };
  return drawn.name.map((name, i) => ({
    name,
    place: drawn.place[i]!,
    colour: drawn.colour[i]!,
    thing: drawn.thing[i]!,
    likes: drawn.likes[i]!,
  }));
}

export type Fact = "place" | "thing" | "likes";

export function say(person: Person, fact: Fact, subject = person.name): string {
  switch (fact) {
    case "place":
      return `${subject} is in the ${person.place} .`;
    case "thing":
      return `${subject} has ${a(`${person.colour} ${person.thing}`)} .`;
    case "likes":
      return `${subject} likes the ${person.likes} .`;
  }
}

export const pronoun = ({ name }: Person): string => (isGirl(name) ? "she" : "he");

/** One fact of each person, in an order of its own. */
export function tell(random: Random, cast: readonly Person[], facts: readonly Fact[]): string {
  return random.shuffle(cast.flatMap((person) => facts.map((fact) => say(person, fact)))).join(" ");
}
