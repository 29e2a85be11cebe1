// Puts a row into words by a template's `input` and `target`.
import { type RowData, TaskError } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { compileTemplate, type Render } from "../../tensor/io/index.ts";

/** What a `template` declaration is to an operation. */
export interface TemplateTexts {
  readonly input: string;
  readonly target?: string;
}

export interface RenderedRow {
  readonly [column: string]: string;
  readonly prompt: string;
}

export function templateTexts(value: Json): TemplateTexts {
  const { input, target } = (value ?? {}) as { input?: Json; target?: Json };
  if (typeof input === "string" && (target === undefined || typeof target === "string")) {
    return { input, ...(target === undefined ? {} : { target }) };
  }
  throw new TaskError({
    code: "template-invalid",
    message: "a template needs an `input` text, and a `target` text if it has one",
  });
}

/**
 * Columns are the template's variables. Where neither the end of the prompt nor the start of the completion
 * is white space, the completion starts with a space, so that prompt + completion reads as one text.
 */
export function renderRow(value: Json): (row: RowData) => RenderedRow {
  const { input, target } = templateTexts(value);
  const prompt = compiled(input);
  const completion = target === undefined ? undefined : compiled(target);
  return (row) => {
    const start = prompt(row);
    if (!completion) return { prompt: start };
    const end = completion(row);
    return {
      prompt: start,
      completion: /\s$/.test(start) || /^\s/.test(end) || start === "" ? end : ` ${end}`,
    };
  };
}

const cache = new Map<string, Render>();

/** Parsed once per process. */
function compiled(source: string): Render {
  let render = cache.get(source);
  if (!render) {
    render = compileTemplate(source, "template");
    cache.set(source, render);
  }
  return render;
}
