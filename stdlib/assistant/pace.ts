// When a request may be sent: so many at once, so many and so many tokens a minute, and not while the endpoint wants to be left alone.
import type { Clock } from "../../engine/index.ts";

export interface Limits {
  readonly max_concurrent: number;
  /** 0 is none. */
  readonly requests_per_minute: number;
  readonly tokens_per_minute: number;
}

export interface Pace {
  /** Waits for its turn, then does the work. `tokens` is what it may take. */
  run<T>(tokens: number, work: () => Promise<T>): Promise<T>;
  /** Nothing is sent for so long. */
  pause(ms: number): void;
}

/** What may be sent at once after a quiet time, in milliseconds' worth of the rate. */
const BURST_MS = 1000;

export function createPace(limits: Limits, clock: Clock, signal: AbortSignal): Pace {
  const waiting: (() => void)[] = [];
  let free = limits.max_concurrent;
  // The generic cell rate algorithm: each request moves the time at which the next one is due.
  const due = { requests: 0, tokens: 0 };
  let pausedUntil = 0;
  let turn: Promise<void> = Promise.resolve();

  const moved = (at: number, cost: number, perMinute: number): number =>
    perMinute === 0 ? 0 : Math.max(at, clock.now() - BURST_MS) + (cost * 60_000) / perMinute;

  async function inTurn(tokens: number): Promise<void> {
    for (;;) {
      const wait = Math.max(pausedUntil, due.requests, due.tokens) - clock.now();
      if (wait <= 0) break;
      await sleep(wait, clock, signal);
    }
    due.requests = moved(due.requests, 1, limits.requests_per_minute);
    due.tokens = moved(due.tokens, tokens, limits.tokens_per_minute);
  }

  return {
    async run(tokens, work) {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        // One after the other, in the order in which they came.
        turn = turn.then(() => inTurn(tokens));
        await turn;
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else free++;
      }
    },
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, clock.now() + ms);
    },
  };
}

export function sleep(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const off = clock.after(ms, () => {
      signal.removeEventListener("abort", aborted);
      resolve();
    });
    function aborted(): void {
      off();
      reject(signal.reason);
    }
    signal.addEventListener("abort", aborted, { once: true });
  });
}
