// Which files a path of the language names: plain paths, globs and files of npm packages.
import { basename, dirname, join, resolve } from "node:path";
import { nearest } from "../grammar/index.ts";
import { byCodeUnit } from "./canonical.ts";
import { type FileSystem, systemFiles } from "./ports.ts";

/** As `Host.resolve` of the checker; the files are absolute. */
export type Resolved =
  | { readonly files: readonly string[] }
  | { readonly problem: string; readonly help?: string };

/** `path` is as written in the program, `from` is the .align file it is written in. As a folder: every file below it. */
export function resolveFiles(
  path: string,
  from: string,
  fs: FileSystem = systemFiles,
  as: "path" | "folder" = "path",
): Resolved {
  const here = dirname(resolve(from));
  if (as === "folder") return filesIn(path, here, fs);
  if (!path.startsWith("npm:")) return filesUnder(path, here, path, fs);

  const { name, rest } = packageOf(path.slice("npm:".length));
  if (!name) return { problem: `${quoted(path)} names no package`, help: 'write "npm:package/file"' };
  const root = packageDir(name, here, fs);
  if (!root) return { problem: `package ${name} is not installed`, help: `npm install ${name}` };
  if (!rest) {
    return { problem: `${quoted(path)} names a package, not a file of it`, help: `write "npm:${name}/file"` };
  }
  return filesUnder(rest, root, path, fs);
}

/** Hidden files and node_modules are left out, as everywhere. */
function filesIn(path: string, here: string, fs: FileSystem): Resolved {
  const folder = folderOf(path, here, fs);
  if (typeof folder !== "string") return folder;
  const kind = fs.stat(folder)?.kind;
  if (kind === "file") return { problem: `${quoted(path)} is a file, and a folder is wanted` };
  if (kind !== "dir")
    return { problem: `no such folder: ${quoted(path)}`, ...missingFolder(folder, path, fs) };
  const files = glob("**", folder, fs).sort(byCodeUnit);
  return files.length > 0 ? { files } : { problem: `the folder ${quoted(path)} is empty` };
}

/** Where a folder is that a program names; `npm:package/folder` too. */
export function folderOf(
  path: string,
  here: string,
  fs: FileSystem = systemFiles,
): string | { readonly problem: string; readonly help?: string } {
  if (!path.startsWith("npm:")) return resolve(here, path);
  const { name, rest } = packageOf(path.slice("npm:".length));
  const root = name ? packageDir(name, here, fs) : undefined;
  if (root) return join(root, rest);
  return { problem: `package ${name} is not installed`, help: `npm install ${name}` };
}

function missingFolder(folder: string, written: string, fs: FileSystem): { help: string } {
  const entries = fs.list(dirname(folder));
  if (!entries) return { help: `there is no folder ${dirname(folder)}` };
  const [meant] = nearest(
    basename(folder),
    entries.filter((e) => e.kind !== "file").map((e) => e.name),
  );
  const above = written.slice(0, written.length - basename(folder).length);
  return { help: meant ? `did you mean "${above}${meant}"?` : `looked in ${dirname(folder)}` };
}

/** `@scope/name/sub/file` → `@scope/name` and `sub/file`. */
function packageOf(path: string): { name: string; rest: string } {
  const parts = path.split("/");
  const count = path.startsWith("@") ? 2 : 1;
  const complete = parts.length >= count && parts.slice(0, count).every((part) => part !== "");
  return { name: complete ? parts.slice(0, count).join("/") : "", rest: parts.slice(count).join("/") };
}

/** Node's look-up: node_modules of this folder, then of each one above. */
function packageDir(name: string, from: string, fs: FileSystem): string | undefined {
  for (let dir = from; ; dir = dirname(dir)) {
    const candidate = join(dir, "node_modules", name);
    if (fs.stat(candidate)?.kind === "dir") return candidate;
    if (dirname(dir) === dir) return undefined;
  }
}

