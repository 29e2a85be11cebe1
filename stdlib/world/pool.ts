// Pools of questions with answers, for curation: quality, diversity and quantity are knobs.
import type { RowData } from "../../engine/index.ts";
import type { Random } from "../../tensor/index.ts";
import { names } from "./lexicon.ts";
import { askedBy, type Question, questionFamilies, questions } from "./questions.ts";
import { pick } from "./scene.ts";

export interface PoolKnobs {
  /** Share of answers that are right, whole and to the point. */
  readonly quality: number;
  /** Number of prompt families. */
  readonly families: number;
}

/** What may be wrong with an answer. */
const damages = ["cut", "wrong", "first_person", "off_topic"] as const;

export function poolRow(random: Random, { quality, families }: PoolKnobs): RowData {
  const family = pick(random, questionFamilies.slice(0, families));
  const question = pick(random, ofFamily(family));
  const asker = random.int(names.length + 1);
  const wording = pick(random, question.wordings);
  const good = random.uniform() < quality;
  const damage = good ? "none" : pick(random, damages);
  return {
    prompt: asker === names.length ? wording : askedBy(names[asker]!, wording),
    completion: ` ${damaged(random, question, damage)}`,
    family,
    damage,
    // Votes follow quality and are not sure of it: a fifth of the votes for damaged answers reach ten.
    score: good ? 10 + random.int(20) : random.int(13),
  };
}

const ofFamily = (family: string) => questions.filter((question) => question.family === family);

function damaged(random: Random, question: Question, damage: (typeof damages)[number] | "none"): string {
  const { answer, key, family } = question;
  const words = answer.split(" ");
  switch (damage) {
    case "none":
      return answer;
    case "cut":
      return words.slice(0, Math.ceil(words.length / 2)).join(" ");
    case "wrong": {
      const other = pick(
        random,
        ofFamily(family).filter((q) => q.key !== key),
      );
      return words.map((word) => (word === key ? other.key : word)).join(" ");
    }
    case "first_person":
      return `i think that my answer is ${key} .`;
    case "off_topic":
      return pick(
        random,
        questions.filter((q) => q.family !== family),
      ).answer;
  }
}
