// Renders rows by a promptsource file as promptsource/templates.py does: escapes, truncation, answer choices, the split.
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { type RowData, type Rows, TaskError, type TransformRun } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { type Random, stream } from "../../tensor/index.ts";
import { type Pick, picked } from "./pick.ts";
import { type PythonJinja, pythonJinja } from "./python-jinja.ts";
import { nameOf } from "./render.ts";

interface Params {
  readonly path: string;
  readonly names?: readonly string[];
  readonly original_task: boolean;
  readonly pick: Pick;
  readonly seed: number;
}

export const promptsource: TransformRun<Params> = {
  async *transform(rows, { params, files }): Rows {
    const templates = chosen(await readTemplates(files.path![0]!), params);
    const { pick, seed } = params;
    let number = 0;
    for await (const row of rows) {
      const example = nameOf(row);
      for (const at of picked(pick, templates.length, { seed, example, number })) {
        const { name, apply } = templates[at]!;
        const random = stream(seed).split("promptsource").split(name).split(example);
        const rendered = apply(row, random);
        // No answer, or no question: the template passes this row over.
        if (rendered.parts.length !== 2 || rendered.parts.includes("")) continue;
        const [prompt, completion] = rendered.parts as [string, string];
        yield {
          ...(row.dataset === undefined ? {} : { dataset: row.dataset }),
          prompt,
          completion,
          ...choicesOf(rendered.choices, completion),
          template: name,
          example,
        };
      }
      number++;
    }
  },
};

/** `label` is where the answer stands among the choices. */
function choicesOf(choices: readonly string[] | undefined, completion: string): RowData {
  const label = choices?.indexOf(completion) ?? -1;
  return label < 0 ? {} : { choices: choices!, label };
}

export interface Prompted {
  /** Question and answer, when it has both. */
  readonly parts: readonly string[];
  readonly choices: readonly string[] | undefined;
}

export interface PromptTemplate {
  readonly name: string;
  readonly originalTask: boolean;
  apply(row: RowData, random: Random): Prompted;
}

/** In the order of their names, as `all_template_names` has them. */
export async function readTemplates(path: string): Promise<PromptTemplate[]> {
  const file = readYaml(await readFile(path, "utf8"), path);
  const templates = Object.values(file.templates ?? {});
  if (templates.length === 0) {
    throw new TaskError({
      code: "no-templates",
      message: "this file has no templates",
      where: path,
      help: "a promptsource file has `templates:`, each with `name`, `jinja` and `answer_choices`",
    });
  }
  return templates
    .map((template) => compiled(template, path))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

interface Written {
  readonly name?: string;
  readonly jinja?: string;
  readonly answer_choices?: string | null;
  readonly metadata?: { readonly original_task?: boolean | null } | null;
}

/** The version of YAML that PyYAML reads; its tags only name Python classes. */
function readYaml(text: string, where: string): { readonly templates?: Readonly<Record<string, Written>> } {
  try {
    return parse(text, { version: "1.1", logLevel: "error" }) ?? {};
  } catch (error) {
    throw new TaskError({ code: "malformed-yaml", message: (error as Error).message, where });
  }
}

/** What a `|||` in a field becomes until the text is split. */
const protector = "3ed2dface8203c4c9dfb1a5dc58e41e0";
const separator = "|||";
const protect = (value: Json) => (typeof value === "string" ? value.replaceAll(separator, protector) : value);
const partsOf = (rendered: string) =>
  rendered.split(separator).map((part) => part.replaceAll(protector, separator).trim());

/** Fields are cut at 2048 characters, by a filter on everything that is printed. */
const truncation = " | string | truncate(2048) }}";

function compiled({ name, jinja, answer_choices, metadata }: Written, path: string): PromptTemplate {
  const where = `${path}, template ${JSON.stringify(name)}`;
  if (typeof name !== "string" || typeof jinja !== "string") {
    throw new TaskError({
      code: "template-invalid",
      message: "a template has no `name` or no `jinja`",
      where,
    });
  }
  let random: Random;
  const options = { where, uniform: () => random.uniform() };
  const text: PythonJinja = pythonJinja(jinja.replaceAll("}}", truncation), options);
  const choices = answer_choices ? pythonJinja(answer_choices, options) : undefined;
  return {
    name,
    originalTask: metadata?.original_task === true,
    apply(row, drawn) {
      random = drawn;
      const fields = Object.fromEntries(Object.entries(row).map(([key, value]) => [key, protect(value)]));
      const answers = choices && partsOf(choices.render(fields));
      return {
        parts: partsOf(text.render({ ...fields, answer_choices: answers ?? null })),
        choices: answers,
      };
    },
  };
}

function chosen(templates: readonly PromptTemplate[], { names, original_task }: Params): PromptTemplate[] {
  const missing = names?.find((name) => !templates.some((template) => template.name === name));
  if (missing !== undefined) {
    throw new TaskError({
      code: "no-such-template",
      message: `there is no template ${JSON.stringify(missing)}`,
      help: `templates are ${templates.map(({ name }) => JSON.stringify(name)).join(", ")}`,
    });
  }
  const found = templates.filter(
    ({ name, originalTask }) => (names?.includes(name) ?? true) && (originalTask || !original_task),
  );
  if (found.length > 0) return found;
  throw new TaskError({
    code: "no-templates",
    message: "none of the templates asks what the dataset was made for",
    help: "leave `original_task` out",
  });
}
