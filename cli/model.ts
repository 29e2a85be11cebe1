// Finds the model that a person names: a folder, a GGUF file, or a stage of a pipeline that has been run.
import { stat } from "node:fs/promises";
import { artifactOf } from "./artifact.ts";
import { badFile } from "./pipeline.ts";
import { failureText } from "./ui/failure-text.ts";

/** A folder or GGUF file as it is; `FILE#stage` as the artifact of that stage. */
export async function modelPath(
  model: string,
  { store }: { readonly store?: string },
): Promise<string | number> {
  const at = model.lastIndexOf("#");
  const found = await stat(model).catch(() => undefined);
  if (found?.isDirectory() || (found?.isFile() && !model.endsWith(".align"))) return model;
  if (at < 0) {
    const help = model.endsWith(".align")
      ? `name a stage of it: ${model}#stage`
      : "give a model folder, a GGUF file, or FILE.align#stage";
    const message = `${model} is not a model folder or GGUF file`;
    console.error(failureText({ code: "no-such-model", message, help }));
    return badFile;
  }
  const artifact = await artifactOf(
    model.slice(0, at),
    model.slice(at + 1),
    store === undefined ? {} : { store },
  );
  return typeof artifact === "number" ? artifact : artifact.dir;
}
