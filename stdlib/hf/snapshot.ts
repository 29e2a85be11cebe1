// The files of one commit in the cache that Hugging Face libraries share, downloaded where they are missing.
import { readFileSync, statSync } from "node:fs";
import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { ListFileEntry } from "@huggingface/hub";
import { TaskError } from "../../engine/index.ts";
import { downloadBlob } from "./download.ts";
import { hubProblem, offlineProblem, type Wanted, whyUnreachable } from "./problems.ts";
import type { HubSettings } from "./settings.ts";

export interface SnapshotFile {
  readonly path: string;
  readonly size: number;
  /** sha256 of a large file, git's object id of a small one. */
  readonly digest: string;
}

export interface Snapshot {
  readonly commit: string;
  readonly files: readonly SnapshotFile[];
  /** The cached file. */
  blob(file: SnapshotFile): string;
}

export interface SnapshotOptions extends Wanted {
  readonly selection: Selection;
  readonly settings: HubSettings;
  readonly signal: AbortSignal;
  onBytes(done: number, total: number): void;
  /** Before the next try. */
  pause(ms: number): Promise<void>;
}

/** Which files of a repository are wanted. */
export interface Selection {
  /** What our record in the cache is called, beside the commit's own name. */
  readonly name: string;
  /** In their order. `read` downloads a small file and gives its text. */
  choose(
    listed: readonly SnapshotFile[],
    read: (file: SnapshotFile) => Promise<string>,
  ): Promise<readonly SnapshotFile[]>;
}

const isCommit = /^[0-9a-f]{40}$/;
const isDigest = /^([0-9a-f]{40}|[0-9a-f]{64})$/;
/** No segment begins with a dot: it becomes part of a path in the cache. */
const isPath = /^[^/.\\][^/\\]*(\/[^/.\\][^/\\]*)*$/;

export async function snapshot(options: SnapshotOptions): Promise<Snapshot> {
  const { kind, repo, revision, settings, selection } = options;
  const folder = folderOf(settings, options);
  // A commit never changes, so a complete one needs nobody's word.
  const known = isCommit.test(revision) ? completeIn(folder, revision, selection.name) : undefined;
  if (known) return known;

  const { listFiles, modelInfo, datasetInfo } = await import("@huggingface/hub");
  const access = accessOf(options);
  const problem = (error: unknown) => hubProblem(error, options, settings.token !== undefined) ?? error;
  let commit: string;
  const listed: ListFileEntry[] = [];
  try {
    if (settings.offline) throw new Unreachable("HF_HUB_OFFLINE is set");
    const asked = { name: repo, revision, additionalFields: ["sha" as const], ...access };
    commit = (await (kind === "model" ? modelInfo(asked) : datasetInfo(asked))).sha;
    if (!isCommit.test(commit)) {
      throw new TaskError({ code: "hub-failed", message: `the hub gives no commit of ${repo} ${revision}` });
    }
    const designation = { type: kind, name: repo };
    const recursive = kind === "dataset";
    for await (const entry of listFiles({ repo: designation, revision: commit, recursive, ...access }))
      listed.push(entry);
  } catch (error) {
    const why = error instanceof Unreachable ? error.message : whyUnreachable(error);
    if (why === undefined) throw problem(error);
    const before = readText(join(folder, "refs", revision));
    const cached = before && completeIn(folder, before, selection.name);
    if (cached) return cached;
    throw offlineProblem(options, why);
  }

  const download = async (file: SnapshotFile, onBytes: (done: number) => void): Promise<string> => {
    const to = blobOf(folder, file);
    if (!isDigest.test(file.digest)) {
      throw new TaskError({
        code: "hub-failed",
        message: `the hub gives no digest of ${file.path} in ${repo}`,
      });
    }
    try {
      await downloadBlob({ ...options, file, commit, to, access, onBytes });
    } catch (error) {
      const why = whyUnreachable(error);
      throw why === undefined ? problem(error) : brokenOff(options, file, why);
    }
    await link(to, join(folder, "snapshots", commit, file.path));
    return to;
  };

  const all = listed.flatMap(({ type, path, size, lfs, oid }): SnapshotFile[] =>
    type === "file" && isPath.test(path) ? [{ path, size, digest: lfs?.oid ?? oid ?? "" }] : [],
  );
  const files = await selection.choose(all, async (file) =>
    readFileSync(await download(file, () => {}), "utf8"),
  );
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let before = 0;
  for (const file of files) {
    await download(file, (done) => options.onBytes(before + done, total));
    before += file.size;
  }
  if (!isCommit.test(revision)) await writeWhole(join(folder, "refs", revision), commit);
  await writeWhole(recordOf(folder, commit, selection.name), JSON.stringify(files));
  return { commit, files, blob: (file) => blobOf(folder, file) };
}

/** What is in the cache, without asking anybody; for `align check`. */
export function cached(settings: HubSettings, wanted: Wanted, selection: string): Snapshot | undefined {
  const folder = folderOf(settings, wanted);
  const commit = isCommit.test(wanted.revision)
    ? wanted.revision
    : readText(join(folder, "refs", wanted.revision));
  return commit === undefined ? undefined : completeIn(folder, commit, selection);
}

function folderOf({ cache }: HubSettings, { kind, repo }: Wanted): string {
  return join(cache, `${kind}s--${repo.replace("/", "--")}`);
}

class Unreachable extends Error {}

function accessOf({ settings, signal }: SnapshotOptions) {
  return {
    ...(settings.url === undefined ? {} : { hubUrl: settings.url }),
    ...(settings.token === undefined ? {} : { accessToken: settings.token }),
    fetch: ((url, init) => fetch(url, { ...init, signal })) as typeof fetch,
  };
}
export type Access = ReturnType<typeof accessOf>;

/** Our own note that everything wanted of a commit was there and whole. */
function recordOf(folder: string, commit: string, selection: string): string {
  return join(folder, ".align", `${commit}${selection}.json`);
}

function completeIn(folder: string, commit: string, selection: string): Snapshot | undefined {
  const text = readText(recordOf(folder, commit, selection));
  if (text === undefined) return undefined;
  const files = filesIn(text);
  for (const file of files ?? []) {
    if (statSync(blobOf(folder, file), { throwIfNoEntry: false })?.size !== file.size) return undefined;
  }
  return files && { commit, files, blob: (file) => blobOf(folder, file) };
}

/** Undefined for a record that a crash of the system left half written. */
function filesIn(record: string): SnapshotFile[] | undefined {
  try {
    const files = JSON.parse(record) as SnapshotFile[];
    return files.every(({ path, digest }) => isPath.test(path) && isDigest.test(digest)) ? files : undefined;
  } catch {
    return undefined;
  }
}

function blobOf(folder: string, { digest }: SnapshotFile): string {
  return join(folder, "blobs", digest);
}

function brokenOff({ repo }: Wanted, { path }: SnapshotFile, why: string): TaskError {
  return new TaskError({
    code: "hub-unreachable",
    message: `the download of ${path} of ${repo} broke off again and again: ${why}`,
    help: "run again: it goes on where it stopped",
  });
}

/** As other Hugging Face libraries expect it; one that is there is as good. */
async function link(blob: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await symlink(relative(dirname(to), blob), to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.new`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
