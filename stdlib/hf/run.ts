// Downloads a model from the hub into the cache and takes it from there into the store.
import { constants, copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type ModelRun, TaskError } from "../../engine/index.ts";
import { checkModel } from "../training/check-model.ts";
import { hubSettings } from "./settings.ts";
import { cached, type Selection, type Snapshot, snapshot } from "./snapshot.ts";

export interface HfParams {
  readonly repo: string;
  readonly revision: string;
}

/** What a model is made of here: top-level settings, tokenizer and safetensors. */
const wantedFile = /^[^/]+\.(json|safetensors|jinja|txt|model)$/;

export const modelFiles = (repo: string): Selection => ({
  name: "",
  async choose(listed) {
    const files = listed.filter(({ path }) => wantedFile.test(path));
    if (files.some(({ path }) => path.endsWith(".safetensors"))) return files;
    throw new TaskError({
      code: "no-safetensors",
      message: `${repo} has no safetensors`,
      help: "take a revision or another copy of the model that has: weights in other formats can run code",
    });
  },
});

/** The model as it is in the cache, if all of it is. */
export const cachedModel = ({ repo, revision }: HfParams): Snapshot | undefined =>
  cached(hubSettings(process.env), { kind: "model", repo, revision }, modelFiles(repo).name);

export const hf: ModelRun<HfParams> = {
  async run({ params: { repo, revision }, out, progress, signal }) {
    const { commit, files, blob } = await snapshot({
      kind: "model",
      selection: modelFiles(repo),
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
