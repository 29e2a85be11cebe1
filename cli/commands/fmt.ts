// `align fmt FILE…`: formats in place, or says what formatting would change.
import { readFileSync, writeFileSync } from "node:fs";
import { format } from "../../grammar/index.ts";
import { unreadable } from "../pipeline.ts";
import { unifiedDiff } from "../ui/diff.ts";

export interface FmtOptions {
  readonly check?: boolean;
  readonly diff?: boolean;
  readonly stdin?: boolean;
}

/** Status of `--check` and `--diff` when a file is not formatted. */
const notFormatted = 1;

export async function fmt(files: readonly string[], options: FmtOptions): Promise<number> {
  if (options.stdin)
    return one("<stdin>", readFileSync(0, "utf8"), options, (text) => process.stdout.write(text));
  if (files.length === 0) {
    console.error("error: missing required argument 'file' (or --stdin)");
    return 2;
  }
  let status = 0;
  for (const file of files) {
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (error) {
      console.error(unreadable(file, error));
      status = 2;
      continue;
    }
    const write = (formatted: string) => {
      if (formatted === text) return;
      writeFileSync(file, formatted);
      console.error(`${file}: formatted`);
    };
    status = Math.max(status, one(file, text, options, write));
  }
  return status;
}

function one(path: string, text: string, options: FmtOptions, write: (formatted: string) => void): number {
  const formatted = format({ path, text });
  if (!options.check && !options.diff) {
    write(formatted);
    return 0;
  }
  if (formatted === text) return 0;
  if (options.check) console.error(`${path}: not formatted; run \`align fmt ${path}\``);
  if (options.diff) process.stdout.write(unifiedDiff(path, text, formatted));
  return notFormatted;
}
