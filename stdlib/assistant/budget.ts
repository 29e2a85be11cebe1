// What asking may cost in all: a stage stops before it spends more.
import { TaskError } from "../../engine/index.ts";
import type { Reply } from "./assistant.ts";

export interface Prices {
  readonly token_budget?: number;
  /** Dollars. */
  readonly cost_budget?: number;
  /** Dollars per million tokens. */
  readonly input_price: number;
  readonly output_price: number;
}

export interface Budget {
  /**
   * Sets aside what a request may cost at most, and gives it back when called. While what others have set aside is in the way it
   * waits for them; when it is more than is left in any case, it refuses.
   */
  reserve(promptTokens: number, maxTokens: number): Promise<() => void>;
  /** What an answer did cost, now or in an earlier run. */
  spend(reply: Reply): void;
}

export function createBudget(prices: Prices, node: string): Budget {
  const { token_budget = Number.POSITIVE_INFINITY, cost_budget = Number.POSITIVE_INFINITY } = prices;
  const spent = { tokens: 0, cost: 0 };
  const reserved = { tokens: 0, cost: 0 };
  const waiting: (() => void)[] = [];
  const costOf = (prompt: number, completion: number) =>
    (prompt * prices.input_price + completion * prices.output_price) / 1e6;

  function refuse(what: string, budget: string, used: string): never {
    throw new TaskError({
      code: "budget-spent",
      message: `the ${what} of ${node} is spent: ${used} of ${budget}, and another request might take more than is left`,
      help: `every answer so far is kept; raise ${what} to go on from here`,
    });
  }

  return {
    async reserve(promptTokens, maxTokens) {
      const [tokens, cost] = [promptTokens + maxTokens, costOf(promptTokens, maxTokens)];
      for (;;) {
        if (spent.tokens + tokens > token_budget)
          refuse("token_budget", `${token_budget} tokens`, `${spent.tokens}`);
        if (spent.cost + cost > cost_budget)
          refuse("cost_budget", `$${cost_budget}`, `$${spent.cost.toFixed(4)}`);
        const fits =
          spent.tokens + reserved.tokens + tokens <= token_budget &&
          spent.cost + reserved.cost + cost <= cost_budget;
        if (fits) break;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      reserved.tokens += tokens;
      reserved.cost += cost;
      return () => {
        reserved.tokens -= tokens;
        reserved.cost -= cost;
        for (const look of waiting.splice(0)) look();
      };
    },
    spend({ prompt_tokens, completion_tokens }) {
      spent.tokens += prompt_tokens + completion_tokens;
      spent.cost += costOf(prompt_tokens, completion_tokens);
    },
  };
}
