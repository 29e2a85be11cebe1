// Questions about a scene: who is where, who has what, who comes first.
import { a, kindOf, kinds, names, numbers, places } from "../lexicon.ts";
import { draw, people, pick, pronoun, say, tell } from "../scene.ts";
import { odd, others, type TaskFamily, task, yesNo } from "./task.ts";

export const sceneTasks: Readonly<Record<string, TaskFamily>> = {
  where: {
    cluster: "reading",
    make(random) {
      const cast = people(random, 3);
      const { name, place } = pick(random, cast);
      return task(
        random,
        tell(random, cast, ["place"]),
        name,
        [
          `where is ${name} ?`,
          `in which place is ${name} ?`,
          `${name} is in the`,
          `find the place of ${name} .`,
        ],
        place,
        cast.map((p) => p.place),
      );
    },
  },
  owner: {
    cluster: "reading",
    make(random) {
      const cast = people(random, 3);
      const { name, thing } = pick(random, cast);
      return task(
        random,
        tell(random, cast, ["thing"]),
        thing,
        [
          `who has the ${thing} ?`,
          `name the owner of the ${thing} .`,
          `the ${thing} belongs to`,
          `whose is the ${thing} ?`,
        ],
        name,
        cast.map((p) => p.name),
      );
    },
  },
  colour: {
    cluster: "reading",
    make(random) {
      const cast = people(random, 3);
      const { colour, thing } = pick(random, cast);
      return task(
        random,
        tell(random, cast, ["thing"]),
        thing,
        [
          `which colour has the ${thing} ?`,
          `the ${thing} is`,
          `what is the colour of the ${thing} ?`,
          `name the colour of the ${thing} .`,
        ],
        colour,
        cast.map((p) => p.colour),
      );
    },
  },
  is_there: {
    cluster: "yes_no",
    make(random) {
      const cast = people(random, 3);
      const { name, place } = pick(random, cast);
      const answer = pick(random, yesNo);
      const said =
        answer === "yes"
          ? place
          : pick(
              random,
              others(
                cast.map((p) => p.place),
                place,
              ),
            );
      return task(
        random,
        tell(random, cast, ["place"]),
        `${name} ${said}`,
        [
          `is ${name} in the ${said} ?`,
          `in the ${said} , is ${name} there ?`,
          `say if ${name} is in the ${said} .`,
          `${name} in the ${said} ?`,
        ],
        answer,
        yesNo,
        true,
      );
    },
  },
  owns: {
    cluster: "yes_no",
    make(random) {
      const cast = people(random, 3);
      const { name, thing } = pick(random, cast);
      const answer = pick(random, yesNo);
      const said =
        answer === "yes"
          ? thing
          : pick(
              random,
              others(
                cast.map((p) => p.thing),
                thing,
              ),
            );
      return task(
        random,
        tell(random, cast, ["thing"]),
        `${name} ${said}`,
        [
          `does ${name} have the ${said} ?`,
          `has ${name} the ${said} ?`,
          `say if ${name} has the ${said} .`,
          `the ${said} , is it of ${name} ?`,
        ],
        answer,
        yesNo,
        true,
      );
    },
  },
  follows: {
    cluster: "entailment",
    make(random) {
      const cast = people(random, 2);
      const person = pick(random, cast);
      const answer = pick(random, yesNo);
      const kind = kindOf(person.thing).name;
      const said =
        answer === "yes"
          ? kind
          : pick(
              random,
              others(
                kinds.map((k) => k.name),
                kind,
              ),
            );
      const claim = `${person.name} has ${a(said)}`;
      return task(
        random,
        say(person, "thing"),
        `${person.name} ${said}`,
        [
          `does it follow that ${claim} ?`,
          `so ${claim} ?`,
          `can we say that ${claim} ?`,
          `is it true that ${claim} ?`,
        ],
        answer,
        yesNo,
        true,
      );
    },
  },
  mention: {
    cluster: "mention",
    make(random) {
      const cast = people(random, 2);
      const { name } = pick(random, cast);
      const [right, choices] = odd(
        random,
        [name],
        others(names, name).filter((n) => !cast.some((p) => p.name === n)),
        2,
      );
      return task(
        random,
        tell(random, cast, ["likes"]),
        "",
        [
          "who is named in the text ?",
          "the text names",
          "which of them comes up ?",
          "find the name from the text .",
        ],
        right,
        choices,
      );
    },
  },
  first: {
    cluster: "order",
    make(random) {
      const cast = people(random, 3);
      const last = random.int(2) === 1;
      const ordered = cast.map((person) => say(person, "place"));
      const word = last ? "last" : "first";
      return task(
        random,
        ordered.join(" "),
        word,
        [
          `who comes ${word} ?`,
          `the ${word} name is`,
          `name who is told of ${word} .`,
          `which is the ${word} one ?`,
        ],
        cast[last ? 2 : 0]!.name,
        cast.map((p) => p.name),
      );
    },
  },
  more: {
    cluster: "comparison",
    make(random) {
      const [x, y] = draw(random, names, 2) as [string, string];
      const [i, j] = draw(random, [1, 2, 3, 4, 5, 6], 2) as [number, number];
      return task(
        random,
        `${x} has ${numbers[i]} cups . ${y} has ${numbers[j]} cups .`,
        "",
        ["who has more ?", "who has the most cups ?", "more cups has", "name who has more ."],
        i > j ? x : y,
        [x, y],
      );
    },
  },
  how_many: {
    cluster: "counting",
    make(random) {
      const count = 1 + random.int(4);
      const place = pick(random, places);
      const elsewhere = pick(random, others(places, place));
      const who = draw(random, names, 4);
      return task(
        random,
        who.map((name, i) => `${name} is in the ${i < count ? place : elsewhere} .`).join(" "),
        place,
        [
          `how many are in the ${place} ?`,
          `count who is in the ${place} .`,
          `in the ${place} there are`,
          `the number in the ${place} is`,
        ],
        numbers[count]!,
        numbers.slice(1, 5),
        true,
      );
    },
  },
  who_is_it: {
    cluster: "coreference",
    make(random) {
      let cast = people(random, 2);
      while (pronoun(cast[0]!) === pronoun(cast[1]!)) cast = people(random, 2);
      const person = pick(random, cast);
      const they = pronoun(person);
      return task(
        random,
        `${tell(random, cast, ["place"])} ${say(person, "thing", they)}`,
        they,
        [
          `who is ${they} ?`,
          `${they} is`,
          `who has the ${person.thing} ?`,
          `name the one who has the ${person.thing} .`,
        ],
        person.name,
        cast.map((p) => p.name),
      );
    },
  },
};
