// Turns what is wrong with a model file into a failure that is shown without a stack.
import { TaskError } from "../engine/index.ts";
import { FileError } from "../tensor/io/index.ts";

/** `await actionable(loadTokenizer(dir))`, `actionable(() => compileTemplate(text))` */
export function actionable<T>(work: Promise<T>): Promise<T>;
export function actionable<T>(work: () => T): T;
export function actionable<T>(work: Promise<T> | (() => T)): Promise<T> | T {
  if (typeof work !== "function") return work.catch(rethrow);
  try {
    return work();
  } catch (error) {
    return rethrow(error);
  }
}

function rethrow(error: unknown): never {
  if (!(error instanceof FileError)) throw error;
  const { code, message, where, help } = error;
  throw new TaskError({
    code,
    message,
    ...(where === undefined ? {} : { where }),
    ...(help === undefined ? {} : { help }),
  });
}
