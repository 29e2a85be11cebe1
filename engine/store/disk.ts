// The artifact store in a folder.
//
//   objects/ab/<sha256>      contents, read-only            actions/ab/<key>.json   one record per key
//   trees/ab/<digest>.json   manifests of artifacts         views/ab/<digest>/      artifacts as folders of hard links
//   attempts/…               work in progress               leases/<key>            who builds what
//   runs/<run>/              journal and logs of a run      history/                last keys of every stage
//   quarantine/              damaged files, set aside       memo.json               digests of untouched files
//   scratch/<key>/           checkpoints of unfinished tasks rows/<scope>.jsonl      what single rows came to
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { byCodeUnit, canonicalJson, digest } from "../canonical.ts";
import {
  type Clock,
  type Processes,
  type ProcessName,
  systemClock,
  systemFiles,
  systemProcesses,
} from "../ports.ts";
import { explained, problemOfSystem } from "../problem.ts";
import { TaskError } from "../task.ts";
import { Blobs, setAside } from "./blobs.ts";
import { createOnce, replaceFile } from "./durable.ts";
import { collectGarbage, usageOf } from "./gc.ts";
import { Leases } from "./lease.ts";
import { openLog } from "./log.ts";
import { DigestMemo } from "./memo.ts";
import { nameFor, ownerOf } from "./owner.ts";
import { publishTree } from "./publish.ts";
import {
  type ActionRecord,
  type Attempt,
  type AttemptOf,
  type Claim,
  type Collected,
  type FileDigest,
  type Keep,
  type Log,
  type Lookup,
  type Manifest,
  type ManifestEntry,
  type Store,
  treeDigest,
  type Usage,
} from "./store.ts";

/** Waiting for the disk takes a good part of what cheaper artifacts take to make. */
const DEAR_SECONDS = 1;
/** Less than any artifact takes. */
const FULL_BYTES = 64 << 10;

/** In the folder of an attempt: the process that works there. */
const WORKER = "worker";

/** Raise it when the layout changes; a store of another layout is refused. */
const LAYOUT = "1";

export class DiskStore implements Store {
  readonly root: string;
  readonly #processes: Processes;
  readonly #memo: DigestMemo;
  readonly #blobs: Blobs;
  readonly #leases: Leases;
  #attempts = 0;

  constructor(root: string, ports: { clock?: Clock; processes?: Processes } = {}) {
    const { clock = systemClock, processes = systemProcesses } = ports;
    this.root = resolve(root);
    this.#processes = processes;
    makeFolder(join(this.root, "attempts"));
    checkLayout(this.root);
    this.#memo = new DigestMemo(join(this.root, "memo.json"), clock, processes.self().boot);
    this.#blobs = new Blobs(this.root, this.#memo);
    this.#leases = new Leases(join(this.root, "leases"), processes, clock);
  }

