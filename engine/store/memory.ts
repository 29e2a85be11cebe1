// The artifact store in memory, for tests: the same promises as the one on disk, without the disk.
import { createHash } from "node:crypto";
import { relative } from "node:path";
import { byCodeUnit } from "../canonical.ts";
import { TaskError } from "../task.ts";
import { MemoryFiles } from "../testing.ts";
import type {
  ActionRecord,
  Attempt,
  AttemptOf,
  Claim,
  Collected,
  FileDigest,
  Keep,
  Log,
  Lookup,
  Manifest,
  ManifestEntry,
  Store,
  Usage,
} from "./store.ts";
import { treeDigest } from "./store.ts";

export class MemoryStore implements Store {
  readonly root = "/store";
  readonly files: MemoryFiles;
  readonly #records = new Map<string, ActionRecord>();
  readonly #trees = new Map<string, Manifest>();
  readonly #logs = new Map<string, string[]>();
  readonly #claims = new Set<string>();
  readonly #published = new Map<string, Manifest>();
  #attempts = 0;

  constructor(files = new MemoryFiles()) {
    this.files = files;
  }

  async digestFile(path: string): Promise<FileDigest | undefined> {
    const stat = this.files.stat(path);
    if (stat?.kind !== "file") return undefined;
    return { sha256: sha256(this.files.read(path)), size: stat.size, stamp: stat.stamp };
  }

  stampOf(path: string): string | undefined {
    return this.files.stat(path)?.stamp;
  }

  async lookup(key: string): Promise<Lookup> {
    const record = this.#records.get(key);
    if (!record) return {};
    const damage = this.#damageOf(record.tree);
    if (damage === undefined) return { record };
    this.#records.delete(key);
    return { damage };
  }

  async manifest(tree: string): Promise<Manifest | undefined> {
    return this.#trees.get(tree);
  }

