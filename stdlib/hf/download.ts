// One file of the hub into the cache: goes on where it stopped, and counts only when its digest is right.
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { TaskError } from "../../engine/index.ts";
import { whyUnreachable } from "./problems.ts";
import type { Access, SnapshotFile } from "./snapshot.ts";

export interface DownloadOptions {
  readonly kind: "model" | "dataset";
  readonly repo: string;
  readonly commit: string;
  readonly file: SnapshotFile;
  readonly to: string;
  readonly access: Access;
  readonly signal: AbortSignal;
  onBytes(done: number): void;
  pause(ms: number): Promise<void>;
}

const tries = 5;

export async function downloadBlob(options: DownloadOptions): Promise<void> {
  const { file, to, signal } = options;
  if ((await sizeOf(to)) === file.size) return options.onBytes(file.size);
  await mkdir(dirname(to), { recursive: true });
  let startedOver = false;
  for (let attempt = 1; ; attempt++) {
    try {
      await fetchRest(options);
      if (await isWhole(`${to}.incomplete`, file)) break;
    } catch (error) {
      signal.throwIfAborted();
      if (attempt === tries || whyUnreachable(error) === undefined) throw error;
      await options.pause(1000 * 2 ** (attempt - 1));
      continue;
    }
    // What an earlier run left may be of another kind of download.
    await rm(`${to}.incomplete`, { force: true });
    if (startedOver) throw damaged(options);
    startedOver = true;
  }
  await rename(`${to}.incomplete`, to);
}

/** Appends what is missing. */
async function fetchRest({
  kind,
  repo,
  commit,
  file,
  to,
  access,
  onBytes,
  signal,
}: DownloadOptions): Promise<void> {
  const { downloadFile } = await import("@huggingface/hub");
  const path = `${to}.incomplete`;
  let done = (await sizeOf(path)) ?? 0;
  if (done > file.size) {
    await rm(path);
    done = 0;
  }
  if (done === file.size) return;
  const blob = await downloadFile({
    repo: { type: kind, name: repo },
    path: file.path,
    revision: commit,
    xet: false,
    ...access,
  });
  if (!blob) {
    throw new TaskError({
      code: "hub-failed",
      message: `the hub lists ${file.path} of ${repo} and does not have it`,
    });
  }
  const handle = await open(path, "a");
  try {
    for await (const chunk of blob.slice(done, file.size).stream()) {
      signal.throwIfAborted();
      await handle.appendFile(chunk);
      done += chunk.byteLength;
      onBytes(done);
    }
  } finally {
    await handle.close();
  }
}

async function isWhole(path: string, { size, digest }: SnapshotFile): Promise<boolean> {
  if ((await sizeOf(path)) !== size) return false;
  return (await digestOf(path, hashFor(digest, size))) === digest;
}

/** Large files are known by their sha256, small ones as git knows them. */
function hashFor(digest: string, size: number): Hash {
  return digest.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`);
}

async function digestOf(path: string, hash: Hash): Promise<string> {
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

function damaged({ repo, file }: DownloadOptions): TaskError {
  return new TaskError({
    code: "hub-damaged",
    message: `${file.path} of ${repo} arrives with other bytes than the hub says it has, twice`,
    help: "something between here and the hub changes them: try another connection, or unset HF_ENDPOINT",
  });
}
