// The refusal of a model that GGUF or Align has no place for.
import { FileError } from "./error.ts";

export function unsupported(message: string, where: string, help?: string): FileError {
  return new FileError({ code: "gguf-model", message, where, ...(help === undefined ? {} : { help }) });
}