  #damageOf(tree: string): string | undefined {
    for (const { path, size, sha256: wanted } of this.#trees.get(tree) ?? []) {
      const blob = this.blob(wanted);
      const stat = this.files.stat(blob);
      if (!stat) return `${path} is missing`;
      if (stat.size !== size) this.files.remove(blob);
      if (stat.size !== size) return `${path} has ${stat.size} bytes instead of ${size}`;
      if (sha256(this.files.read(blob)) === wanted) continue;
      this.files.remove(blob);
      return `${path} has other content than was written`;
    }
    return this.#trees.has(tree) ? undefined : "its list of files is missing or damaged";
  }

  async filesOf(): Promise<undefined> {
    return undefined;
  }

  async materialise(tree: string): Promise<{ dir: string } | { damage: string }> {
    const damage = this.#damageOf(tree);
    if (damage !== undefined) return { damage };
    const dir = `${this.root}/views/${tree}`;
    for (const entry of this.#trees.get(tree)!) this.#copy(entry, `${dir}/${entry.path}`);
    return { dir };
  }

  async begin({ key, node, run, rows }: AttemptOf): Promise<Attempt> {
    const folder = `${this.root}/attempts/${this.#attempts++}`;
    const discard = async (): Promise<void> => this.files.remove(folder);
    return {
      out: `${folder}/out`,
      scratch: `${this.root}/scratch/${key}`,
      ...(rows === undefined ? {} : { rows: `${this.root}/rows/${rows}.jsonl` }),
      log: `${this.root}/runs/${run}/logs/${node}.log`,
      employ() {},
      discard,
      commit: async (rest) => {
        const manifest: ManifestEntry[] = [];
        for (const file of this.files.below(`${folder}/out`).sort(byCodeUnit)) {
          const bytes = this.files.read(file);
          const entry = { path: relative(`${folder}/out`, file), size: bytes.length, sha256: sha256(bytes) };
          this.files.write(this.blob(entry.sha256), bytes);
          manifest.push(entry);
        }
        const tree = treeDigest(manifest);
        this.#trees.set(tree, manifest);
        await discard();
        this.files.remove(`${this.root}/scratch/${key}`);
        const first = (await this.lookup(rest.key)).record;
        if (first) return first;
        const record = { ...rest, tree };
        this.#records.set(rest.key, record);
        return record;
      },
    };
  }

  async claim(key: string): Promise<Claim> {
    if (this.#claims.has(key)) return { mine: false, holder: "another run" };
    this.#claims.add(key);
    return { mine: true, release: () => void this.#claims.delete(key) };
  }

  async publish(tree: string, to: string): Promise<boolean> {
    const damage = this.#damageOf(tree);
    if (damage !== undefined) {
      throw new TaskError({ code: "artifact-damaged", message: `the artifact is damaged: ${damage}` });
    }
    const manifest = this.#trees.get(tree)!;
    const before = this.#published.get(to);
    for (const entry of before ?? []) this.files.remove(`${to}/${entry.path}`);
    for (const entry of manifest) this.#copy(entry, `${to}/${entry.path}`);
    this.#published.set(to, manifest);
    return before === undefined || treeDigest(before) !== tree;
  }

  #copy(entry: ManifestEntry, to: string): void {
    this.files.write(to, this.files.read(this.blob(entry.sha256)));
  }

  blob(digest: string): string {
    return `${this.root}/objects/${digest}`;
  }

  log(name: string): Log {
    const lines = this.#logs.get(name) ?? [];
    this.#logs.set(name, lines);
    return {
      append: (more) => void lines.push(...more.map((line) => JSON.stringify(line))),
      read: () => lines.map((line) => JSON.parse(line)),
    };
  }

  async keys(): Promise<string[]> {
    return [...this.#records.keys()].sort(byCodeUnit);
  }

  async records(): Promise<readonly ActionRecord[]> {
    return [...this.#records.values()];
  }

  async usage(): Promise<Usage> {
    const sizeOf = (folder: string) =>
      this.files
        .below(`${this.root}/${folder}`)
        .reduce((sum, path) => sum + (this.files.stat(path)?.size ?? 0), 0);
    return {
      artifacts: sizeOf("objects"),
      checkpoints: sizeOf("scratch"),
      rows: sizeOf("rows"),
      runs: 0,
      quarantine: 0,
    };
  }

  async verify(): Promise<readonly string[]> {
    const problems: string[] = [];
    for (const key of await this.keys()) {
      const { damage } = await this.lookup(key);
      if (damage !== undefined) problems.push(`${key.slice(0, 12)}: ${damage}`);
    }
    return problems;
  }

  async collect({ keys, trees, unfinished, dryRun }: Keep): Promise<Collected> {
    const isKept = ({ key, tree }: ActionRecord) => keys.has(key) || trees?.has(tree) === true;
    const gone = [...this.#records.values()].filter((record) => !isKept(record));
    const blobsOf = (records: Iterable<ActionRecord>) =>
      new Set([...records].flatMap(({ tree }) => (this.#trees.get(tree) ?? []).map((entry) => entry.sha256)));
    const used = blobsOf([...this.#records.values()].filter(isKept));
    let bytes = 0;
    for (const sha256 of blobsOf(gone)) {
      if (used.has(sha256)) continue;
      bytes += this.files.stat(this.blob(sha256))?.size ?? 0;
      if (!dryRun) this.files.remove(this.blob(sha256));
    }
    for (const path of this.files.below(`${this.root}/scratch`)) {
      if (unfinished?.has(path.split("/")[3]!)) continue;
      bytes += this.files.stat(path)!.size;
      if (!dryRun) this.files.remove(path);
    }
    if (!dryRun) for (const { key } of gone) this.#records.delete(key);
    return { artifacts: gone.length, bytes };
  }

  async sweep(): Promise<number> {
    return 0;
  }

  isFull(): boolean {
    return false;
  }

  flush(): void {}
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
