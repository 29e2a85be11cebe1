// Answers one request: prompts → choices, whole or as server-sent events.

import type { Answerer, Drawn } from "../generate/answerer.ts";
import { Refusal } from "./refusal.ts";
import type { Asked } from "./requests.ts";
import type { Head, Piece, Shape, Usage } from "./shapes.ts";

export interface Job {
  readonly prompts: readonly (readonly number[])[];
  readonly asked: Asked;
  readonly shape: Shape;
  readonly head: Head;
  /** Of requests that name none. */
  readonly seed: number | string;
  readonly signal: AbortSignal;
}

/** Refuses what does not fit the model before anything is computed. */
export function checkLengths({ model }: Answerer, prompts: Job["prompts"], { max_tokens }: Asked): void {
  const limit = model.geometry.maxLength;
  for (const prompt of prompts) {
    if (prompt.length + (max_tokens ?? 1) <= limit) continue;
    const wanted = max_tokens === undefined ? "" : ` and ${max_tokens} for the answer`;
    throw new Refusal(
      400,
      `This model's maximum context length is ${limit} tokens; the prompt has ${prompt.length}${wanted}. Shorten it, or lower max_tokens.`,
      { param: "messages", code: "context_length_exceeded" },
    );
  }
}

/** The whole answer; `send` gets events as they come where the request wants a stream. */
export async function complete(
  answerer: Answerer,
  { prompts, asked, shape, head, seed, signal }: Job,
  send: ((event: object) => void) | undefined,
): Promise<object> {
  const { n, max_tokens, logprobs, stream: _, includeUsage, model: __, seed: own, ...sampling } = asked;
  const limit = answerer.model.geometry.maxLength;
  const logged = (tokens: readonly Drawn[]) => (logprobs === undefined ? undefined : tokens);
  const choices = prompts.flatMap((prompt, p) =>
    Array.from({ length: n }, async (_, k) => {
      const index = p * n + k;
      const opening = shape.opening(head, index);
      if (opening) send?.(opening);
      let [offset, told] = [0, 0];
      const { text, tokens, finish } = await answerer.answer(prompt, {
        ...sampling,
        max_new_tokens: max_tokens ?? limit - prompt.length,
        seed: `${own ?? seed}/${index}`,
        ...(logprobs !== undefined && { top_logprobs: logprobs }),
        signal,
        ...(send && {
          onText(text: string, tokens: readonly Drawn[]) {
            send(shape.chunk(head, { index, text, tokens: logged(tokens), finish: null, offset }));
            offset += text.length;
            told += tokens.length;
          },
        }),
      });
      const last = { index, text: "", tokens: logged(tokens.slice(told)), finish, offset };
      send?.(shape.chunk(head, last));
      return {
        piece: { ...last, text, tokens: logged(tokens), offset: 0 } satisfies Piece,
        drawn: tokens.length,
      };
    }),
  );
  const done = await Promise.all(choices);
  const prompt_tokens = prompts.reduce((sum, { length }) => sum + length, 0);
  const completion_tokens = done.reduce((sum, { drawn }) => sum + drawn, 0);
  const usage: Usage = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
  if (includeUsage) send?.(shape.usage(head, usage));
  return shape.whole(
    head,
    done.map(({ piece }) => piece),
    usage,
  );
}
