// An assistant as a judge: it is given a rubric, its verdict is read strictly, and what is malformed is asked for again, then told so.
import { type Artifact, TaskError } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { compileTemplate, type Message, type Render } from "../../tensor/io/index.ts";
import { type Assistant, openAssistant, type Surroundings } from "../assistant/assistant.ts";
import { plainText, templateTexts } from "../template/index.ts";
import type { Judge, JudgeRequest, Malformed, PairRequest, Score } from "./judges.ts";
import { pairwise, type Rating, ratingsOf, single } from "./rubric.ts";
import { type Form, preferenceForm, ratingForm } from "./verdict.ts";

/** How verdicts are asked for. */
export interface VerdictParams {
  /** A template; MT-Bench's wordings without. */
  readonly rubric?: Json;
  readonly max_tokens: number;
  readonly temperature: number;
  readonly seed: number;
  /** How often a malformed verdict is asked for again. */
  readonly repairs: number;
}

export const verdictDefaults: VerdictParams = { max_tokens: 1024, temperature: 0, seed: 42, repairs: 2 };

export async function openAssistantJudge(
  place: Pick<Artifact, "dir" | "node" | "settings" | "home">,
  around: Surroundings,
  params: VerdictParams = verdictDefaults,
): Promise<Judge> {
  const assistant = await openAssistant(place, around);
  const alone = rubricOf(params.rubric ?? single);
  const rating = ratingForm(alone.ratings);
  const readAlone = compileTemplate(alone.input, "rubric");
  const readPair = compileTemplate(rubricOf(params.rubric ?? pairwise).input, "rubric");

  async function rate(request: JudgeRequest): Promise<Score | Malformed> {
    const question = inWords(readAlone, request, { response: request.response });
    const found = await verdictOf(assistant, "rate", question, rating, params);
    if ("malformed" in found) return found;
    const { rationale, ratings } = found;
    const values = Object.values(ratings);
    const score = values.reduce((sum, value) => sum + value, 0) / values.length;
    return { score, rationale, ...(values.length > 1 && { aspects: ratings }) };
  }

  return {
    kind: "assistant",
    concurrency: assistant.concurrency,
    rate,
    async score(request) {
      const found = await rate(request);
      if (!("malformed" in found)) return found;
      throw new TaskError({
        code: "malformed-verdict",
        message: `${place.node} gave no verdict that can be read: ${found.malformed}`,
        help: "a stage `judge` records such verdicts and goes on; a larger model or another rubric makes fewer",
      });
    },
    async prefer(request: PairRequest) {
      const [response_a, response_b] = request.responses;
      const question = inWords(readPair, request, { response_a, response_b });
      return verdictOf(assistant, "prefer", question, preferenceForm, params);
    },
    dispose: () => assistant.dispose(),
  };
}

/** `input` is Jinja over the row and `rubricColumns`. */
function rubricOf(value: Json): { readonly input: string; readonly ratings: readonly Rating[] } {
  const { input, target = "rating: 1-10" } = templateTexts(value);
  const ratings = ratingsOf(target);
  if (typeof ratings !== "string") return { input, ratings };
  throw new TaskError({
    code: "rubric-invalid",
    message: `the rubric's target names no ratings: ${ratings}`,
  });
}

function inWords(
  read: Render,
  { prompt, row, reference }: JudgeRequest | PairRequest,
  shown: object,
): string {
  return read({
    ...row,
    ...shown,
    prompt: plainText(prompt, "prompt"),
    reference: reference ?? "",
  });
}

async function verdictOf<V>(
  assistant: Assistant,
  what: "rate" | "prefer",
  question: string,
  form: Form<V>,
  { max_tokens, temperature, seed, repairs }: VerdictParams,
): Promise<V | Malformed> {
  const asked = `${question}\n\n${form.instruction}`;
  let messages: readonly Message[] = [{ role: "user", content: asked }];
  for (let attempt = 0; ; attempt++) {
    const { text } = await assistant.ask({
      id: [what, attempt],
      messages,
      sampling: { max_tokens, temperature, seed: seed + attempt },
    });
    const found = form.read(text);
    if ("verdict" in found) return found.verdict;
    if (attempt >= repairs) return { malformed: `${found.problem}: ${JSON.stringify(text.slice(0, 200))}` };
    const hint = `That is not what was asked for: ${found.problem}. ${form.instruction}`;
    // Some endpoints take no empty message.
    messages =
      text.trim() === ""
        ? [{ role: "user", content: `${question}\n\n${hint}` }]
        : [...messages, { role: "assistant", content: text }, { role: "user", content: hint }];
  }
}
