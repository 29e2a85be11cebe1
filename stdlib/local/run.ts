// Takes a model folder into the store, after a look at everything that can be wrong with it.
import { constants, copyFile, mkdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { type ModelRun, TaskError } from "../../engine/index.ts";
import { checkModel } from "../training/check-model.ts";

/** Weights in other formats and code are of no use here; what they hold is in the safetensors. */
const leftOut = /\.(bin|pt|pth|h5|msgpack|ot|onnx|onnx_data|gguf|py)$/;

export const local: ModelRun<{ readonly path: string }> = {
  async run({ params, files, out, progress, signal }) {
    const all = files.path!;
    const [config] = all.filter((file) => file.endsWith("/config.json")).sort((a, b) => a.length - b.length);
    if (config === undefined) {
      throw new TaskError({
        code: "model-folder",
        message: "there is no config.json, so this is not a model folder",
        where: params.path,
        help: 'name the folder that config.json is in; a GGUF file is read by gguf("file.gguf")',
      });
    }
    const dir = dirname(config);
    const parameters = await checkModel(dir);
    const wanted = all.filter((file) => file.startsWith(`${dir}/`) && !leftOut.test(file));
    for (const [done, file] of wanted.entries()) {
      signal.throwIfAborted();
      progress({ done, total: wanted.length, unit: "files" });
      const to = join(out, relative(dir, file));
      await mkdir(dirname(to), { recursive: true });
      await copyFile(file, to, constants.COPYFILE_FICLONE);
    }
    return { metrics: { parameters } };
  },
};
