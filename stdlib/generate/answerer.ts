// A model that answers any number of requests at once, each with a sampling of its own, in one rolling batch.
import { type Backend, createGenerator, type Generation, stream } from "../../tensor/index.ts";
import { chatTemplate, type Message } from "../../tensor/io/index.ts";
import { type OpenModel, openModel } from "../training/model.ts";
import { textStream } from "./text-stream.ts";

export interface AnswerOptions {
  readonly temperature: number;
  readonly top_p: number;
  readonly top_k?: number;
  readonly min_p?: number;
  readonly repetition_penalty?: number;
  readonly max_new_tokens: number;
  readonly stop?: readonly string[];
  /** Names the random stream: equal seeds, equal answers, whoever else is answered. */
  readonly seed: number | string;
  /** Called as text comes, with the tokens drawn since the last call. */
  readonly onText?: (text: string, tokens: readonly Drawn[]) => void;
  /** How many of the likeliest tokens `Drawn` has. */
  readonly top_logprobs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Drawn {
  readonly id: number;
  /** Nats, of the model's own distribution. */
  readonly logprob: number;
  readonly top: readonly { readonly id: number; readonly logprob: number }[];
}

export interface Answer {
  readonly text: string;
  readonly tokens: readonly Drawn[];
  readonly finish: "stop" | "length";
}

export interface Answerer {
  readonly model: OpenModel;
  /** Undefined for a base model. */
  readonly chat: ((messages: readonly Message[]) => number[]) | undefined;
  answer(prompt: readonly number[], options: AnswerOptions): Promise<Answer>;
  dispose(): Promise<void>;
}

export async function openAnswerer(dir: string, backend: Backend, batch_size: number): Promise<Answerer> {
  const model = await openModel({ dir, node: dir });
  const { tokenizer } = model;
  const generator = createGenerator({ backend, config: model.config, params: model.params, batch_size });
  const template = tokenizer.chatTemplate === undefined ? undefined : chatTemplate(tokenizer);

  return {
    model,
    chat: template && ((messages) => tokenizer.encode(template.render(messages, { generate: true }))),
    async answer(prompt, { seed, stop = [], onText, top_logprobs = 0, signal, ...sampling }) {
      const text = textStream((ids) => tokenizer.decode(ids), stop);
      const tokens: Drawn[] = [];
      let [whole, told] = ["", 0];
      const show = (piece: string): void => {
        if (piece === "") return;
        whole += piece;
        onText?.(piece, tokens.slice(told));
        told = tokens.length;
      };
      const generation: Generation = await generator.submit(
        prompt,
        {
          ...sampling,
          eos: model.stops,
          random: stream(seed),
          onToken(_, id, logprob, logprobs) {
            tokens.push({ id, logprob, top: likeliest(logprobs, top_logprobs) });
            show(text.push(id));
          },
          stopWhen: () => text.stopped,
        },
        signal,
      );
      show(text.end());
      return { text: whole, tokens, finish: generation.stop === "length" ? "length" : "stop" };
    },
    dispose: () => generator.dispose(),
  };
}

/** The k highest, highest first; the lower id at a tie. */
export function likeliest(logprobs: Float32Array, k: number): { id: number; logprob: number }[] {
  const best: { id: number; logprob: number }[] = [];
  if (k === 0) return best;
  for (const [id, logprob] of logprobs.entries()) {
    if (best.length === k && logprob <= best[k - 1]!.logprob) continue;
    const at = best.findIndex((other) => logprob > other.logprob);
    best.splice(at < 0 ? best.length : at, 0, { id, logprob });
    if (best.length > k) best.pop();
  }
  return best;
}
