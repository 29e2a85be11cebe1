// Which files of a dataset repository are a split of a configuration, as the `datasets` library finds them.
import { TaskError } from "../../engine/index.ts";
import type { SnapshotFile } from "./snapshot.ts";

export interface Part {
  readonly repo: string;
  readonly split: string;
  readonly config?: string;
}

/** Rows that can be read here; where a repository has several kinds, the first of them counts. */
export const formats = [".parquet", ".jsonl", ".json", ".csv", ".tsv"] as const;
export type Format = (typeof formats)[number];

export function formatOf(path: string): Format | undefined {
  const plain = path.replace(/\.gz$/, "");
  return formats.find((format) => plain.endsWith(format));
}

/** What the record of a split is called in the cache. */
export function partName({ config, split }: Omit<Part, "repo">): string {
  return `.${encodeURIComponent(config ?? "")}.${encodeURIComponent(split)}`;
}

/** `card` is the README, whose YAML says which files there are; without that the names of the files do. */
export async function chooseFiles(
  part: Part,
  listed: readonly SnapshotFile[],
  card: string | undefined,
): Promise<readonly SnapshotFile[]> {
  const readable = listed
    .filter(({ path }) => formatOf(path) !== undefined)
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  if (readable.length === 0) throw nothingToRead(part, listed);
  const config = chooseConfig(part, await configsOf(card, part.repo));
  const splits = config ? splitsOf(config, readable) : splitsByName(part, readable);
  const found = splits.get(part.split);
  if (found && found.length > 0) return oneFormat(found);
  const known = [...splits].flatMap(([name, files]) => (files.length > 0 ? [name] : []));
  throw new TaskError({
    code: "no-such-split",
    message: `${part.repo} has no split ${part.split}${config ? ` in ${config.name}` : ""}`,
    help: `splits are ${known.join(", ")}`,
  });
}

interface Config {
  readonly name: string;
  readonly isDefault: boolean;
  readonly files: readonly { readonly split: string; readonly patterns: readonly string[] }[];
}

/** `configs:` of the card: a pattern, patterns, or patterns by split, each perhaps below `data_dir`. */
async function configsOf(card: string | undefined, repo: string): Promise<Config[]> {
  const front = /^---\r?\n(.*?)\r?\n---/s.exec(card ?? "")?.[1];
  if (front === undefined) return [];
  const { parse } = await import("yaml");
  let meta: { configs?: unknown } | null;
  try {
    meta = parse(front) as typeof meta;
  } catch (error) {
    throw new TaskError({
      code: "malformed-card",
      message: `the card of ${repo} is not YAML: ${(error as Error).message}`,
    });
  }
  if (!Array.isArray(meta?.configs)) return [];
  return (meta.configs as CardConfig[]).map(({ config_name = "default", data_files, data_dir, ...rest }) => ({
    name: String(config_name),
    isDefault: rest.default === true,
    files: [data_files ?? "**"].flat().map((entry) => {
      const { split, path } = typeof entry === "object" ? entry : { split: "train", path: entry };
      const below = data_dir ? `${data_dir.replace(/\/$/, "")}/` : "";
      return { split, patterns: [path].flat().map((pattern) => below + pattern) };
    }),
  }));
}

interface CardConfig {
  readonly config_name?: string;
  readonly default?: boolean;
  readonly data_dir?: string;
  readonly data_files?: string | readonly (string | { split: string; path: string | string[] })[];
}

function chooseConfig({ repo, config }: Part, configs: readonly Config[]): Config | undefined {
  if (configs.length === 0) return undefined;
  const found =
    config === undefined
      ? (configs.find((c) => c.isDefault) ??
        configs.find((c) => c.name === "default") ??
        (configs.length === 1 ? configs[0] : undefined))
      : configs.find((c) => c.name === config);
  if (found) return found;
  throw new TaskError({
    code: "no-such-config",
    message:
      config === undefined ? `${repo} has several configurations` : `${repo} has no configuration ${config}`,
    help: `write one of them: config: ${configs.map((c) => JSON.stringify(c.name)).join(", ")}`,
  });
}

function splitsOf({ files }: Config, listed: readonly SnapshotFile[]): Map<string, SnapshotFile[]> {
  const splits = new Map<string, SnapshotFile[]>();
  for (const { split, patterns } of files) {
    const fitting = listed.filter(({ path }) => patterns.some((pattern) => matches(path, pattern)));
    splits.set(split, [...(splits.get(split) ?? []), ...fitting]);
  }
  return splits;
}

/** `*` within a folder, `**` through folders, `?`, `[abc]` and `{a,b}`, as fsspec has them. */
function matches(path: string, pattern: string): boolean {
  const body = pattern.replace(/\*\*\/|\*\*|\*|\?|\[[^\]]*\]|\{[^}]*\}|[^*?[{]+/g, (part) => {
    if (part === "**/") return "(?:.*/)?";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.startsWith("[") && part.endsWith("]")) return part.replace(/^\[!/, "[^");
    if (part.startsWith("{")) return `(?:${part.slice(1, -1).split(",").map(literal).join("|")})`;
    return literal(part);
  });
  return new RegExp(`^${body}$`, "s").test(path);
}

const literal = (text: string) => text.replace(/[\\^$.+*?()|[\]{}]/g, "\\$&");

/** Words that name a split in a file or folder, in the order in which they are tried. */
const keywords = [
  ["train", /(^|[-._ 0-9/])(train|training)(?=[-._ 0-9/]|$)/i],
  ["validation", /(^|[-._ 0-9/])(validation|valid|dev|val)(?=[-._ 0-9/]|$)/i],
  ["test", /(^|[-._ 0-9/])(test|testing|eval|evaluation)(?=[-._ 0-9/]|$)/i],
] as const;

/** Shards such as data/train_sft-00000-of-00003.parquet; then words; then everything is `train`. */
function splitsByName({ repo, config }: Part, listed: readonly SnapshotFile[]): Map<string, SnapshotFile[]> {
  const files = config === undefined ? listed : listed.filter(({ path }) => path.split("/").includes(config));
  if (files.length === 0) {
    throw new TaskError({
      code: "no-such-config",
      message: `${repo} has no folder ${config}`,
      help: "leave `config` out, or name a folder of the repository",
    });
  }
  const shard = /(?:^|\/)([\w.]+?)-\d{5}-of-\d{5}[^/]*$/;
  const sharded = group(files, ({ path }) => shard.exec(path)?.[1]);
  if (sharded.size > 0) return sharded;
  const worded = group(files, ({ path }) => {
    const words = keywords.filter(([, word]) => word.test(path.replace(/\.\w+(\.gz)?$/, "")));
    return words.at(-1)?.[0];
  });
  return worded.size > 0 ? worded : new Map([["train", [...files]]]);
}

function group<T>(items: readonly T[], name: (item: T) => string | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = name(item);
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

function oneFormat(files: readonly SnapshotFile[]): SnapshotFile[] {
  const first = formats.find((format) => files.some(({ path }) => formatOf(path) === format));
  return files.filter(({ path }) => formatOf(path) === first);
}

function nothingToRead({ repo }: Part, listed: readonly SnapshotFile[]): TaskError {
  const script = listed.some(({ path }) => path.endsWith(".py"));
  return new TaskError({
    code: "no-rows-in-repository",
    message: script
      ? `${repo} has a loading script, which is not run here, and no files of rows`
      : `${repo} has no files of rows`,
    help: `most datasets have a copy in Parquet: revision: "refs/convert/parquet"; read are ${formats.join(", ")}`,
  });
}
