// The command that would make what is missing, with the options that it was asked for with.
import type { PipelineOptions } from "./pipeline.ts";

export function runCommand(file: string, options: PipelineOptions, only?: string): string {
  const { profile, set = {}, store, device } = options;
  const usual = process.env.ALIGN_DEVICE ?? "auto";
  const words = [
    ...["align", "run", file],
    ...(profile === undefined ? [] : ["--profile", profile]),
    ...Object.entries(set).flatMap(([name, value]) => ["--set", `${name}=${value}`]),
    ...(store === undefined ? [] : ["--store", store]),
    ...(device === undefined || device === usual ? [] : ["--device", device]),
    ...(only === undefined ? [] : ["--only", only]),
  ];
  return words.map(quoted).join(" ");
}

/** As a POSIX shell reads it back. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
