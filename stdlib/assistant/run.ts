// Writes the artifacts of assistants: who is asked, never how it is reached.
import { cp, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { canonicalJson, type ModelRun } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { type AssistantFile, assistantFile } from "./assistant.ts";

interface ApiParams {
  readonly model: string;
  readonly base_url: Json;
}

const write = (dir: string, file: AssistantFile) =>
  writeFile(join(dir, assistantFile), `${canonicalJson(file)}\n`);

export const api: ModelRun<ApiParams> = {
  async run({ params: { model, base_url }, out }) {
    // An address out of the environment is one of the settings of the run.
    const address = typeof base_url === "string" ? { base_url } : {};
    await write(out, { kind: "api", version: 1, model, ...address });
    return undefined;
  },
};

export const assistant: ModelRun<object> = {
  async run({ inputs, out }) {
    const { dir } = inputs.model![0]!;
    const own = (path: string) => !["metrics.json", "summary.txt"].includes(relative(dir, path));
    await cp(dir, out, { recursive: true, filter: own });
    await write(out, { kind: "local", version: 1 });
    return undefined;
  },
};
