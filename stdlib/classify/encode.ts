// Questions as token ids: what the model is given, and each answer behind it, as lm-evaluation-harness cuts them.
import { TaskError } from "../../engine/index.ts";
import type { Tokenizer } from "../../tensor/io/index.ts";
import type { Item, Question } from "./items.ts";

export interface EncodedItem {
  readonly prompt: number[];
  /** One for each choice. */
  readonly continuations: number[][];
  /** Solved examples that found room. */
  readonly shots: number;
}

export interface Encoding {
  readonly tokenizer: Tokenizer & { readonly eos: number };
  /** The model reads its prompt with an encoder. */
  readonly encodes: boolean;
  /** Tokens of a prompt with its longest answer. */
  readonly max_length: number;
  readonly delimiter: string;
}

/** Between solved examples, and before the question: `fewshot_delimiter` of lm-evaluation-harness. */
const between = "\n\n";

/** Examples are left out from the first on until the rest fits; a question too long by itself loses its start. */
export function encodeItem(item: Item, encoding: Encoding): EncodedItem {
  const solved = item.shots.map((shot) => `${shot.prompt}${answerOf(shot, encoding)}${between}`);
  for (let first = 0; ; first++) {
    const shots = solved.slice(first);
    const encoded = encodeQuestion({ ...item, prompt: shots.join("") + item.prompt }, encoding);
    const longest = Math.max(...encoded.continuations.map(({ length }) => length));
    const room = encoding.max_length - (encoding.encodes ? 0 : longest);
    if (encoded.prompt.length <= room) return { ...encoded, shots: shots.length };
    if (shots.length > 0) continue;
    if (room < 1) {
      throw new TaskError({
        code: "choice-too-long",
        message: `a choice has ${longest} tokens, which with a prompt is more than ${encoding.max_length}`,
        help: "raise max_length, or leave such rows out",
      });
    }
    return { ...encoded, prompt: encoded.prompt.slice(-room), shots: 0 };
  }
}

function answerOf(shot: Question, { delimiter }: Encoding): string {
  return joined(shot, shot.choices[shot.labels[0]!]!, delimiter);
}

/** The answer with what stands before it. */
function joined({ prompt, delimiter: own }: Question, answer: string, delimiter: string): string {
  if (own !== undefined) return own + answer;
  const apart = prompt === "" || /\s$/.test(prompt) || /^\s/.test(answer);
  return apart ? answer : delimiter + answer;
}

function encodeQuestion(
  question: Question,
  { tokenizer, encodes, delimiter }: Encoding,
): Omit<EncodedItem, "shots"> {
  const { prompt, choices } = question;
  // White space at the end of a prompt belongs to the words behind it, as tokenizers have it.
  const start = prompt.trimEnd();
  const space = prompt.slice(start.length);
  const answers = choices.map((choice) => space + joined(question, choice, delimiter));
  if (encodes) {
    return {
      prompt: [...tokenizer.encode(start), tokenizer.eos],
      continuations: answers.map((answer) => notEmpty(tokenizer.encode(answer), answer)),
    };
  }
  const prefix = start === "" && tokenizer.prefix.length === 0 ? [tokenizer.eos] : tokenizer.prefix;
  const context = tokenizer.encode(start);
  return {
    prompt: [...prefix, ...context],
    // The whole is encoded and cut, so that an answer has the tokens it has in running text.
    continuations: answers.map((answer) =>
      notEmpty(tokenizer.encode(start + answer).slice(context.length), answer),
    ),
  };
}

function notEmpty(ids: number[], answer: string): number[] {
  if (ids.length > 0) return ids;
  throw new TaskError({
    code: "choice-without-tokens",
    message: `the choice ${JSON.stringify(answer)} has no token of its own behind its prompt`,
    help: "leave empty choices out, or give the prompt an end that does not melt into them",
  });
}
