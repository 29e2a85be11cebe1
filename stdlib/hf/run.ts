// Downloads a model from the hub into the cache and takes it from there into the store.
import { constants, copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { ModelRun } from "../../engine/index.ts";
import { checkModel } from "../training/check-model.ts";
import { hubSettings } from "./settings.ts";
import { snapshot } from "./snapshot.ts";

export interface HfParams {
  readonly repo: string;
  readonly revision: string;
}

export const hf: ModelRun<HfParams> = {
  async run({ params: { repo, revision }, out, progress, signal }) {
    const { commit, files, blob } = await snapshot({
      repo,
      revision,
      settings: hubSettings(process.env),
      signal,
      onBytes: (done, total) => progress({ done, total, unit: "bytes" }),
      pause: (ms) => setTimeout(ms, undefined, { signal }),
    });
    for (const file of files) await copyFile(blob(file), join(out, file.path), constants.COPYFILE_FICLONE);
    const parameters = await checkModel(out);
    // Not the revision: a branch and the commit it stood for give the same artifact.
    const digests = Object.fromEntries(files.map(({ path, digest }) => [path, digest]));
    await writeFile(
      join(out, "source.json"),
      `${JSON.stringify({ repo, commit, files: digests }, null, 1)}\n`,
    );
    return { metrics: { parameters }, summary: `${repo}, revision: "${commit}"\n` };
  },
};
