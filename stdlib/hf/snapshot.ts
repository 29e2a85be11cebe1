// The files of one commit in the cache that Hugging Face libraries share, downloaded where they are missing.
import { mkdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
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
  readonly settings: HubSettings;
  readonly signal: AbortSignal;
  onBytes(done: number, total: number): void;
  /** Before the next try. */
  pause(ms: number): Promise<void>;
}

const isCommit = /^[0-9a-f]{40}$/;
const isDigest = /^([0-9a-f]{40}|[0-9a-f]{64})$/;
/** What a model is made of here: top-level settings, tokenizer and safetensors. */
const wantedFile = /^[^/]+\.(json|safetensors|jinja|txt|model)$/;

export async function snapshot(options: SnapshotOptions): Promise<Snapshot> {
  const { repo, revision, settings } = options;
  const folder = join(settings.cache, `models--${repo.replace("/", "--")}`);
  // A commit never changes, so a complete one needs nobody's word.
  const known = isCommit.test(revision) ? await completeIn(folder, revision) : undefined;
  if (known) return known;

  const { listFiles, modelInfo } = await import("@huggingface/hub");
  const access = accessOf(options);
  const problem = (error: unknown) => hubProblem(error, options, settings.token !== undefined) ?? error;
  let commit: string;
  const listed: ListFileEntry[] = [];
  try {
    if (settings.offline) throw new Unreachable("HF_HUB_OFFLINE is set");
    commit = (await modelInfo({ name: repo, revision, additionalFields: ["sha"], ...access })).sha;
    if (!isCommit.test(commit)) {
      throw new TaskError({ code: "hub-failed", message: `the hub gives no commit of ${repo} ${revision}` });
    }
    for await (const entry of listFiles({ repo, revision: commit, ...access })) listed.push(entry);
  } catch (error) {
    const why = error instanceof Unreachable ? error.message : whyUnreachable(error);
    if (why === undefined) throw problem(error);
    const before = await readText(join(folder, "refs", revision));
    const cached = before && (await completeIn(folder, before));
    if (cached) return cached;
    throw offlineProblem(options, why);
  }

  const files = listed.flatMap(({ type, path, size, lfs, oid }): SnapshotFile[] =>
    type === "file" && wantedFile.test(path) ? [{ path, size, digest: lfs?.oid ?? oid ?? "" }] : [],
  );
  refuseUnusable(files, repo);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let before = 0;
  for (const file of files) {
    try {
      await downloadBlob({
        ...options,
        file,
        commit,
        to: blobOf(folder, file),
        access,
        onBytes: (done) => options.onBytes(before + done, total),
      });
    } catch (error) {
      const why = whyUnreachable(error);
      throw why === undefined ? problem(error) : brokenOff(options, file, why);
    }
    before += file.size;
    await link(blobOf(folder, file), join(folder, "snapshots", commit, file.path));
  }
  if (!isCommit.test(revision)) await writeWhole(join(folder, "refs", revision), commit);
  await writeWhole(recordOf(folder, commit), JSON.stringify(files));
  return { commit, files, blob: (file) => blobOf(folder, file) };
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
function recordOf(folder: string, commit: string): string {
  return join(folder, ".align", `${commit}.json`);
}

async function completeIn(folder: string, commit: string): Promise<Snapshot | undefined> {
  const text = await readText(recordOf(folder, commit));
  if (text === undefined) return undefined;
  const files = filesIn(text);
  for (const file of files ?? []) {
    const there = await stat(blobOf(folder, file)).catch(() => undefined);
    if (there?.size !== file.size) return undefined;
  }
  return files && { commit, files, blob: (file) => blobOf(folder, file) };
}

/** Undefined for a record that a crash of the system left half written. */
function filesIn(record: string): SnapshotFile[] | undefined {
  try {
    const files = JSON.parse(record) as SnapshotFile[];
    return files.every(({ path, digest }) => wantedFile.test(path) && isDigest.test(digest))
      ? files
      : undefined;
  } catch {
    return undefined;
  }
}

function blobOf(folder: string, { digest }: SnapshotFile): string {
  return join(folder, "blobs", digest);
}

function refuseUnusable(files: readonly SnapshotFile[], repo: string): void {
  const odd = files.find(({ digest }) => !isDigest.test(digest));
  if (odd) {
    throw new TaskError({ code: "hub-failed", message: `the hub gives no digest of ${odd.path} in ${repo}` });
  }
  if (!files.some(({ path }) => path.endsWith(".safetensors"))) {
    throw new TaskError({
      code: "no-safetensors",
      message: `${repo} has no safetensors`,
      help: "take a revision or another copy of the model that has: weights in other formats can run code",
    });
  }
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

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
}
