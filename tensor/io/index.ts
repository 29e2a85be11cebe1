// The door of model files: weights, tokenizers, templates and the folders that hold them.
export { type Bpe, type BpeOptions, trainBpe, type WordCounter, wordCounter } from "./bpe-train.ts";
export { type ChatTemplate, chatTemplate, type Message } from "./chat-template.ts";
export type { Dtype } from "./dtype.ts";
export { FileError, type FileErrorCode } from "./error.ts";
export { type WrittenType, writtenTypes } from "./ggml-quantise.ts";
export { decodeGguf, type GgufFile, openGguf } from "./gguf.ts";
export { type GgufOptions, writeGguf } from "./gguf-write.ts";
export {
  copyModel,
  type ModelFolder,
  type ModelParts,
  openModelFolder,
  readWeights,
  writeModelFolder,
  writeTokenizer,
} from "./hf-folder.ts";
export { compileTemplate, type Render } from "./jinja.ts";
export {
  decodeSafetensors,
  encodeSafetensors,
  openSafetensors,
  readSafetensors,
  type SafetensorsFile,
  type Tensor,
  type TensorMap,
  writeSafetensors,
} from "./safetensors.ts";
export { loadTokenizer, makeTokenizer, type Tokenizer } from "./tokenizer.ts";
export {
  type JsonObject,
  type SpecialRoles,
  type TokenizerFiles,
  tokenizerFiles,
  withSpecialTokens,
} from "./tokenizer-files.ts";
export { openWeights, type Weights } from "./weights.ts";
