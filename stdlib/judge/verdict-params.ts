// The parameters of stages that an assistant may judge for: its rubric, and how verdicts are asked for.
import Type from "typebox";
import type { Json, ParamProblem } from "../../grammar/index.ts";
import { ratingsOf, rubricColumns } from "./rubric.ts";

export const verdictParams = {
  rubric: Type.Optional(
    Type.Unknown({
      "x-align": "template",
      "x-columns": rubricColumns,
      description:
        "What an assistant judges by: a template over the row, `prompt`, `response` (`response_a` and `response_b` side by side) and `reference`; its target names what is rated, `honesty: 1-5, helpfulness: 1-5`. Without: MT-Bench's wording, one rating from 1 to 10.",
    }),
  ),
  verdict_tokens: Type.Integer({
    minimum: 16,
    default: 1024,
    description: "Longest verdict of an assistant.",
    "x-unit": "tokens",
    "x-source": "MT-Bench uses 2048 for two answers; reasons come first",
  }),
  verdict_temperature: Type.Number({
    minimum: 0,
    default: 0,
    description: "Of an assistant's verdicts.",
    "x-source": "Zheng et al. 2023: 0",
  }),
  repairs: Type.Integer({
    minimum: 0,
    default: 2,
    description: "How often a verdict that is malformed is asked for again, with what is wrong with it.",
    "x-source": "one slip is common, three mean that the model cannot",
  }),
};

export interface GivenVerdictParams {
  readonly rubric?: unknown;
  readonly verdict_tokens: number;
  readonly verdict_temperature: number;
  readonly repairs: number;
  readonly seed?: number;
}

/** As the judge wants them. */
export const verdictsOf = ({
  rubric,
  verdict_tokens,
  verdict_temperature,
  repairs,
  seed = 42,
}: GivenVerdictParams) => ({
  ...(rubric === undefined ? {} : { rubric: rubric as Json }),
  max_tokens: verdict_tokens,
  temperature: verdict_temperature,
  seed,
  repairs,
});

/** What a rubric says is to be rated must be readable before anything is asked. */
export function rubricProblems(params: { readonly rubric?: unknown }): ParamProblem[] {
  const { target } = (params.rubric ?? {}) as { target?: unknown };
  if (typeof target !== "string") return [];
  const ratings = ratingsOf(target);
  if (typeof ratings !== "string") return [];
  return [
    {
      param: "rubric",
      kind: "other",
      message: `names no ratings: ${ratings}`,
      help: 'its target is what is rated and from where to where: "honesty: 1-5, helpfulness: 1-5"',
    },
  ];
}
