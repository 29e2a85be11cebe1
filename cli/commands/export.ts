// `align export FILE STAGE DIR`: what a stage has made, in the formats of other programs.
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { writeParquet } from "../../stdlib/index.ts";
import { openModelFolder, type WrittenType, writeGguf } from "../../tensor/io/index.ts";
import { artifactOf, type Found } from "../artifact.ts";
import { badFile, type PipelineOptions } from "../pipeline.ts";
import { failureText } from "../ui/failure-text.ts";

export interface ExportOptions extends PipelineOptions {
  readonly format?: Format;
  readonly type: "f32" | "f16" | "q8_0";
}
type Format = "hf" | "gguf" | "jsonl" | "parquet";

export async function exportArtifact(
  file: string,
  stage: string,
  to: string,
  options: ExportOptions,
): Promise<number> {
  const found = await artifactOf(file, stage, options);
  if (typeof found === "number") return found;
  const [kind, formats] = formatsOf(found.dir);
  const format = options.format ?? formats.find((ending) => to.endsWith(`.${ending}`)) ?? formats[0];
  if (format === undefined || !formats.includes(format)) {
    const message = `${stage} is ${kind}${format === undefined ? "" : `, which cannot be written as ${format}`}`;
    const help =
      formats.length > 0 ? `--format ${formats.join(" or ")}` : "models and datasets can be exported";
    console.error(failureText({ code: "cannot-export", message, help }));
    return badFile;
  }
  console.log(await write(format, found, stage, resolve(to), options));
  return 0;
}

/** What an artifact is, and the formats that it can be written in; the usual one first. */
function formatsOf(dir: string): readonly [kind: string, formats: readonly Format[]] {
  const has = (name: string) => existsSync(join(dir, name));
  if (has("rows.jsonl")) return ["a dataset", ["jsonl", "parquet"]];
  if (has("config.json")) return ["a model", ["hf", "gguf"]];
  if (has("tokenizer.json")) return ["a tokenizer", ["hf"]];
  return [has("judge.json") ? "a judge" : "neither a model nor a dataset", []];
}

/** Returns what was written. */
async function write(
  format: Format,
  { dir, tree, store }: Found,
  stage: string,
  to: string,
  { type }: ExportOptions,
): Promise<string> {
  /** The file that was named, or one in the folder that was. */
  const file = (ending: string) => (to.endsWith(ending) ? to : join(to, `${fileName(stage)}${ending}`));
  switch (format) {
    case "hf":
      await store.publish(tree, to);
      return to;
    case "gguf": {
      const model = await openModelFolder(dir);
      return whole(file(".gguf"), (temporary) =>
        writeGguf(temporary, model, { type: type.toUpperCase() as WrittenType, name: stage }),
      );
    }
    case "jsonl":
      return whole(file(".jsonl"), async (temporary) => {
        await copyFile(join(dir, "rows.jsonl"), temporary);
        await chmod(temporary, 0o644); // in the store it is read-only
      });
    case "parquet":
      return whole(file(".parquet"), (temporary) => writeParquet(dir, temporary));
  }
}

/** `dpo[beta=0.1]` has characters that shells and other systems mind. */
function fileName(stage: string): string {
  return stage.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^-+|-+$/g, "");
}

/** Nobody sees half a file, and a failure leaves what was there. */
async function whole(path: string, make: (temporary: string) => Promise<void>): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.new`;
  try {
    await make(temporary);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  return path;
}
