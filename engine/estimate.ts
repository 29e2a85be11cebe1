// What an operation can say before it runs: what it will cost, and what is known of its artifact.
import type { Json } from "../grammar/index.ts";

/** Of an artifact that may not exist yet: `rows` of a dataset, at most; everything else is between operations. */
export type Facts = Readonly<Record<string, Json>>;

export interface Cost {
  /** Floating point operations, a multiply and an add being two. */
  readonly flops?: number;
  /** Bytes that must pass from memory through the processor, where that and not arithmetic takes the time. */
  readonly traffic?: number;
  /** Tokens that go through a model. */
  readonly tokens?: number;
  /** Put to assistants, without those that are asked again: of an endpoint, what it is paid for. */
  readonly questions?: number;
  /** The most that its process holds at once, bytes. */
  readonly memory?: number;
  /** The artifact, bytes. */
  readonly disk?: number;
}

export interface Estimate {
  readonly facts?: Facts;
  readonly cost?: Cost;
  /** Why there is no cost, or why it is only a bound; one line. */
  readonly note?: string;
}

/** An input as far as it is known. */
export interface Known {
  readonly node: string;
  readonly facts: Facts;
  readonly metrics: Readonly<Record<string, number>>;
  /** The artifact, if it has been made. */
  open(): Promise<string | undefined>;
}

export interface EstimateContext<P = Readonly<Record<string, Json>>> {
  readonly params: P;
  readonly inputs: Readonly<Record<string, readonly Known[]>>;
  readonly files: Readonly<Record<string, readonly string[]>>;
  /** Of a transform: the rows that come in. */
  readonly before: Facts;
}

/** Loaded only by what shows estimates. Anything it throws means that it cannot tell. */
export type EstimateRun<P = never> = (ctx: EstimateContext<P>) => Promise<Estimate> | Estimate;
