// `align init [DIR]`: a first pipeline that runs, to begin one's own from.
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import first from "../init/first.align?raw";
import words from "../init/words.json?raw";
import { badFile } from "../pipeline.ts";
import { runCommand } from "../run-command.ts";
import { failureText } from "../ui/failure-text.ts";

export async function init(dir: string): Promise<number> {
  const home = resolve(dir);
  const name = nameFrom(basename(home));
  const pipeline = `${name}.align`;
  const files = new Map([
    [pipeline, first.replace(/^pipeline first$/m, `pipeline ${name}`)],
    ["words.json", words],
  ]);
  const there = [...files.keys()].find((file) => existsSync(join(home, file)));
  if (there !== undefined) {
    const message = `${shown(join(home, there))} is there already; nothing was written`;
    console.error(failureText({ code: "exists", message, help: "name a new folder: align init DIR" }));
    return badFile;
  }
  await mkdir(home, { recursive: true });
  for (const [file, text] of files) await writeFile(join(home, file), text, { flag: "wx" });
  // What a run makes is not what somebody wrote. An ignore file of theirs stays as it is.
  const ignore = join(home, ".gitignore");
  if (!existsSync(ignore)) await writeFile(ignore, ".align/\nout/\n");
  console.log(`${[...files.keys()].map((file) => shown(join(home, file))).join("\n")}

Next:  ${runCommand(shown(join(home, pipeline)), {})}`);
  return 0;
}

/** A pipeline's name has letters, digits and `_`, and begins with a letter. */
function nameFrom(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
  return /^[a-z]/.test(name) ? name : "first";
}

const shown = (path: string): string => relative(process.cwd(), path);
