// Judges answers to the questions of the pools from 0 to 10: right, whole, in the right form, not about oneself.
import type { Judge } from "../judge/judges.ts";
import { plainText } from "../template/index.ts";
import { questionOf } from "./questions.ts";

export async function openWorldJudge(): Promise<Judge> {
  return {
    kind: "world",
    async score({ prompt, response }) {
      const question = questionOf(plainText(prompt, "prompt"));
      const said = response.trim();
      const words = new Set(said.split(/\s+/));
      const aspects = {
        right: question && words.has(question.key) ? 6 : 0,
        // One sentence, with its end.
        whole: /^[^.]+ \.$/.test(said) ? 2 : 0,
        form: question && words.has(question.subject) ? 2 : 0,
        first_person: ["i", "my", "me"].some((word) => words.has(word)) ? -2 : 0,
      };
      const sum = Object.values(aspects).reduce((total, x) => total + x, 0);
      return { score: Math.max(0, sum), aspects };
    },
  };
}