  digestFile(path: string, anew = false): Promise<FileDigest | undefined> {
    return explained(`read ${path}`, () => this.#memo.digest(path, anew));
  }

  stampOf(path: string): string | undefined {
    return systemFiles.stat(path)?.stamp;
  }

  async lookup(key: string): Promise<Lookup> {
    const path = this.#actionPath(key);
    const text = textOf(path);
    if (text === undefined) return {};
    const record = parseRecord(text, key);
    const damage = record ? await this.#damageOf(record.tree) : "its record cannot be read";
    if (record && damage === undefined) return { record };
    setAside(path, this.root, `${key}.json`);
    return { damage: damage! };
  }

  async manifest(tree: string): Promise<Manifest | undefined> {
    const text = textOf(this.#treePath(tree));
    if (text === undefined) return undefined;
    try {
      const manifest = JSON.parse(text) as Manifest;
      return treeDigest(manifest) === tree ? manifest : undefined;
    } catch {
      return undefined;
    }
  }

  /** Looks at every file of an artifact; what is damaged is set aside, with the folder that shares it. */
  async #damageOf(tree: string, anew = false): Promise<string | undefined> {
    const manifest = await this.manifest(tree);
    if (!manifest) {
      setAside(this.#treePath(tree), this.root, `${tree}.tree.json`);
      return "its list of files is missing or damaged";
    }
    let first: string | undefined;
    for (const entry of manifest) {
      const damage = await this.#blobs.damage(entry, anew);
      if (!damage) continue;
      first ??= damage;
      this.#blobs.quarantine(entry.sha256);
      rmSync(this.#viewPath(tree), { recursive: true, force: true });
    }
    return first;
  }

  async materialise(tree: string): Promise<{ dir: string } | { damage: string }> {
    return explained("lay out an artifact", async () => {
      const damage = await this.#damageOf(tree);
      if (damage !== undefined) return { damage };
      const manifest = (await this.manifest(tree))!;
      const dir = this.#viewPath(tree);
      if (existsSync(dir)) {
        if (await this.#showsExactly(dir, manifest)) return { dir };
        rmSync(dir, { recursive: true, force: true });
      }
      const building = this.#privateFolder(`view-${tree.slice(0, 16)}`);
      mkdirSync(join(building, "view"));
      for (const entry of manifest) this.#link(entry, join(building, "view", entry.path));
      mkdirSync(dirname(dir), { recursive: true });
      try {
        renameSync(join(building, "view"), dir);
      } catch (error) {
        // Another run was faster, with the same files.
        if (!existsSync(dir)) throw error;
      } finally {
        rmSync(building, { recursive: true, force: true });
      }
      return { dir };
    });
  }

  #link(entry: ManifestEntry, to: string): void {
    const blob = this.#blobs.path(entry.sha256);
    mkdirSync(dirname(to), { recursive: true });
    try {
      linkSync(blob, to);
      this.#memo.touched(blob);
    } catch {
      copyFileSync(blob, to);
      chmodSync(to, 0o444);
    }
  }

  /** Whether a folder made earlier still has exactly the artifact's files. */
  async #showsExactly(dir: string, manifest: Manifest): Promise<boolean> {
    if (filesIn(dir).length !== manifest.length) return false;
    for (const entry of manifest) {
      const file = join(dir, entry.path);
      const stamp = systemFiles.stat(file)?.stamp;
      if (stamp !== undefined && stamp === systemFiles.stat(this.#blobs.path(entry.sha256))?.stamp) continue;
      if ((await this.#memo.digest(file))?.sha256 !== entry.sha256) return false;
    }
    return true;
  }

  async begin({ key, node, run, rows }: AttemptOf): Promise<Attempt> {
    return explained(`start an attempt in ${this.root}`, async () => {
      const folder = this.#privateFolder(key.slice(0, 16));
      const out = join(folder, "out");
      mkdirSync(out);
      const scratch = join(this.root, "scratch", key);
      mkdirSync(scratch, { recursive: true });
      const log = join(this.root, "runs", run, "logs", `${encodeURIComponent(node)}.log`);
      mkdirSync(dirname(log), { recursive: true });
      const discard = async (): Promise<void> => {
        // Not in the way of other tasks: emptying folders takes a good part of what a small task takes.
        await rm(folder, { recursive: true, force: true, maxRetries: 3 });
        removeIfEmpty(scratch);
      };
      return {
        out,
        scratch,
        ...(rows === undefined ? {} : { rows: join(this.root, "rows", `${rows}.jsonl`) }),
        log,
        employ: (pid) => {
          const worker = this.#processes.named(pid);
          if (worker) writeFileSync(join(folder, WORKER), JSON.stringify(worker));
        },
        discard,
        commit: (record) =>
          explained("keep a finished artifact", async () => {
            const committed = await this.#commit(out, record);
            await discard();
            rmSync(scratch, { recursive: true, force: true });
            return committed;
          }),
      };
    });
  }

  async #commit(out: string, rest: Omit<ActionRecord, "tree">): Promise<ActionRecord> {
    // What a power cut may take with it is found damaged and made again, which takes no longer than this.
    const durably = rest.seconds >= DEAR_SECONDS;
    const manifest: ManifestEntry[] = [];
    for (const path of filesIn(out)) {
      const file = join(out, path);
      const stat = systemFiles.stat(file)!;
      manifest.push({ path, size: stat.size, sha256: await this.#blobs.put(file, stat.size, durably) });
    }
    const tree = treeDigest(manifest);
    if (!(await this.manifest(tree))) {
      setAside(this.#treePath(tree), this.root, `${tree}.tree.json`);
      createOnce(this.#treePath(tree), canonicalJson(manifest), durably);
    }
    const record: ActionRecord = { ...rest, tree };
    for (;;) {
      if (createOnce(this.#actionPath(record.key), printRecord(record), durably)) return record;
      // Another run was first: its record counts, unless it turns out damaged and is set aside by the look-up.
      const first = (await this.lookup(record.key)).record;
      if (first) return first;
    }
  }

  async claim(key: string): Promise<Claim> {
    return explained(`write to ${this.root}`, async () => {
      const { claim, inherited } = this.#leases.claim(key);
      if (inherited) await this.sweep();
      return claim;
    });
  }

  async publish(tree: string, to: string): Promise<boolean> {
    return explained(`publish to ${to}`, async () => {
      const damage = await this.#damageOf(tree);
      if (damage !== undefined) {
        throw new TaskError({
          code: "artifact-damaged",
          message: `the artifact is damaged: ${damage}`,
          help: "run again: it is rebuilt",
        });
      }
      const target = resolve(to);
      const log = this.log("publications.jsonl");
      const last = (log.read() as { tree: string; to: string }[]).findLast((line) => line.to === target);
      const wrote = await publishTree({
        manifest: (await this.manifest(tree))!,
        to: target,
        before: (last && (await this.manifest(last.tree))) ?? [],
        blob: (sha256) => this.#blobs.path(sha256),
        memo: this.#memo,
      });
      if (last?.tree !== tree) log.append([{ to: target, tree }]);
      return wrote;
    });
  }

  log(name: string): Log {
    return openLog(join(this.root, name));
  }

  async keys(): Promise<string[]> {
    return filesIn(join(this.root, "actions")).map((path) => path.slice(3, -".json".length));
  }

  async records(): Promise<readonly ActionRecord[]> {
    return (await this.keys()).flatMap((key) => parseRecord(textOf(this.#actionPath(key)) ?? "", key) ?? []);
  }

  async usage(): Promise<Usage> {
    return usageOf(this.root);
  }

  async verify(): Promise<readonly string[]> {
    const problems: string[] = [];
    for (const key of await this.keys()) {
      const record = parseRecord(textOf(this.#actionPath(key)) ?? "", key);
      const damage = record ? await this.#damageOf(record.tree, true) : "its record cannot be read";
      if (damage === undefined) continue;
      setAside(this.#actionPath(key), this.root, `${key}.json`);
      problems.push(`${record?.ops.join(" |> ") ?? "an artifact"} (${key.slice(0, 12)}): ${damage}`);
    }
    this.flush();
    return problems;
  }

  async collect(keep: Keep): Promise<Collected> {
    const busy = readdirSync(join(this.root, "attempts")).some((name) => {
      const owner = ownerOf(name);
      return owner !== undefined && this.#processes.alive(owner) !== false;
    });
    if (busy) {
      throw new TaskError({
        code: "store-busy",
        message: `a run is using ${this.root}`,
        help: "clean up when it has ended",
      });
    }
    return explained(`clean up ${this.root}`, async () => {
      const records = await this.records();
      return collectGarbage({ root: this.root, records, manifest: (tree) => this.manifest(tree), keep });
    });
  }

  async sweep(): Promise<number> {
    let swept = 0;
    for (const name of readdirSync(join(this.root, "attempts"))) {
      const owner = ownerOf(name);
      if (owner && this.#processes.alive(owner) !== false) continue;
      const worker = processIn(textOf(join(this.root, "attempts", name, WORKER)));
      // It ends by itself when it sees that its run is gone; nobody should write beside it until then.
      if (worker) this.#processes.end(worker);
      try {
        rmSync(join(this.root, "attempts", name), { recursive: true, force: true, maxRetries: 3 });
        swept++;
      } catch {
        // Its worker is still on the way out; the next run finds it dead.
      }
    }
    return swept;
  }

  isFull(): boolean {
    const { bavail, bsize } = statfsSync(this.root);
    return bavail * bsize < FULL_BYTES;
  }

  flush(): void {
    this.#memo.flush();
  }

  #privateFolder(label: string): string {
    const name = nameFor(label, this.#processes.self(), this.#attempts++);
    const folder = join(this.root, "attempts", name);
    mkdirSync(folder);
    return folder;
  }

  #actionPath(key: string): string {
    return join(this.root, "actions", key.slice(0, 2), `${key}.json`);
  }

  #treePath(tree: string): string {
    return join(this.root, "trees", tree.slice(0, 2), `${tree}.json`);
  }

  #viewPath(tree: string): string {
    return join(this.root, "views", tree.slice(0, 2), tree);
  }
}

/** What Node calls ENOENT on a read-only disk is what the system says of the first folder that is missing. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
    let first = path;
    while (!existsSync(dirname(first))) first = dirname(first);
    mkdirSync(first);
    mkdirSync(path, { recursive: true });
  }
}

/** Opens the store in a folder, or makes one there. */
export function openStore(root: string): Store {
  try {
    return new DiskStore(root);
  } catch (error) {
    if (error instanceof TaskError) throw error;
    const problem = problemOfSystem(error, `open the store in ${root}`);
    const { code, message } = error as { code?: string; message: string };
    if (!problem && code === undefined) throw error;
    const other = {
      code: "no-store",
      message: `there can be no store in ${root}: ${message}`,
      help: "use another --store DIR",
    };
    throw new TaskError(problem ?? other);
  }
}

function removeIfEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch {
    // It has a checkpoint in it, or is gone.
  }
}

function checkLayout(root: string): void {
  const path = join(root, "layout");
  const found = textOf(path);
  if (found === undefined) {
    // Whole or not at all: another process may open the store in this moment.
    replaceFile(path, (temporary) => writeFileSync(temporary, LAYOUT));
    writeFileSync(join(root, ".gitignore"), "*\n");
  } else if (found.trim() !== LAYOUT) {
    throw new TaskError({
      code: "store-layout",
      message: `${root} is a store of layout ${found.trim()}; this version of align reads layout ${LAYOUT}`,
      help: "use another --store DIR",
    });
  }
}

/** The record and a checksum of it: a record that lost a byte is no record. */
export function printRecord(record: ActionRecord): string {
  const text = canonicalJson(record);
  return `{"record":${text},"sha256":"${digest("align.record.1", text)}"}\n`;
}

function parseRecord(text: string, key: string): ActionRecord | undefined {
  try {
    const { record, sha256 } = JSON.parse(text) as { record: ActionRecord; sha256: string };
    if (record.key !== key || digest("align.record.1", canonicalJson(record)) !== sha256) return undefined;
    return record;
  } catch {
    return undefined;
  }
}

/** Paths of all files below, with `/`, sorted. An artifact consists of regular files only. */
function filesIn(dir: string, prefix = ""): string[] {
  const files: string[] = [];
  for (const entry of systemFiles.list(dir) ?? []) {
    const path = `${prefix}${entry.name}`;
    if (entry.kind === "dir") files.push(...filesIn(join(dir, entry.name), `${path}/`));
    else if (entry.kind === "file") files.push(path);
    else {
      throw new TaskError({
        code: "artifact-link",
        message: `${path} is a link or a special file, which cannot be part of an artifact`,
        help: "the stage must write regular files into its output folder",
      });
    }
  }
  return prefix === "" ? files.sort(byCodeUnit) : files;
}

/** Undefined also for what a kill has torn: its worker had not been told anything yet. */
function processIn(text: string | undefined): ProcessName | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as ProcessName);
  } catch {
    return undefined;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as { code?: string }).code ?? "")) return undefined;
    throw error;
  }
}
