// The artifact store in a folder.
//
//   objects/ab/<sha256>      contents, read-only            actions/ab/<key>.json   one record per key
//   trees/ab/<digest>.json   manifests of artifacts         views/ab/<digest>/      artifacts as folders of hard links
//   attempts/…               work in progress, by process   leases/<key>            who builds what
//   runs/<run>/              journal and logs of a run      history/                last keys of every stage
//   quarantine/              damaged files, set aside       memo.json               digests of untouched files
//   scratch/<key>/           checkpoints of unfinished tasks rows/<scope>.jsonl      what single rows came to
//   standing/                what whole runs rest on
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { byCodeUnit, canonicalJson, digest } from "../canonical.ts";
import { type Clock, type Processes, systemClock, systemFiles, systemProcesses } from "../ports.ts";
import { explained, problemOfSystem } from "../problem.ts";
import { TaskError } from "../task.ts";
import { Blobs, setAside } from "./blobs.ts";
import { createOnce, inFolder, replaceFile } from "./durable.ts";
import { collectGarbage, usageOf } from "./gc.ts";
import { Leases } from "./lease.ts";
import { openLog } from "./log.ts";
import { DigestMemo } from "./memo.ts";
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
import { Workplace } from "./workplace.ts";

/** Waiting for the disk takes a good part of what cheaper artifacts take to make. */
const DEAR_SECONDS = 1;
/** Less than any artifact takes. */
const FULL_BYTES = 64 << 10;

/** Raise it when the layout changes; a store of another layout is refused. */
const LAYOUT = "1";

export class DiskStore implements Store {
  readonly root: string;
  readonly #memo: DigestMemo;
  readonly #blobs: Blobs;
  readonly #workplace: Workplace;
  readonly #leases: Leases;
  /** Those that have been read or written, as long as their files are untouched. */
  readonly #manifests = new Map<string, { readonly stamp: string; readonly manifest: Manifest }>();
  /** Runs whose folder for logs is there. */
  readonly #logs = new Set<string>();

  constructor(root: string, ports: { clock?: Clock; processes?: Processes } = {}) {
    const { clock = systemClock, processes = systemProcesses } = ports;
    this.root = resolve(root);
    makeFolder(join(this.root, "attempts"));
    checkLayout(this.root);
    this.#memo = new DigestMemo(join(this.root, "memo.json"), clock, processes.self().boot);
    this.#blobs = new Blobs(this.root, this.#memo);
    this.#workplace = new Workplace(join(this.root, "attempts"), processes);
    this.#leases = new Leases(join(this.root, "leases"), () => this.#workplace.card, { processes, clock });
  }

  digestFile(path: string, anew = false): Promise<FileDigest | undefined> {
    return explained(`read ${path}`, () => this.#memo.digest(path, anew));
  }

  stampOf(path: string): string | undefined {
    return systemFiles.stat(path)?.stamp;
  }

  async lookup(key: string): Promise<Lookup> {
    const path = this.#actionPath(key);
    const text = existsSync(path) ? textOf(path) : undefined;
    if (text === undefined) return {};
    const record = parseRecord(text, key);
    const damage = record ? await this.#damageOf(record.tree) : "its record cannot be read";
    if (record && damage === undefined) return { record };
    setAside(path, this.root, `${key}.json`);
    return { damage: damage! };
  }

  async manifest(tree: string): Promise<Manifest | undefined> {
    const path = this.#treePath(tree);
    const stamp = systemFiles.stat(path)?.stamp;
    if (stamp === undefined) return undefined;
    const known = this.#manifests.get(tree);
    if (known?.stamp === stamp) return known.manifest;
    try {
      const manifest = JSON.parse(textOf(path) ?? "") as Manifest;
      if (treeDigest(manifest) !== tree) return undefined;
      this.#manifests.set(tree, { stamp, manifest });
      return manifest;
    } catch {
      return undefined;
    }
  }

  /** Looks at every file of an artifact; what is damaged is set aside, with the folder that shares it. */
  async #damageOf(tree: string, anew = false): Promise<string | undefined> {
    if (anew) this.#manifests.delete(tree);
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

  async filesOf(key: string): Promise<readonly string[] | undefined> {
    const tree = (await this.lookup(key)).record?.tree;
    const manifest = tree === undefined ? undefined : await this.manifest(tree);
    if (tree === undefined || !manifest) return undefined;
    return [
      this.#actionPath(key),
      this.#treePath(tree),
      ...manifest.map(({ sha256 }) => this.#blobs.path(sha256)),
    ];
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
      const view = this.#workplace.take();
      try {
        for (const entry of manifest) this.#link(entry, join(view, entry.path));
        inFolder(dir, () => renameSync(view, dir));
        this.#workplace.forget();
      } catch (error) {
        await this.#workplace.giveBack(view, false);
        // Another run was faster, with the same files.
        if (!existsSync(dir)) throw error;
      }
      return { dir };
    });
  }

  #link(entry: ManifestEntry, to: string): void {
    const blob = this.#blobs.path(entry.sha256);
    inFolder(to, () => {
      try {
        linkSync(blob, to);
        this.#memo.touched(blob);
      } catch (error) {
        if ((error as { code?: string }).code === "ENOENT") throw error;
        copyFileSync(blob, to);
        chmodSync(to, 0o444);
      }
    });
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

  async begin({ key, node, run, rows, pooled = false }: AttemptOf): Promise<Attempt> {
    return explained(`start an attempt in ${this.root}`, async () => {
      const scratch = join(this.root, "scratch", key);
      const log = join(this.root, "runs", run, "logs", `${encodeURIComponent(node)}.log`);
      if (!this.#logs.has(run)) mkdirSync(dirname(log), { recursive: true });
      this.#logs.add(run);
      const out = this.#workplace.take();
      let given = false;
      const discard = async (): Promise<void> => {
        if (!given) {
          given = true;
          await this.#workplace.giveBack(out, pooled);
        }
        if (existsSync(scratch)) removeIfEmpty(scratch);
      };
      return {
        out,
        scratch,
        ...(rows === undefined ? {} : { rows: join(this.root, "rows", `${rows}.jsonl`) }),
        log,
        employ: (pid) => this.#workplace.employ(pid),
        discard,
        commit: (record) =>
          explained("keep a finished artifact", async () => {
            const committed = await this.#commit(out, record);
            await discard();
            if (existsSync(scratch)) rmSync(scratch, { recursive: true, force: true });
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
      // What is there in its place is damaged.
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
    // A writer that was killed may have left its temporary file.
    const named = filesIn(join(this.root, "actions")).filter((path) => path.endsWith(".json"));
    return named.map((path) => path.slice(3, -".json".length));
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
    if (this.#workplace.busy || this.#workplace.othersAreBusy()) {
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
    return this.#workplace.sweep();
  }

  isFull(): boolean {
    const { bavail, bsize } = statfsSync(this.root);
    return bavail * bsize < FULL_BYTES;
  }

  flush(): void {
    this.#memo.flush();
    if (this.#leases.held === 0) this.#workplace.leave();
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

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as { code?: string }).code ?? "")) return undefined;
    throw error;
  }
}
