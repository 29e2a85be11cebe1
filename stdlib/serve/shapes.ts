// How answers are written down: the objects of OpenAI's API, whole and in pieces.
import type { Drawn } from "../generate/answerer.ts";

export type Finish = "stop" | "length";

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** What every object of one request says. */
export interface Head {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly system_fingerprint: string;
}

/** A piece of one choice, or all of it. */
export interface Piece {
  readonly index: number;
  readonly text: string;
  /** Undefined unless log-probabilities were asked for. */
  readonly tokens: readonly Drawn[] | undefined;
  /** Null while there is more to come. */
  readonly finish: Finish | null;
  /** Characters of the choice before this piece. */
  readonly offset: number;
}

export interface Shape {
  whole(head: Head, choices: readonly Piece[], usage: Usage): object;
  /** The first object of a streamed choice, where there is one before any text. */
  opening(head: Head, index: number): object | undefined;
  chunk(head: Head, piece: Piece): object;
  usage(head: Head, usage: Usage): object;
}

type TokenText = (id: number) => string;

export function chatShape(text: TokenText): Shape {
  const logprobs = ({ tokens }: Piece) =>
    tokens === undefined
      ? null
      : {
          content: tokens.map((drawn) => ({ ...named(drawn), top_logprobs: drawn.top.map(named) })),
          refusal: null,
        };
  const named = ({ id, logprob }: { readonly id: number; readonly logprob: number }) => {
    const token = text(id);
    return { token, logprob, bytes: token.includes("\uFFFD") ? null : [...Buffer.from(token)] };
  };
  const chunk = (head: Head, choices: object[], usage?: Usage) => ({
    ...head,
    object: "chat.completion.chunk",
    choices,
    ...(usage && { usage }),
  });
  return {
    whole: (head, choices, usage) => ({
      ...head,
      object: "chat.completion",
      choices: choices.map((piece) => ({
        index: piece.index,
        message: { role: "assistant", content: piece.text, refusal: null },
        logprobs: logprobs(piece),
        finish_reason: piece.finish,
      })),
      usage,
    }),
    opening: (head, index) =>
      chunk(head, [
        { index, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null },
      ]),
    chunk: (head, piece) =>
      chunk(head, [
        {
          index: piece.index,
          delta: piece.text === "" ? {} : { content: piece.text },
          logprobs: logprobs(piece),
          finish_reason: piece.finish,
        },
      ]),
    usage: (head, usage) => chunk(head, [], usage),
  };
}

export function completionShape(text: TokenText): Shape {
  const logprobs = ({ tokens, offset }: Piece) => {
    if (tokens === undefined) return null;
    let at = offset;
    return {
      tokens: tokens.map(({ id }) => text(id)),
      token_logprobs: tokens.map(({ logprob }) => logprob),
      top_logprobs: tokens.map(({ top }) =>
        Object.fromEntries(top.map(({ id, logprob }) => [text(id), logprob])),
      ),
      text_offset: tokens.map(({ id }) => {
        at += text(id).length;
        return at - text(id).length;
      }),
    };
  };
  const choice = (piece: Piece) => ({
    index: piece.index,
    text: piece.text,
    logprobs: logprobs(piece),
    finish_reason: piece.finish,
  });
  const object = "text_completion";
  return {
    whole: (head, choices, usage) => ({ ...head, object, choices: choices.map(choice), usage }),
    opening: () => undefined,
    chunk: (head, piece) => ({ ...head, object, choices: [choice(piece)] }),
    usage: (head, usage) => ({ ...head, object, choices: [], usage }),
  };
}
