// Makes judge artifacts: everything that a judge needs, in one folder.
import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ModelRun } from "../../engine/index.ts";
import type { LexiconFile, LexiconSettings } from "./lexicon-judge.ts";
import { openScript, scriptFile } from "./script-judge.ts";
import { readWordList } from "./word-list.ts";

export const lexicon: ModelRun<LexiconSettings & { readonly path: string }> = {
  async run({ params, files, out }) {
    const words = await readWordList(files.path![0]!);
    const { aggregate, squash, scale, negation } = params;
    const file: LexiconFile = { kind: "lexicon", version: 1, aggregate, squash, scale, negation, words };
    await writeFile(join(out, "judge.json"), `${JSON.stringify(file, null, 1)}\n`);
    return { metrics: { words: Object.keys(words).length } };
  },
};

export const script: ModelRun<{ readonly path: string }> = {
  async run({ files, out }) {
    await copyFile(files.path![0]!, join(out, scriptFile));
    await openScript(out); // refused now rather than when it is first asked
    await writeFile(join(out, "judge.json"), `${JSON.stringify({ kind: "script", version: 1 })}\n`);
    return undefined;
  },
};
