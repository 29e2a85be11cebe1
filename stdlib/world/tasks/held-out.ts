// Questions of the clusters that the pilot held out, but coreference: sentiment, closed book, common sense.
import { a, blame, colours, jobs, lands, names, praise, reviewed, sounds } from "../lexicon.ts";
import { draw, pick } from "../scene.ts";
import { others, type TaskFamily, task, yesNo } from "./task.ts";

export const worldTasks: Readonly<Record<string, TaskFamily>> = {
  review: {
    cluster: "sentiment",
    make(random) {
      const pleased = random.int(2) === 0;
      const words = draw(random, pleased ? praise : blame, 2);
      const what = pick(random, reviewed);
      return task(
        random,
        `the ${what} was ${words[0]} and ${words[1]} .`,
        "",
        [
          `is that praise or blame ?`,
          `what do they say of the ${what} ?`,
          `the text about the ${what} is`,
          `which word fits the text ?`,
        ],
        pleased ? "praise" : "blame",
        ["praise", "blame"],
      );
    },
  },
  pleased: {
    cluster: "sentiment",
    make(random) {
      const pleased = random.int(2) === 0;
      const [what, who] = [pick(random, reviewed), pick(random, names)];
      return task(
        random,
        `${who} found the ${what} ${pick(random, pleased ? praise : blame)} .`,
        "",
        [
          `did ${who} like the ${what} ?`,
          `was ${who} pleased ?`,
          `say if ${who} liked the ${what} .`,
          `${who} was pleased ?`,
        ],
        pleased ? "yes" : "no",
        yesNo,
        true,
      );
    },
  },
  capital: {
    cluster: "closed_book",
    make(random) {
      const { land, capital } = pick(random, lands);
      const choices = [
        capital,
        ...draw(
          random,
          others(
            lands.map((l) => l.capital),
            capital,
          ),
          1,
        ),
      ];
      return task(
        random,
        "",
        land,
        [
          `what is the capital of ${land} ?`,
          `the capital of ${land} is`,
          `which city rules ${land} ?`,
          `name the capital of ${land} .`,
        ],
        capital,
        choices,
      );
    },
  },
  river: {
    cluster: "closed_book",
    make(random) {
      const { land, river } = pick(random, lands);
      const choices = [
        river,
        ...draw(
          random,
          others(
            lands.map((l) => l.river),
            river,
          ),
          1,
        ),
      ];
      return task(
        random,
        "",
        land,
        [
          `which river flows in ${land} ?`,
          `the river of ${land} is`,
          `what is the river of ${land} ?`,
          `name the river of ${land} .`,
        ],
        river,
        choices,
      );
    },
  },
  job: {
    cluster: "common_sense",
    make(random) {
      const { job, does } = pick(random, jobs);
      const choices = [
        job,
        ...draw(
          random,
          others(
            jobs.map((j) => j.job),
            job,
          ),
          2,
        ),
      ];
      return task(
        random,
        "",
        does,
        [`who ${does} ?`, `find the one who ${does} .`, `one of them ${does} :`, `choose who ${does} .`],
        job,
        choices,
      );
    },
  },
  sound: {
    cluster: "common_sense",
    make(random) {
      const [animal, sound] = pick(random, sounds);
      const choices = [
        animal,
        ...draw(
          random,
          others(
            sounds.map(([x]) => x),
            animal,
          ),
          2,
        ),
      ];
      return task(
        random,
        "",
        sound,
        [
          `which one ${sound} ?`,
          `find the one that ${sound} .`,
          `one of them ${sound} :`,
          `choose what ${sound} .`,
        ],
        animal,
        choices,
      );
    },
  },
  needs: {
    cluster: "common_sense",
    make(random) {
      const { job, with: tool } = pick(random, jobs);
      const choices = [
        tool,
        ...draw(
          random,
          others(
            jobs.map((j) => j.with),
            tool,
          ),
          2,
        ),
      ];
      return task(
        random,
        `${pick(random, names)} is ${a(job)} and wears ${a(pick(random, colours))} hat .`,
        job,
        [
          `which one does a ${job} need ?`,
          `find what a ${job} needs .`,
          `a ${job} works with the`,
          `choose what the ${job} needs .`,
        ],
        tool,
        choices,
      );
    },
  },
};
