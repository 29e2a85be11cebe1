// Finds the variables that a Jinja template reads, without evaluating it.

export interface Variable {
  readonly name: string;
  /** Offset in the template's text. */
  readonly start: number;
}

export interface TemplateScan {
  readonly variables: readonly Variable[];
  /** Words behind a `|`. */
  readonly filters: readonly Variable[];
  /** The first thing that no Jinja could read. */
  readonly problem?: { readonly message: string; readonly start: number; readonly end: number };
}

const words = new Set(
  "and or not in is if else elif for endfor endif set endset true false none True False None recursive".split(
    " ",
  ),
);
/** What chat templates may read beside the row. */
const globals = new Set(
  "loop range namespace dict lipsum cycler joiner raise_exception strftime_now bos_token eos_token pad_token unk_token add_generation_prompt".split(
    " ",
  ),
);
/** Those of the Jinja that formats rows: @huggingface/jinja, which is that of chat templates. */
export const jinjaFilters: readonly string[] =
  "abs bool capitalize default first float indent int items join last length list lower map rejectattr replace reverse safe selectattr sort string title tojson trim unique upper".split(
    " ",
  );
const blockTags = new Set(
  "for endfor if elif else endif set endset macro endmacro filter endfilter raw endraw break continue generation endgeneration".split(
    " ",
  ),
);
const closing: Readonly<Record<string, string>> = { "{{": "}}", "{%": "%}", "{#": "#}" };

export function scanTemplate(text: string): TemplateScan {
  const variables: Variable[] = [];
  const filters: Variable[] = [];
  const bound = new Set<string>();
  const open: { tag: string; start: number; end: number }[] = [];
  const opener = /\{\{|\{%|\{#/g;
  for (let m = opener.exec(text); m; m = opener.exec(text)) {
    const close = closing[m[0]]!;
    const end = endOf(text, m.index + 2, close);
    if (end === -1) {
      const message = `\`${m[0]}\` is never closed with \`${close}\``;
      return { variables, filters, problem: { message, start: m.index, end: m.index + 2 } };
    }
    opener.lastIndex = end + 2;
    if (m[0] === "{#") continue;
    const start = m.index + 2;
    const inside = text.slice(start, end);
    if (m[0] === "{%") {
      const tag = /^[-+\s]*([a-z]+)/.exec(inside)?.[1] ?? "";
      if (!blockTags.has(tag)) {
        const message = `\`${tag || inside.trim()}\` is not a Jinja statement`;
        return { variables, filters, problem: { message, start: m.index, end: end + 2 } };
      }
      const problem = balance(tag, open, m.index, end + 2);
      if (problem) return { variables, filters, problem };
      if (tag === "raw") {
        const raw = /\{%-?\s*endraw/g;
        raw.lastIndex = end;
        const endraw = raw.exec(text);
        if (endraw) opener.lastIndex = endraw.index;
      }
      for (const name of bindings(tag, inside)) bound.add(name);
    } else if (inside.trim() === "") {
      return {
        variables,
        filters,
        problem: { message: "`{{ }}` reads nothing", start: m.index, end: end + 2 },
      };
    }
    const tagEnd = m[0] === "{%" ? (/^[-+\s]*[a-z]+/.exec(inside)?.[0].length ?? 0) : 0;
    const read = namesRead(inside.slice(tagEnd), start + tagEnd);
    variables.push(...read.variables);
    filters.push(...read.filters);
  }
  const unclosed = open.pop();
  if (unclosed) {
    const message = `\`{% ${unclosed.tag} %}\` is never closed with \`{% end${unclosed.tag} %}\``;
    return { variables: [], filters, problem: { message, start: unclosed.start, end: unclosed.end } };
  }
  return { variables: variables.filter((v) => !bound.has(v.name)), filters };
}

/** Skips over strings, in which `}}` is only text. */
function endOf(text: string, from: number, close: string): number {
  if (close === "#}") return text.indexOf(close, from);
  let quote = "";
  for (let i = from; i < text.length; i++) {
    const c = text[i]!;
    if (quote) {
      if (c === "\\") i++;
      else if (c === quote) quote = "";
    } else if (c === '"' || c === "'") quote = c;
    else if (text.startsWith(close, i)) return i;
  }
  return -1;
}

function balance(
  tag: string,
  open: { tag: string; start: number; end: number }[],
  start: number,
  end: number,
) {
  if (["for", "if", "macro", "filter", "raw", "generation"].includes(tag)) open.push({ tag, start, end });
  if (!tag.startsWith("end") || tag === "endset") return undefined;
  const last = open.pop();
  if (last && `end${last.tag}` === tag) return undefined;
  const message = last
    ? `\`{% ${tag} %}\` closes nothing: \`{% ${last.tag} %}\` is open`
    : `\`{% ${tag} %}\` closes nothing`;
  return { message, start, end };
}

/** Names that a statement brings in. */
function bindings(tag: string, inside: string): string[] {
  if (tag === "for") return (/for\s+(.*?)\s+in\s/s.exec(inside)?.[1] ?? "").split(/[\s,()]+/).filter(Boolean);
  if (tag === "set") {
    const target = /set\s+([A-Za-z_][\w\s,]*?)\s*(?:=|-?$)/s.exec(inside)?.[1] ?? "";
    return target.split(/[\s,]+/).filter(Boolean);
  }
  if (tag === "macro") return inside.match(/[A-Za-z_]\w*/g) ?? [];
  return [];
}

function namesRead(inside: string, start: number): { variables: Variable[]; filters: Variable[] } {
  const variables: Variable[] = [];
  const filters: Variable[] = [];
  const token = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[A-Za-z_]\w*|[.|]|\d[\w.]*/g;
  let before = "";
  for (let m = token.exec(inside); m; m = token.exec(inside)) {
    const word = m[0];
    const isName = /^[A-Za-z_]/.test(word);
    const keyword = isName && /^\s*=(?!=)/.test(inside.slice(m.index + word.length));
    if (
      isName &&
      !keyword &&
      before !== "." &&
      before !== "|" &&
      before !== "is" &&
      !words.has(word) &&
      !globals.has(word)
    ) {
      variables.push({ name: word, start: start + m.index });
    }
    if (isName && before === "|") filters.push({ name: word, start: start + m.index });
    // `is not defined`: the word after is a test's name too.
    before = word === "not" && before === "is" ? "is" : word;
  }
  return { variables, filters };
}
