// `align docs FILE | OPERATION | --stdlib`: documentation written from declarations, as Markdown.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { nearest, parse } from "../../grammar/index.ts";
import { library } from "../../stdlib/index.ts";
import { libraryPages } from "../docs/library.ts";
import { operationPage } from "../docs/operation.ts";
import { pipelinePage } from "../docs/pipeline.ts";
import { badFile, checkFile, type PipelineOptions, printDiagnostics } from "../pipeline.ts";
import { failureText } from "../ui/failure-text.ts";

export interface DocsOptions extends PipelineOptions {
  readonly stdlib?: boolean;
  readonly output?: string;
}

export async function docs(what: string | undefined, options: DocsOptions): Promise<number> {
  if (options.stdlib) return stdlib(options.output);
  const page = what === undefined ? nothing() : pageOf(what, options);
  if (typeof page === "number") return page;
  if (options.output === undefined) process.stdout.write(page);
  else await write(options.output, page);
  return 0;
}

async function stdlib(dir: string | undefined): Promise<number> {
  const pages = libraryPages(library);
  if (dir === undefined) process.stdout.write([...pages.values()].join("\n"));
  else for (const [name, page] of pages) await write(join(dir, name), page);
  return 0;
}

/** A number is the exit status of what has been reported. */
function pageOf(what: string, options: DocsOptions): string | number {
  const operation = library.get(what);
  if (operation) return operationPage(operation);
  if (!/[./\\]/.test(what)) return unknown(what);
  const checked = checkFile(what, options);
  if (!checked) return badFile;
  printDiagnostics(checked);
  if (!checked.program) return badFile;
  return pipelinePage(checked.source, parse(checked.source).file, checked.program);
}

function nothing(): number {
  console.error(
    failureText({
      code: "usage",
      message: "docs wants something to describe",
      help: "align docs FILE, align docs OPERATION or align docs --stdlib",
    }),
  );
  return badFile;
}

function unknown(name: string): number {
  const [close] = nearest(name, Array.from(library.keys()));
  const help = close ? `did you mean ${close}?` : "a pipeline is named by its file: align docs my.align";
  console.error(failureText({ code: "no-such-operation", message: `there is no operation ${name}`, help }));
  return badFile;
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
