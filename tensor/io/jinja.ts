// Jinja templates, compiled once and rendered deterministically: a template cannot ask what day it is.
import { Environment, Interpreter, Template } from "@huggingface/jinja";
import { FileError } from "./error.ts";

export type Render = (variables: Readonly<Record<string, unknown>>) => string;

/** `where` is only for messages. */
export function compileTemplate(source: string, where?: string): Render {
  let program: Template["parsed"];
  try {
    // With trim_blocks and lstrip_blocks, as transformers renders chat templates.
    program = new Template(source).parsed;
  } catch (error) {
    throw new FileError({
      code: "template-invalid",
      message: `the template does not parse: ${(error as Error).message}`,
      where,
    });
  }
  return (variables) => {
    const env = new Environment(globals());
    for (const [name, value] of Object.entries(variables)) env.set(name, value);
    try {
      const { value } = new Interpreter(env).run(program);
      return value as string;
    } catch (error) {
      throw new FileError({
        code: "template-invalid",
        message: `the template does not render: ${(error as Error).message}`,
        where,
      });
    }
  };
}

/** The library's own globals without `strftime_now`: templates that want a date fall back to their fixed one. */
function globals(): Environment {
  const env = new Environment();
  for (const [names, value] of constants) for (const name of names) env.set(name, value);
  env.set("raise_exception", (message: unknown) => {
    throw new Error(String(message));
  });
  env.set("range", range);
  return env;
}

const constants: readonly (readonly [readonly string[], unknown])[] = [
  [["true", "True"], true],
  [["false", "False"], false],
  [["none", "None"], null],
];

/** Python's range(stop), range(start, stop), range(start, stop, step). */
function range(first: number, second?: number | null, step: number | null = 1): number[] {
  const [start, stop] = typeof second === "number" ? [first, second] : [0, first];
  const by = step ?? 1;
  if (by === 0) throw new Error("range() arg 3 must not be zero");
  const values: number[] = [];
  for (let i = start; by > 0 ? i < stop : i > stop; i += by) values.push(i);
  return values;
}
