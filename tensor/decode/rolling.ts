// A batch that never closes: rows join while others are decoded, and leave when they end or nobody wants them any more.

import type { BatchRow } from "./batch.ts";

export interface RollingBatch<T> {
  /** `make` gets where the row is to put what it came to. */
  join(make: (end: (result: T) => void) => BatchRow, signal?: AbortSignal): Promise<T>;
}

/** `run` decodes rows out of a queue, that may be added to, until it is empty. */
export function rollingBatch<T>(run: (queue: BatchRow[]) => Promise<void>): RollingBatch<T> {
  const queue: BatchRow[] = [];
  /** How to tell those under way that the batch has failed. */
  const failing = new Set<(error: unknown) => void>();
  let running = false;

  async function serve(): Promise<void> {
    running = true;
    try {
      while (queue.length > 0) await run(queue);
    } catch (error) {
      queue.length = 0;
      for (const fail of [...failing]) fail(error);
    } finally {
      running = false;
    }
  }

  return {
    join(make, signal) {
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          failing.delete(fail);
          signal?.removeEventListener("abort", abort);
        };
        const fail = (error: unknown): void => {
          leave();
          reject(error);
        };
        const row = make((result) => {
          leave();
          resolve(result);
        });
        const abort = (): void => {
          const at = queue.indexOf(joined);
          if (at >= 0) queue.splice(at, 1);
          fail(signal!.reason);
        };
        const joined: BatchRow = {
          ...row,
          next(distribution) {
            if (signal?.aborted) return undefined;
            try {
              return row.next(distribution);
            } catch (error) {
              fail(error); // it alone
              return undefined;
            }
          },
        };
        if (signal?.aborted) return reject(signal.reason);
        signal?.addEventListener("abort", abort);
        failing.add(fail);
        queue.push(joined);
        if (!running) void serve();
      });
    },
  };
}
