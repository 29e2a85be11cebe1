// A command line with its placeholders, and the environment that it gets.
import type { Json } from "../../grammar/index.ts";

const placeholder = /\{\{|\}\}|(?<!\$)\{([A-Za-z_]\w*)\}/g;

/** The names between braces, each once. */
export function placeholdersIn(command: string): string[] {
  return [...new Set([...command.matchAll(placeholder)].flatMap(([, name]) => name ?? []))];
}

/** `{name}` becomes its value, in quotes where sh wants them; `{{` becomes a brace. */
export function filled(command: string, values: Readonly<Record<string, Json>>): string {
  return command.replace(placeholder, (whole, name: string | undefined) => {
    if (name === undefined) return whole[0]!;
    const value = values[name]!;
    return Array.isArray(value) ? value.map(word).join(" ") : word(value);
  });
}

function word(value: Json): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** What programs need to run at all and to reach the network; nothing that changes what they compute. */
const letThrough = [
  "PATH",
  "HOME",
  "USER",
  "SHELL",
  "TMPDIR",
  "LANG",
  "LC_ALL",
  ...["http_proxy", "https_proxy", "no_proxy"].flatMap((name) => [name, name.toUpperCase()]),
];

/** Where programs would take chance or place from the machine. */
const fixed = { TZ: "UTC", PYTHONHASHSEED: "0", PYTHONUNBUFFERED: "1" };

export interface EnvironmentParams {
  readonly set_env?: Readonly<Record<string, string | number>>;
  readonly pass_env?: readonly string[];
  readonly secrets?: readonly string[];
}

/** The whole environment of the command. */
export function environmentOf(
  { set_env = {}, pass_env = [], secrets = [] }: EnvironmentParams,
  machine: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const passed = [...letThrough, ...pass_env, ...secrets].flatMap((name) => {
    const value = machine[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const set = Object.entries(set_env).map(([name, value]) => [name, String(value)] as const);
  return { ...Object.fromEntries(passed), ...fixed, ...Object.fromEntries(set) };
}
