// Renders rows by a task file of lm-evaluation-harness: what its ConfigurableTask makes of doc_to_text, _choice and _target.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { type RowData, type Rows, TaskError, type TransformRun } from "../../engine/index.ts";
import { type Json, scanTemplate } from "../../grammar/index.ts";
import { type PythonJinja, pythonJinja } from "./python-jinja.ts";
import { listIn } from "./python-values.ts";
import { nameOf } from "./render.ts";

export const lmEval: TransformRun<{ readonly path: string }> = {
  async *transform(rows, { files }): Rows {
    const task = compiled(await readTask(files.path![0]!), files.path![0]!);
    let number = 0;
    for await (const row of rows) yield task(row, ++number);
  },
};

type Field = string | number | readonly Json[] | Readonly<Record<string, Json>> | null;

interface Task {
  readonly task?: string;
  readonly output_type?: string;
  readonly description?: string;
  readonly doc_to_text?: Field;
  readonly doc_to_choice?: Field;
  readonly doc_to_target?: Field;
  readonly target_delimiter?: string;
}

/** `include` names a file whose keys stand below its own. */
async function readTask(path: string, above: readonly string[] = []): Promise<Task> {
  let file: Record<string, unknown>;
  try {
    file = parse(await readFile(path, "utf8"), { logLevel: "error" }) ?? {};
  } catch (error) {
    throw new TaskError({ code: "malformed-yaml", message: (error as Error).message, where: path });
  }
  if (typeof file.include !== "string") return file as Task;
  const included = join(dirname(path), file.include);
  if (above.includes(included)) {
    throw new TaskError({ code: "malformed-yaml", message: "the files include each other", where: path });
  }
  return { ...(await readTask(included, [...above, path])), ...file } as Task;
}

function compiled(task: Task, path: string): (row: RowData, number: number) => RowData {
  const kind = task.output_type ?? "generate_until";
  if (kind !== "multiple_choice" && kind !== "generate_until") {
    throw new TaskError({
      code: "task-unsupported",
      message: `tasks of output_type ${kind} have no prompt with an answer`,
      where: path,
      help: "read are multiple_choice and generate_until",
    });
  }
  const ask = fieldOf(task.doc_to_text, "doc_to_text", path);
  const aim = fieldOf(task.doc_to_target, "doc_to_target", path);
  const list = kind === "multiple_choice" ? fieldOf(task.doc_to_choice, "doc_to_choice", path) : undefined;
  return (row, number) => {
    const question = ask(row, number);
    if (typeof question !== "string" || (list && /^\p{Nd}+$/u.test(question))) {
      throw problem(
        `doc_to_text gives ${JSON.stringify(question)} for row ${number}; tasks whose question differs by choice are not read`,
      );
    }
    const shared = {
      prompt: (task.description ?? "") + question,
      template: task.task ?? "task",
      example: nameOf(row),
      ...(row.dataset === undefined ? {} : { dataset: row.dataset }),
    };
    const target = aim(row, number);
    if (!list) return { ...shared, ...answers(target) };
    const choices = choicesIn(list(row, number));
    if (!choices) throw problem(`doc_to_choice gives no list of texts for row ${number}`);
    const written = typeof task.doc_to_target === "string" && !Object.hasOwn(row, task.doc_to_target);
    const labels = [target].flat().map((item) => labelOf(item, choices, written));
    const wrong = labels.indexOf(undefined);
    if (wrong !== -1) {
      throw problem(
        `doc_to_target gives ${JSON.stringify([target].flat()[wrong])} for row ${number}, and its choices are ${JSON.stringify(choices)}`,
      );
    }
    return {
      ...shared,
      completion: choices[labels[0]!]!,
      choices,
      label: labels.length === 1 ? labels[0]! : (labels as number[]),
      // Always written, whatever stands before it.
      delimiter: task.target_delimiter ?? " ",
    };
  };

  function problem(message: string): TaskError {
    return new TaskError({ code: "task-unsupported", message, where: path });
  }
}

/** The name of a column, a template, or the value itself. */
function fieldOf(
  field: Field | undefined,
  name: string,
  path: string,
): (row: RowData, number: number) => Json {
  if (field === undefined || field === null) {
    throw new TaskError({
      code: "task-unsupported",
      message: `the task has no ${name}`,
      where: path,
      help: "a function in Python (`!function …`) is not run: make the column before, and name it here",
    });
  }
  if (typeof field === "number") return () => field;
  if (typeof field !== "string") return () => (Array.isArray(field) ? field : Object.values(field)) as Json;
  let template: { readonly jinja: PythonJinja; readonly columns: readonly string[] } | undefined;
  return (row, number) => {
    if (Object.hasOwn(row, field)) return row[field]!;
    template ??= {
      jinja: pythonJinja(field, {
        where: `${path}, ${name}`,
        keepTrailingNewline: true,
        uniform: () => {
          throw new Error("a task draws nothing at random");
        },
      }),
      columns: scanTemplate(field).variables.map((variable) => variable.name),
    };
    // As StrictUndefined has it.
    const missing = template.columns.find((column) => !Object.hasOwn(row, column) && column !== "zip");
    if (missing === undefined) return template.jinja.render(row);
    throw new TaskError({
      code: "no-such-column",
      message: `${name} reads ${missing}, which row ${number} does not have`,
      where: path,
      help: `its columns are ${Object.keys(row).join(", ")}`,
    });
  };
}

function choicesIn(value: Json): readonly string[] | undefined {
  const list = typeof value === "string" ? listIn(value) : value;
  return Array.isArray(list) && list.length > 0 ? list.map(String) : undefined;
}

/** A position, or the text of a choice; digits that a template wrote are a position, as the harness reads them. */
function labelOf(target: Json, choices: readonly string[], written: boolean): number | undefined {
  const at =
    typeof target === "number"
      ? target
      : written && typeof target === "string" && /^\p{Nd}+$/u.test(target)
        ? Number(target)
        : choices.indexOf(String(target));
  return at >= 0 && at < choices.length ? at : undefined;
}

/** One text, or several of which any will do. */
function answers(target: Json): RowData {
  const list = typeof target === "string" ? (listIn(target) ?? [target]) : [target].flat();
  const texts = list.map(String);
  return texts.length === 1 ? { completion: texts[0]! } : { completion: texts[0] ?? "", references: texts };
}
