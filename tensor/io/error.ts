// What is wrong with a model file on disk: a code to match on, what is wrong and what to do about it.

export type FileErrorCode =
  | "safetensors-truncated" // fewer bytes than the header promises
  | "safetensors-header" // the header is not what the format allows
  | "safetensors-dtype" // a number format that is not read
  | "gguf-truncated" // fewer bytes than the header promises
  | "gguf-header" // the header is not what the format allows
  | "gguf-type" // a number format that is not read
  | "gguf-model" // an architecture, setting or tokenizer that has no counterpart in a model folder
  | "tensor-missing" // a name that should be there and is not
  | "tensor-shape" // data and shape do not agree
  | "tokenizer-invalid" // tokenizer.json or tokenizer_config.json cannot be used
  | "template-invalid" // a Jinja template that does not parse or does not render
  | "model-folder"; // a model folder with a file missing or damaged

export class FileError extends Error {
  override readonly name = "FileError";
  readonly code: FileErrorCode;
  /** The file, when there is one. */
  readonly where: string | undefined;
  readonly help: string | undefined;

  constructor(problem: { code: FileErrorCode; message: string; where?: string | undefined; help?: string }) {
    super(problem.message);
    this.code = problem.code;
    this.where = problem.where;
    this.help = problem.help;
  }
}
