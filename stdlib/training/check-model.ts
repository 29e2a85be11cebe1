// Whether a folder holds a model that can be read: its configuration, weights' headers and tokenizer.
import { openModelFolder } from "../../tensor/io/index.ts";

/** Returns the number of weights; throws a FileError that says what is wrong. No weight is read. */
export async function checkModel(dir: string): Promise<number> {
  const folder = await openModelFolder(dir);
  await folder.tokenizer();
  const weights = await folder.weights();
  await weights.close();
  let parameters = 0;
  for (const shape of weights.shapes.values()) parameters += shape.reduce((n, size) => n * size, 1);
  return parameters;
}
