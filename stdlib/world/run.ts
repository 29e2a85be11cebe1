// Makes rows of the small world: each from a random stream named by its place, so that more rows change none.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ModelRun, Rows, SourceRun } from "../../engine/index.ts";
import { type Random, stream } from "../../tensor/index.ts";
import { optionsSuffix } from "../prompts/classification.ts";
import { listed } from "./lists.ts";
import { type PoolKnobs, poolRow } from "./pool.ts";
import { paragraph } from "./prose.ts";
import { families } from "./tasks/index.ts";

interface Made {
  readonly rows: number;
  readonly seed: number;
}

export const worldProse = texts("prose", paragraph);
export const worldLists = texts("lists", listed);

function texts(name: string, make: (random: Random) => string): SourceRun<Made> {
  return {
    async *read({ params: { rows, seed } }): Rows {
      const random = stream(seed).split(name);
      for (let i = 0; i < rows; i++) yield { text: make(random.split(i)) };
    },
  };
}

/** Draws without something new before a dataset counts as exhausted. */
const patience = 200;

export const worldTasks: SourceRun<Made & { readonly names: readonly string[] }> = {
  async *read({ params: { names, rows, seed } }): Rows {
    for (const name of names) {
      const { cluster, make } = families[name]!;
      const random = stream(seed).split("tasks").split(name);
      const seen = new Set<string>();
      for (let draw = 0, misses = 0; seen.size < rows && misses < patience; draw++) {
        const { text, subject, questions, choices, answer } = make(random.split(draw));
        const key = JSON.stringify([text, questions[0], [...choices].sort()]);
        if (seen.has(key)) {
          misses++;
          continue;
        }
        misses = 0;
        seen.add(key);
        const asked = Object.fromEntries(questions.map((question, i) => [`question_${i + 1}`, question]));
        const label = choices.indexOf(answer);
        const shown = { choices, label, answer, options_: optionsSuffix(choices) };
        yield { cluster, dataset: name, text, subject, ...asked, ...shown };
      }
    }
  },
};

export const worldPool: SourceRun<Made & PoolKnobs> = {
  async *read({ params: { rows, seed, ...knobs } }): Rows {
    const random = stream(seed).split("pool");
    for (let i = 0; i < rows; i++) yield poolRow(random.split(i), knobs);
  },
};

export const worldJudge: ModelRun = {
  async run({ out }) {
    await writeFile(join(out, "judge.json"), `${JSON.stringify({ kind: "world", version: 1 })}\n`);
    return undefined;
  },
};
