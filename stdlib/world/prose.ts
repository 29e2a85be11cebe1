// Prose of the small world, for pretraining: what is true of words and people, told, retold and asked in passing.
import type { Random } from "../../tensor/index.ts";
import {
  a,
  blame,
  jobs,
  kindOf,
  lands,
  names,
  numbers,
  opposites,
  places,
  praise,
  reviewed,
  sounds,
  synonyms,
  things,
  traitOf,
  young,
} from "./lexicon.ts";
import { draw, type Fact, people, pick, pronoun, say } from "./scene.ts";

const facts: readonly Fact[] = ["place", "thing", "likes"];

/** One paragraph. It never has the form of an instruction with options. */
export function paragraph(random: Random): string {
  return pick(random, kindsOfProse)(random);
}

const kindsOfProse: readonly ((random: Random) => string)[] = [
  scene,
  retelling,
  conversation,
  followUp,
  ofWords,
  ofWords,
  ofWords,
  ofTheWorld,
  ofTheWorld,
  verdict,
  counting,
];

function scene(random: Random): string {
  return people(random, 3)
    .map((person) => say(person, pick(random, facts)))
    .join(" ");
}

/** The same facts again in another order: copying is learnt here. */
function retelling(random: Random): string {
  const told = people(random, 3).map((person) => say(person, pick(random, facts)));
  return `${told.join(" ")} again : ${random.shuffle(told).join(" ")}`;
}

function conversation(random: Random): string {
  const cast = people(random, 3);
  const asked = pick(random, cast);
  const [x, y] = draw(random, names, 2);
  const place = pick(random, [true, false]);
  const told = random.shuffle(cast.map((person) => say(person, place ? "place" : "thing")));
  const [question, answer] = place
    ? [`where is ${asked.name} ?`, `in the ${asked.place} .`]
    : [`who has the ${asked.thing} ?`, `${asked.name} has it .`];
  return `${told.join(" ")} ${x} asked : ${question} ${y} said : ${answer}`;
}

function followUp(random: Random): string {
  const [first] = people(random, 1) as [ReturnType<typeof people>[number]];
  const they = pronoun(first);
  const kind = kindOf(first.thing).name;
  return `${say(first, "place")} ${say(first, "thing", they)} so ${first.name} has ${a(kind)} , and ${they} is ${first.name} .`;
}

function ofWords(random: Random): string {
  const word = pick(random, things);
  const { name, words } = kindOf(word);
  const [x, y] = pick(random, opposites);
  const [s, t] = pick(random, synonyms);
  const side = words.find((list) => list.includes(word))!;
  const alike = pick(
    random,
    side.filter((other) => other !== word),
  );
  return pick(random, [
    `the ${word} is ${a(name)} . the ${word} is ${traitOf(word)} .`,
    `the ${word} is ${traitOf(word)} and the ${alike} is ${traitOf(alike)} too .`,
    `of ${words[0][0]} , ${words[1][0]} and ${word} , all are of the kind ${name} .`,
    `the opposite of ${x} is ${y} . not ${y} but ${x} .`,
    `${s} is the same as ${t} . ${t} means ${s} .`,
    `the word ${pick(random, praise)} is praise . the word ${pick(random, blame)} is blame .`,
  ]);
}

function ofTheWorld(random: Random): string {
  const { land, capital, river } = pick(random, lands);
  const { job, does, with: tool } = pick(random, jobs);
  const [animal, sound] = pick(random, sounds);
  const [parent, child] = pick(random, young);
  return pick(random, [
    `the capital of ${land} is ${capital} . the river of ${land} is ${river} .`,
    `${capital} is a city in ${land} , where the ${river} flows .`,
    `the ${job} ${does} . the ${job} works with the ${tool} .`,
    `the one who ${does} is the ${job} , who needs the ${tool} .`,
    `the ${animal} ${sound} . the one that ${sound} is the ${animal} .`,
    `the young of a ${parent} is a ${child} .`,
  ]);
}

function verdict(random: Random): string {
  const pleased = random.int(2) === 0;
  const words = draw(random, pleased ? praise : blame, 2);
  const [what, who] = [pick(random, reviewed), pick(random, names)];
  return pick(random, [
    `the ${what} was ${words[0]} and ${words[1]} . that is ${pleased ? "praise" : "blame"} .`,
    `${who} found the ${what} ${words[0]} . ${who} ${pleased ? "was pleased and liked" : "was not pleased with"} the ${what} .`,
  ]);
}

function counting(random: Random): string {
  const place = pick(random, places);
  const who = draw(random, names, 1 + random.int(4));
  return `${who.map((name) => `${name} is in the ${place} .`).join(" ")} in the ${place} there are ${numbers[who.length]} .`;
}
