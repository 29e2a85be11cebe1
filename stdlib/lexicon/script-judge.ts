// Scores a text by a JavaScript function, run from the copy in the artifact.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { TaskError } from "../../engine/index.ts";
import { checkedScore, type Judge } from "../judge/judges.ts";
import { plainText } from "../template/index.ts";

/** The copy's name: `.mjs`, whatever the package around it says. */
export const scriptFile = "judge.mjs";

export async function openScript(dir: string): Promise<Judge> {
  const path = join(dir, scriptFile);
  let module: { default?: unknown };
  try {
    module = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as { default?: unknown };
  } catch (error) {
    throw new TaskError({
      code: "script-invalid",
      message: `the judge cannot be loaded: ${(error as Error).message}`,
      where: path,
      help: "it must be one self-contained ES module: only node: imports are found from the artifact",
    });
  }
  const judge = module.default;
  if (typeof judge !== "function") {
    throw new TaskError({
      code: "script-invalid",
      message: `the judge's default export is ${judge === undefined ? "missing" : `a ${typeof judge}`}`,
      where: path,
      help: "export default ({ prompt, response, row }) => 0",
    });
  }
  return {
    kind: "script",
    async score({ prompt, response, row }) {
      let value: unknown;
      try {
        value = await judge({ prompt: plainText(prompt, "prompt"), response, row });
      } catch (error) {
        throw new TaskError({
          code: "script-failed",
          message: `the judge threw: ${error instanceof Error ? error.message : String(error)}`,
          where: path,
        });
      }
      return checkedScore(value, "the judge");
    },
  };
}
