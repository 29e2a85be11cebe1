// The `align` command: a table of commands, each loaded only when it is asked for.
import { Command, CommanderError, Option } from "commander";

declare const ALIGN_VERSION: string;

export interface CommonOptions {
  readonly profile?: string;
  readonly set: Readonly<Record<string, string>>;
  readonly store?: string;
  readonly device: string;
}

const program = new Command("align")
  .description("A declarative language and an engine for aligning language models.")
  .version(typeof ALIGN_VERSION === "string" ? ALIGN_VERSION : "0.0.0-source", "-V, --version")
  .showHelpAfterError("(run `align --help` for the commands)")
  .enablePositionalOptions()
  .exitOverride()
  .addHelpText(
    "after",
    `
Exit status: 0 done, 1 a stage failed, 2 wrong usage or errors in the file, 3 an expectation does not hold, 130 interrupted.
First steps:  align init hello && align run hello/hello.align`,
  );

command("run", "check, plan, and run what is not cached; resume what was interrupted")
  .addOption(onlyOption())
  .option("--jobs <n>", "light stages side by side (default: cores)", wholeNumber)
  .option("--keep-going", "go on with what does not need a failed stage")
  .option("--retries <n>", "tries more of a stage whose failure may pass (default: 2)", wholeNumber)
  .option("--timeout <seconds>", "for one try at a stage; its checkpoints are kept", wholeNumber)
  .option("--dry-run", "stop after the plan")
  .option("--rehearse", "run everything on a sliver of the data with small models; keep nothing")
  .option("--verify-inputs", "read every input file again, also those that look untouched")
  .option("--json", "one event per line on stdout")
  .action(async (file, options) => {
    const status = await (await import("./unchanged.ts")).runUnchanged(file, options);
    await exit(status ?? (await import("./commands/run.ts")).run(file, options));
  });

program
  .command("init")
  .description("a first pipeline that runs, to begin your own from")
  .argument("[dir]", "the folder to write into", ".")
  .action(async (dir) => exit((await import("./commands/init.ts")).init(dir)));

program
  .command("check")
  .description("find what is wrong, without running anything")
  .argument("<file...>", "the .align files")
  .addOption(
    new Option("--format <format>", "how to print").choices(["text", "json", "sarif"]).default("text"),
  )
  .option("--fix", "apply the fixes of mistakes that have exactly one")
  .option("--profile <name>", "with this profile applied")
  .addOption(setOption())
  .action(async (files, options) => exit((await import("./commands/check.ts")).check(files, options)));

program
  .command("fmt")
  .description("format in place; comments and what cannot be read stay as they are")
  .argument("[file...]", "the .align files")
  .option("--check", "change nothing; exit with 1 when a file is not formatted")
  .option("--diff", "change nothing; print what would change, and exit as --check does")
  .option("--stdin", "format standard input to standard output")
  .action(async (files, options) => exit((await import("./commands/fmt.ts")).fmt(files, options)));

command("plan", "what would run, what is cached, and where every value comes from")
  .addOption(onlyOption())
  .option("--verify-inputs", "read every input file again, also those that look untouched")
  .option("--json", "the plan as JSON")
  .action(async (file, options) => exit((await import("./commands/plan.ts")).plan(file, options)));

command("graph", "draw the DAG")
  .addOption(
    new Option("--format <format>", "how to draw")
      .choices(["mermaid", "dot", "svg", "json"])
      .default("mermaid"),
  )
  .action(async (file, options) => exit((await import("./commands/graph.ts")).graph(file, options)));

program
  .command("docs")
  .description("Markdown of a pipeline, of one operation, or of the standard library")
  .argument("[what]", "a .align file, or the name of an operation")
  .option("--stdlib", "every operation there is")
  .option("-o, --output <path>", "write there: a file, or with --stdlib a folder with a page each")
  .option("--profile <name>", "the pipeline with this profile applied")
  .addOption(setOption())
  .action(async (what, options) => exit((await import("./commands/docs.ts")).docs(what, options)));

command("explain", "why a stage is cached or will run: what changed, old and new", [
  ["<stage>", "a stage, dataset or model of the file"],
])
  .option("--json", "as JSON")
  .action(async (file, stage, options) =>
    exit((await import("./commands/explain.ts")).explain(file, stage, options)),
  );

command("show", "metrics, samples and lineage of one stage; a template with rows in its words", [
  ["<stage>", "a stage, dataset, model or template of the file"],
])
  .option("--samples <n>", "rows to show", wholeNumber, 3)
  .option("--json", "as JSON")
  .action(async (file, stage, options) =>
    exit((await import("./commands/show.ts")).show(file, stage, options)),
  );

command("report", "one self-contained HTML page of the last run")
  .option("-o, --output <file>", "the page (default: NAME.html beside the pipeline's file)")
  .option("--samples <n>", "rows of each dataset and stage to show", wholeNumber, 5)
  .action(async (file, options) => exit((await import("./commands/report.ts")).report(file, options)));

command(
  "export",
  "write what a stage has made for other programs: a model as folder or GGUF, a dataset as JSONL or Parquet",
  [
    ["<stage>", "a stage, dataset or model of the file"],
    ["<dir>", "the folder to write into; a file may be named, but for hf"],
  ],
)
  .addOption(
    new Option(
      "--format <format>",
      "how to write it (default: as a named file ends, else hf for models, jsonl for datasets)",
    ).choices(["hf", "gguf", "jsonl", "parquet"]),
  )
  .addOption(
    new Option("--type <type>", "of the matrices in a GGUF file")
      .choices(["f32", "f16", "q8_0"])
      .default("f16"),
  )
  .action(async (file, stage, dir, options) =>
    exit((await import("./commands/export.ts")).exportArtifact(file, stage, dir, options)),
  );

