// Questions about words: kinds, traits, opposites, meanings.
import {
  a,
  blame,
  kindOf,
  kinds,
  names,
  opposites,
  praise,
  synonyms,
  things,
  traitOf,
  young,
} from "../lexicon.ts";
import { draw, pick } from "../scene.ts";
import { odd, others, type TaskFamily, task, yesNo } from "./task.ts";

export const wordTasks: Readonly<Record<string, TaskFamily>> = {
  same_meaning: {
    cluster: "paraphrase",
    make(random) {
      const [x, y] = pick(random, synonyms);
      const answer = pick(random, yesNo);
      const other =
        answer === "yes"
          ? y
          : pick(
              random,
              others(
                synonyms.map(([, s]) => s),
                y,
              ),
            );
      const who = pick(random, things);
      return task(
        random,
        `the ${who} is ${x} . the ${who} is ${other} .`,
        "",
        [
          "do both say the same ?",
          "have they one meaning ?",
          "is that the same ?",
          "say if the two mean the same .",
        ],
        answer,
        yesNo,
        true,
      );
    },
  },
  kind_of: {
    cluster: "topic",
    make(random) {
      const word = pick(random, things);
      const kind = kindOf(word).name;
      const choices = [
        kind,
        ...draw(
          random,
          others(
            kinds.map((k) => k.name),
            kind,
          ),
          2,
        ),
      ];
      return task(
        random,
        "",
        word,
        [
          `which kind is the ${word} ?`,
          `a ${word} is a kind of`,
          `what is a ${word} ?`,
          `name the kind of the ${word} .`,
        ],
        kind,
        choices,
      );
    },
  },
  about: {
    cluster: "topic",
    make(random) {
      const kind = pick(random, kinds);
      const words = draw(random, kind.words.flat(), 3);
      const choices = [
        kind.name,
        ...draw(
          random,
          others(
            kinds.map((k) => k.name),
            kind.name,
          ),
          2,
        ),
      ];
      return task(
        random,
        words.map((word) => `here is ${a(word)} .`).join(" "),
        "",
        [
          "what is the text about ?",
          "these are things of the kind",
          "which kind do they have ?",
          "name the kind of all .",
        ],
        kind.name,
        choices,
      );
    },
  },
  opposite: {
    cluster: "words",
    make(random) {
      const [x, y] = pick(random, opposites);
      const choices = [
        y,
        ...draw(
          random,
          others(
            opposites.map(([, o]) => o),
            y,
          ),
          2,
        ),
      ];
      return task(
        random,
        "",
        x,
        [
          `what is the opposite of ${x} ?`,
          `the opposite of ${x} is`,
          `not ${x} but`,
          `name the opposite of ${x} .`,
        ],
        y,
        choices,
      );
    },
  },
  means: {
    cluster: "words",
    make(random) {
      const [x, y] = pick(random, synonyms);
      const choices = [
        y,
        ...draw(
          random,
          others(
            synonyms.map(([, s]) => s),
            y,
          ),
          2,
        ),
      ];
      return task(
        random,
        "",
        x,
        [
          `which word means ${x} ?`,
          `${x} is the same as`,
          `say ${x} in another word .`,
          `find the word that means ${x} .`,
        ],
        y,
        choices,
      );
    },
  },
  young_of: {
    cluster: "words",
    make(random) {
      const [animal, child] = pick(random, young);
      const choices = [
        child,
        ...draw(
          random,
          others(
            young.map(([, y]) => y),
            child,
          ),
          2,
        ),
      ];
      return task(
        random,
        "",
        animal,
        [
          `what is the young of a ${animal} ?`,
          `the young of a ${animal} is a`,
          `a small ${animal} is called`,
          `name the young of the ${animal} .`,
        ],
        child,
        choices,
      );
    },
  },
  asks_for: {
    cluster: "question_type",
    make(random) {
      const [word, answer] = pick(random, [
        ["where", "place"],
        ["who", "person"],
        ["which colour", "colour"],
        ["how many", "number"],
      ] as const);
      const rest = pick(random, [`is the ${pick(random, things)}`, `did ${pick(random, names)} see`]);
      return task(
        random,
        `${word} ${rest} ?`,
        "",
        ["what does it ask for ?", "the answer is a", "which kind of answer fits ?", "it asks for a"],
        answer,
        ["place", "person", "colour", "number"],
        true,
      );
    },
  },
  trait: {
    cluster: "trait",
    make(random) {
      const word = pick(random, things);
      const { traits } = kindOf(word);
      return task(
        random,
        "",
        word,
        [
          `is the ${word} ${traits[0]} or ${traits[1]} ?`,
          `the ${word} is`,
          `which fits the ${word} ?`,
          `how is the ${word} ?`,
        ],
        traitOf(word),
        traits,
      );
    },
  },
  find: {
    cluster: "find",
    make(random) {
      const kind = pick(random, kinds);
      const side = random.int(2);
      const [right, choices] = odd(random, kind.words[side]!, kind.words[1 - side]!, 2);
      const trait = kind.traits[side]!;
      return task(
        random,
        "",
        trait,
        [
          `which one is ${trait} ?`,
          `find what is ${trait} .`,
          `one of them is ${trait} :`,
          `choose the ${trait} one .`,
        ],
        right,
        choices,
      );
    },
  },
  find_kind: {
    cluster: "find",
    make(random) {
      const kind = pick(random, kinds);
      const [right, choices] = odd(
        random,
        kind.words.flat(),
        things.filter((t) => kindOf(t) !== kind),
        2,
      );
      return task(
        random,
        "",
        kind.name,
        [
          `which one is ${a(kind.name)} ?`,
          `find the ${kind.name} .`,
          `one of them is ${a(kind.name)} :`,
          `choose the ${kind.name} .`,
        ],
        right,
        choices,
      );
    },
  },
  adjective: {
    cluster: "adjective",
    make(random) {
      const [good, bad] = [pick(random, praise), pick(random, blame)];
      const wanted = random.int(2) === 0;
      const word = wanted ? "praise" : "blame";
      return task(
        random,
        "",
        word,
        [
          `which word is ${word} ?`,
          `find the word of ${word} .`,
          `one of them is ${word} :`,
          `choose the word of ${word} .`,
        ],
        wanted ? good : bad,
        [good, bad],
      );
    },
  },
};
