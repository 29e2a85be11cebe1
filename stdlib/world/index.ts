// Declares the small world: prose, lists, tasks with computed answers, pools with knobs, and a judge; made, not downloaded.
import Type from "typebox";
import { defineModel, defineSource } from "../../engine/index.ts";
import { dataset, rows } from "../../grammar/index.ts";
import { questionFamilies } from "./questions.ts";
import { familyNames } from "./tasks/index.ts";

const shared = (many: number, what: string) => ({
  rows: Type.Integer({
    minimum: 1,
    default: many,
    description: `How many ${what}.`,
    "x-source": "a laptop run",
  }),
  seed: Type.Integer({
    minimum: 0,
    default: 42,
    description: "Another seed makes other rows of the same world.",
    "x-source": "alignment-handbook",
  }),
});

export const worldProse = defineSource(
  {
    name: "world_prose",
    version: 1,
    doc: "Paragraphs about the people, things and lands of a small invented world, to pretrain on. They never have the form of an instruction.",
    params: Type.Object(shared(20_000, "paragraphs")),
    positional: ["rows"],
    output: dataset(rows.Text),
  },
  () => import("./run.ts").then((m) => m.worldProse),
);

export const worldLists = defineSource(
  {
    name: "world_lists",
    version: 1,
    doc: "Lists of words of the small world, told twice or with one of the words taken, to pretrain on: what copying is learnt from. They say nothing that is true, and never have the form of an instruction.",
    params: Type.Object(shared(10_000, "lists")),
    positional: ["rows"],
    output: dataset(rows.Text),
  },
  () => import("./run.ts").then((m) => m.worldLists),
);

export const worldTasks = defineSource(
  {
    name: "world_tasks",
    version: 2,
    doc: "Questions about the small world with computed answers, in four wordings: of one or several of its 29 datasets.",
    params: Type.Object({
      names: Type.Array(Type.Enum(familyNames, { type: "string" }), {
        minItems: 1,
        description: "Which datasets.",
      }),
      ...shared(400, "different rows of each dataset; fewer where there are no more"),
    }),
    positional: ["names"],
    output: dataset({
      name: "Classification",
      columns: {
        cluster: "string",
        dataset: "string",
        text: "string",
        subject: "string",
        question_1: "string",
        question_2: "string",
        question_3: "string",
        question_4: "string",
        choices: "list",
        label: "number",
        answer: "string",
        options_: "string",
      },
    }),
  },
  () => import("./run.ts").then((m) => m.worldTasks),
);

export const worldPool = defineSource(
  {
    name: "world_pool",
    version: 1,
    doc: "Questions with answers of one sentence, good and bad, as a pool to curate from. `damage` says what is wrong with an answer, `score` what its readers thought.",
    params: Type.Object({
      ...shared(2_000, "rows"),
      quality: Type.Number({
        minimum: 0,
        maximum: 1,
        default: 0.5,
        description: "Share of answers that are right, whole and to the point.",
        "x-unit": "fraction",
        "x-source": "half: there is something to filter",
      }),
      families: Type.Integer({
        minimum: 1,
        maximum: questionFamilies.length,
        default: questionFamilies.length,
        description: "How many kinds of questions: diversity.",
        "x-source": "all there are",
      }),
    }),
    positional: ["rows"],
    output: dataset({
      name: "Instruction",
      columns: {
        prompt: "string",
        completion: "string",
        family: "string",
        damage: "string",
        score: "number",
      },
    }),
  },
  () => import("./run.ts").then((m) => m.worldPool),
);

export const worldJudge = defineModel(
  {
    name: "world_judge",
    version: 1,
    doc: "A judge of answers to the questions of `world_pool`, from 0 to 10: 6 for the right word, 2 for a whole sentence, 2 for naming what was asked about, 2 off for speaking of oneself.",
    params: Type.Object({}),
    output: { kind: "judge" },
  },
  () => import("./run.ts").then((m) => m.worldJudge),
);