const store = program
  .command("store")
  .description("the artifact store: what is in it, whether it is whole, what nobody needs");

storeCommand("ls", "artifacts by size, with the stages they belong to").action(async (options) =>
  exit((await import("./commands/store.ts")).ls(options)),
);

storeCommand(
  "verify",
  "look at every byte; what is damaged is set aside, and built again by the next run",
).action(async (options) => exit((await import("./commands/store.ts")).verify(options)));

storeCommand("gc", "remove what is neither published nor of the last runs; their checkpoints stay")
  .option("--keep-runs <n>", "last runs of every pipeline that count", wholeNumber, 3)
  .option("--dry-run", "only say how much it would be")
  .action(async (options) => exit((await import("./commands/store.ts")).gc(options)));

command(
  "path",
  "where the store lies, or with a stage, what it made",
  [["[stage]", "a stage of the file"]],
  store,
  "[file]",
).action(async (file, stage, options) =>
  exit((await import("./commands/store.ts")).path(file, stage, options)),
);

program
  .command("doctor")
  .description("devices, backends and their self-check, versions, disk, and how to get what is missing")
  .option("--store <dir>", "the artifact store to look at")
  .option("--json", "as JSON")
  .action(async (options) => exit((await import("./commands/doctor.ts")).doctor(options)));

program
  .command("try-device", { hidden: true })
  .argument("<device>")
  .action(async (device) => exit((await import("./commands/try-device.ts")).tryOne(device)));

talk("chat", "talk to a model").action(async (model, options) =>
  exit((await import("./commands/chat.ts")).chat(model, options)),
);

talk("generate", "continue prompts: those given, or each line of stdin")
  .argument("[prompt...]", "texts to continue")
  .action(async (model, prompts, options) =>
    exit((await import("./commands/chat.ts")).generate(model, prompts, options)),
  );

program
  .command("serve")
  .description("an OpenAI-compatible server of one model, on this machine's loopback")
  .argument("<model>", "a model folder, a GGUF file, or FILE.align#stage")
  .option("--host <host>", "the address to listen at", "127.0.0.1")
  .option("--port <n>", "0 takes a free one", wholeNumber, 8000)
  .option("--name <name>", "what requests call the model (default: its file, folder or stage)")
  .option("--require-token", "refuse to start without a token; it is read from ALIGN_SERVE_TOKEN")
  .option("--batch-size <n>", "answers decoded together", wholeNumber, 16)
  .option("--max-waiting <n>", "answers that may wait; more are refused with 503", wholeNumber, 256)
  .option("--max-body <bytes>", "largest request; larger ones are refused with 413", wholeNumber, 8 * 2 ** 20)
  .option("--quiet", "no line per request")
  .option("--store <dir>", "the artifact store of FILE.align")
  .addOption(deviceOption())
  .action(async (model, options) => exit((await import("./commands/serve.ts")).serve(model, options)));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    const { reportFailure } = await import("./failure.ts");
    process.exitCode = reportFailure(error);
  }
}

/** A command on one model, with the options of sampling. */
function talk(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .argument("<model>", "a model folder, a GGUF file, or FILE.align#stage")
    .option("--temperature <t>", "0 is greedy", number, 0.8)
    .option("--top-p <p>", "keep the likeliest tokens with this much probability", number, 1)
    .option("--top-k <k>", "keep the k likeliest tokens; 0 keeps all", wholeNumber, 0)
    .option("--max-new-tokens <n>", "longest answer", wholeNumber, 64)
    .option("--seed <n>", "of the sampling", wholeNumber, 42)
    .option("--store <dir>", "the artifact store of FILE.align")
    .addOption(deviceOption());
}

/** A command on the store of this folder's project. */
function storeCommand(name: string, description: string): Command {
  return store
    .command(name)
    .description(description)
    .option("--store <dir>", "the artifact store (default: ALIGN_STORE, else .align beside the project)")
    .option("--json", "as JSON");
}

/** A command on one .align file, with the options that all of them share. */
function command(
  name: string,
  description: string,
  more: readonly [string, string][] = [],
  under = program,
  file = "<file>",
): Command {
  const made = under.command(name).description(description).argument(file, "the .align file");
  for (const [argument, meaning] of more) made.argument(argument, meaning);
  return made
    .option("--profile <name>", "with this profile applied")
    .addOption(setOption())
    .option("--store <dir>", "the artifact store (default: ALIGN_STORE, else .align beside the project)")
    .addOption(deviceOption());
}

function deviceOption(): Option {
  return new Option("--device <device>", "where numerics run; auto is the fastest that computes right")
    .choices(["auto", "cpu", "webgpu", "cuda", "tfjs"])
    .env("ALIGN_DEVICE")
    .default("auto");
}

function onlyOption(): Option {
  return new Option("--only <stage>", "only this stage and what it needs; may be repeated").argParser(
    (stage: string, before: readonly string[] = []) => [...before, stage],
  );
}

function setOption(): Option {
  return new Option("--set <name=value>", "give a param another value; may be repeated")
    .default({}, "as in the file")
    .argParser((text: string, before: Record<string, string>) => {
      const at = text.indexOf("=");
      if (at < 1) throw new CommanderError(2, "align.set", `error: --set wants name=value, got '${text}'`);
      return { ...before, [text.slice(0, at).trim()]: text.slice(at + 1).trim() };
    });
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new CommanderError(2, "align.number", `error: '${text}' is not a whole number`);
  return value;
}

function number(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value))
    throw new CommanderError(2, "align.number", `error: '${text}' is not a number`);
  return value;
}

async function exit(status: Promise<number> | number): Promise<void> {
  process.exitCode = await status;
}
