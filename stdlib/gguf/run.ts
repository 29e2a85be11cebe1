// Unpacks a GGUF file into a model folder, one tensor in memory at a time.
import type { ModelRun } from "../../engine/index.ts";
import { copyModel, openModelFolder } from "../../tensor/io/index.ts";
import { checkModel } from "../training/check-model.ts";

export const gguf: ModelRun<{ readonly path: string }> = {
  async run({ files, out, progress, signal }) {
    const [path] = files.path!;
    const parameters = await checkModel(path!);
    await copyModel(await openModelFolder(path!), out, (done, total) => {
      signal.throwIfAborted();
      progress({ done, total, unit: "tensors" });
    });
    return { metrics: { parameters } };
  },
};
