// A judge that takes its time and writes down what it is asked, as a paid one would on its bill.
import { appendFileSync } from "node:fs";

export default async ({ prompt, response, row }) => {
  const stage = "responses" in row ? "judge" : "compare";
  appendFileSync(process.env.KILL_TEST_BILL, `${JSON.stringify([process.pid, stage, prompt, response])}\n`);
  await new Promise((resolve) => setTimeout(resolve, 5));
  return response.length % 7;
};
