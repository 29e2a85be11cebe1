// Columns of a hub dataset that is in the cache already: what `align check` may know without a network.
import type { ColumnType, Json, Row } from "../../grammar/index.ts";
import { columnsOfBoth, peekFile } from "../data/source/peek.ts";
import { partName } from "./data-files.ts";
import { hubSettings } from "./settings.ts";
import { cached } from "./snapshot.ts";

const scheme = "hf://datasets/";

/** How a host is asked for them. */
function address({ repo, revision, split, config }: Readonly<Record<string, Json>>): string {
  return `${scheme}${JSON.stringify([repo, revision, split, config ?? null])}`;
}

/** Undefined when `path` is no such address. */
function read(path: string, env: NodeJS.ProcessEnv): { readonly row: Row | undefined } | undefined {
  if (!path.startsWith(scheme)) return undefined;
  const [repo, revision, split, config] = JSON.parse(path.slice(scheme.length)) as string[];
  const part = partName({ split: split!, ...(config ? { config } : {}) });
  const found = cached(hubSettings(env), { kind: "dataset", repo: repo!, revision: revision! }, part);
  let common: Record<string, ColumnType> | undefined;
  for (const file of found?.files ?? []) {
    const columns = peekFile(found!.blob(file), file.path);
    if (!columns) return { row: undefined };
    common = common ? columnsOfBoth(common, columns) : columns;
  }
  return { row: common && { columns: common } };
}

export const cachedRows = { address, read };