function filesUnder(path: string, base: string, written: string, fs: FileSystem): Resolved {
  if (isGlob(path)) {
    const files = [...new Set(expandBraces(path).flatMap((p) => glob(p, base, fs)))].sort(byCodeUnit);
    if (files.length > 0) return { files };
    return { problem: `nothing matches ${quoted(written)}`, help: `looked from ${base}` };
  }
  const file = resolve(base, path);
  const stat = fs.stat(file);
  if (stat?.kind === "file") return { files: [file] };
  if (stat?.kind === "dir") {
    return { problem: `${quoted(written)} is a folder`, help: `name files in it: "${slashless(written)}/*"` };
  }
  if (stat) return { problem: `${quoted(written)} is not a regular file` };
  return { problem: `no such file: ${quoted(written)}`, ...missing(file, written, fs) };
}

function missing(file: string, written: string, fs: FileSystem): { help: string; near?: readonly string[] } {
  const entries = fs.list(dirname(file));
  if (!entries) return { help: `there is no folder ${dirname(file)}` };
  const near = nearest(
    basename(file),
    entries.filter((e) => e.kind !== "dir").map((e) => e.name),
  );
  const folder = written.slice(0, written.length - basename(written).length);
  if (near.length === 0) return { help: `looked in ${dirname(file)}` };
  return { help: `did you mean "${folder}${near[0]}"?`, near: near.map((name) => folder + name) };
}

function isGlob(path: string): boolean {
  return /[*?]|\{[^{}]*,[^{}]*\}/.test(path);
}

/** `a.{txt,md}` → `a.txt`, `a.md`. */
function expandBraces(path: string): string[] {
  const found = /\{([^{}]*,[^{}]*)\}/.exec(path);
  if (!found) return [path];
  const before = path.slice(0, found.index);
  const after = path.slice(found.index + found[0].length);
  return found[1]!.split(",").flatMap((choice) => expandBraces(before + choice + after));
}

function glob(pattern: string, base: string, fs: FileSystem): string[] {
  const absolute = pattern.startsWith("/");
  const segments = pattern.split("/").filter((segment) => segment !== "" && segment !== ".");
  const files: string[] = [];
  walk(absolute ? "/" : base, segments, fs, files);
  return files;
}

function walk(dir: string, segments: readonly string[], fs: FileSystem, files: string[]): void {
  const [segment, ...rest] = segments;
  if (segment === undefined) return;
  if (segment === "..") {
    walk(dirname(dir), rest, fs, files);
    return;
  }
  if (segment === "**") {
    // `**` alone at the end means every file below.
    walk(dir, rest.length > 0 ? rest : ["*"], fs, files);
    for (const entry of fs.list(dir) ?? []) {
      // Links are not followed here: they can lead back up.
      if (entry.kind === "dir" && !entry.name.startsWith(".") && entry.name !== "node_modules") {
        walk(join(dir, entry.name), segments, fs, files);
      }
    }
    return;
  }
  const names = isGlob(segment)
    ? (fs.list(dir) ?? []).map((e) => e.name).filter((name) => matches(segment, name))
    : [segment];
  for (const name of names) {
    const path = join(dir, name);
    const kind = fs.stat(path)?.kind;
    if (rest.length > 0 && kind === "dir") walk(path, rest, fs, files);
    if (rest.length === 0 && kind === "file") files.push(path);
  }
}

const compiled = new Map<string, RegExp>();
/** `*` any characters, `?` one; neither a leading dot. */
function matches(segment: string, name: string): boolean {
  let regexp = compiled.get(segment);
  if (!regexp) {
    const body = segment.replace(/[*?]|[^*?]+/g, (part) =>
      part === "*" ? ".*" : part === "?" ? "." : part.replace(/[\\^$.+()|[\]{}]/g, "\\$&"),
    );
    regexp = new RegExp(`^${body}$`, "su");
    compiled.set(segment, regexp);
  }
  return regexp.test(name) && (!name.startsWith(".") || segment.startsWith("."));
}

function quoted(path: string): string {
  return JSON.stringify(path);
}

function slashless(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}
