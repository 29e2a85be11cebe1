// Small JSON files beside a model.
import { readFile } from "node:fs/promises";
import { FileError, type FileErrorCode } from "./error.ts";
import type { JsonObject } from "./tokenizer-files.ts";

/** Undefined where there is no such file; `code` for one that is not a JSON object. */
export async function readJsonObject(path: string, code: FileErrorCode): Promise<JsonObject | undefined> {
  const text = await readTextIfThere(path);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
    throw new SyntaxError("it is not an object");
  } catch (error) {
    throw new FileError({
      code,
      message: `the file is not JSON as expected: ${(error as Error).message}`,
      where: path,
    });
  }
}

export async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
