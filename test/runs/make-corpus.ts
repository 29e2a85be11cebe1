// A small deterministic text with cheerful and gloomy words, so that tests need no package and no network.
import { stream } from "../../tensor/index.ts";

const who = ["The captain", "A sailor", "The old cook", "My friend", "The people", "Every child"];
const verb = ["loves", "hates", "sees", "praises", "fears", "remembers"];
const what = [
  "a happy song",
  "a terrible storm",
  "the calm sea",
  "a good harbour",
  "a bad dream",
  "the long road",
];
const when = ["in the morning", "at night", "before the war", "after the feast", "in deep winter"];

export function corpus(sentences: number, seed: number): string {
  const random = stream(seed).split("corpus");
  const pick = (words: readonly string[]) => words[random.int(words.length)]!;
  return `${Array.from({ length: sentences }, () => `${pick(who)} ${pick(verb)} ${pick(what)} ${pick(when)}.`).join(" ")}\n`;
}

export const words = {
  loves: 3,
  hates: -3,
  praises: 2,
  fears: -2,
  happy: 3,
  terrible: -3,
  good: 2,
  bad: -2,
  feast: 2,
  war: -2,
};
