// What an assistant is told to judge by: a rubric puts a row into words and names what is to be rated.
import type { Json } from "../../grammar/index.ts";

/** What a rubric's template may read besides the columns of the row. */
export const rubricColumns = {
  prompt: "string",
  response: "string",
  response_a: "string",
  response_b: "string",
  reference: "string",
} as const;

export interface Rating {
  readonly name: string;
  readonly low: number;
  readonly high: number;
}

// Wordings after FastChat's judge_prompts.jsonl (Zheng et al. 2023, arXiv 2306.05685, App. A), single-v1 and pair-v2; the form of the
// answer is ours, so that it can be read strictly.

const factors = "the helpfulness, relevance, accuracy, depth, creativity, and level of detail of";

const reference = `{% if reference %}

[The Start of Reference Answer]
{{ reference }}
[The End of Reference Answer]{% endif %}`;

const guided =
  "{% if reference %} A reference answer is given: compare with it, and correct what is wrong.{% endif %}";

export const single: Json = {
  input: `Please act as an impartial judge and evaluate the quality of the response provided by an AI assistant to the user question displayed below. Your evaluation should consider factors such as ${factors} the response.${guided} Be as objective as possible.

[Question]
{{ prompt }}${reference}

[The Start of Assistant's Answer]
{{ response }}
[The End of Assistant's Answer]`,
  target: "rating: 1-10",
};

export const pairwise: Json = {
  input: `Please act as an impartial judge and evaluate the quality of the responses provided by two AI assistants to the user question displayed below. You should choose the assistant that follows the user's instructions and answers the user's question better. Your evaluation should consider factors such as ${factors} their responses.${guided} Avoid any position biases and ensure that the order in which the responses were presented does not influence your decision. Do not allow the length of the responses to influence your evaluation. Do not favor certain names of the assistants. Be as objective as possible.

[User Question]
{{ prompt }}${reference}

[The Start of Assistant A's Answer]
{{ response_a }}
[The End of Assistant A's Answer]

[The Start of Assistant B's Answer]
{{ response_b }}
[The End of Assistant B's Answer]`,
};

/** `honesty: 1-5, helpfulness: 1-5` → what is rated; a text says what is wrong with it. */
export function ratingsOf(target: string): readonly Rating[] | string {
  const ratings: Rating[] = [];
  for (const part of target.split(/[,\n]/).filter((text) => text.trim() !== "")) {
    const found = /^\s*(\w+)\s*:\s*(-?\d+(?:\.\d+)?)\s*(?:-|–|\.\.)\s*(-?\d+(?:\.\d+)?)\s*$/.exec(part);
    if (!found) return `\`${part.trim()}\` is no \`name: low-high\``;
    const [name, low, high] = [found[1]!, Number(found[2]), Number(found[3])];
    if (low >= high) return `the scale of \`${name}\` goes from ${low} to ${high}`;
    if (ratings.some((rating) => rating.name === name)) return `\`${name}\` is rated twice`;
    ratings.push({ name, low, high });
  }
  return ratings.length > 0 ? ratings : "it names nothing to rate";
}
