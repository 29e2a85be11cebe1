// Verdicts of assistants: the form that is asked for, and the strict reading of what came. What is not a verdict is never guessed at.
import type { Rating } from "./rubric.ts";

export interface Rated {
  readonly rationale: string;
  readonly ratings: Readonly<Record<string, number>>;
}

export interface Preferred {
  readonly rationale: string;
  readonly preferred: "A" | "B" | "tie";
}

/** How an answer must look, and how one is read: the verdict, or in words what is wrong with it. */
export interface Form<V> {
  readonly instruction: string;
  read(text: string): { readonly verdict: V } | { readonly problem: string };
}

const only = "Answer with one JSON object and nothing else, in this form:";

export function ratingForm(ratings: readonly Rating[]): Form<Rated> {
  const fields = ratings.map(({ name, low, high }) => `"${name}": <number from ${low} to ${high}>`);
  return {
    instruction: `${only}\n{"rationale": "<your reasons>", ${fields.join(", ")}}`,
    read(text) {
      const found = objectIn(text, ["rationale", ...ratings.map(({ name }) => name)]);
      if (typeof found === "string") return { problem: found };
      const numbers: Record<string, number> = {};
      for (const { name, low, high } of ratings) {
        const value = found[name];
        if (typeof value !== "number" || !(value >= low && value <= high))
          return { problem: `"${name}" is ${JSON.stringify(value)}, not a number from ${low} to ${high}` };
        numbers[name] = value;
      }
      return { verdict: { rationale: found.rationale as string, ratings: numbers } };
    },
  };
}

export const preferenceForm: Form<Preferred> = {
  instruction: `${only}\n{"rationale": "<your reasons>", "preferred": <"A", "B" or "tie">}`,
  read(text) {
    const found = objectIn(text, ["rationale", "preferred"]);
    if (typeof found === "string") return { problem: found };
    const { preferred } = found;
    if (preferred !== "A" && preferred !== "B" && preferred !== "tie")
      return { problem: `"preferred" is ${JSON.stringify(preferred)}, not "A", "B" or "tie"` };
    return { verdict: { rationale: found.rationale as string, preferred } };
  },
};

/** The object with exactly these fields that the text is, fenced or not; else what is wrong with it. */
function objectIn(text: string, fields: readonly string[]): Record<string, unknown> | string {
  const body = /^```(?:json)?\s*\n([\s\S]*)\n```$/.exec(text.trim())?.[1] ?? text.trim();
  if (body === "") return "it is empty";
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return "it is not one JSON object";
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) return "it is not one JSON object";
  const missing = fields.filter((name) => !Object.hasOwn(value, name));
  if (missing.length > 0) return `it has no ${missing.map((name) => `"${name}"`).join(", ")}`;
  const more = Object.keys(value).filter((name) => !fields.includes(name));
  if (more.length > 0) return `it has ${more.map((name) => `"${name}"`).join(", ")} as well`;
  const found = value as Record<string, unknown>;
  return typeof found.rationale === "string" ? found : `"rationale" is not a text`;
}
