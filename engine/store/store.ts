// What an artifact store does, whatever it is made of: contents by digest, one record per key, private attempts.
import { byCodeUnit, digest } from "../canonical.ts";
import type { KeyTree } from "../plan/key.ts";

/** One file of an artifact. */
export interface ManifestEntry {
  /** With `/`, relative to the artifact. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}
/** The files of an artifact, sorted by path. */
export type Manifest = readonly ManifestEntry[];

/** Written last, so that it exists only when everything it speaks of does. */
export interface ActionRecord {
  readonly key: string;
  /** Digest of the artifact's manifest. */
  readonly tree: string;
  readonly ops: readonly string[];
  readonly keyTree: KeyTree;
  readonly metrics: Readonly<Record<string, number>>;
  readonly summary?: string;
  /** Of a row-wise task: where its rows are kept. */
  readonly rows?: string;
  /** What it took to make. */
  readonly seconds: number;
}

export interface Lookup {
  readonly record?: ActionRecord;
  /** It was there and is not any more: what was wrong with it, for people. */
  readonly damage?: string;
}

/** A file outside the store. */
export interface FileDigest {
  readonly sha256: string;
  readonly size: number;
  readonly stamp: string;
}

export interface AttemptOf {
  readonly key: string;
  readonly node: string;
  readonly run: string;
  /** The scope of a row-wise task. */
  readonly rows?: string;
  /** Its worker is one of the pool's, of which nothing goes on when the task is done. */
  readonly pooled?: boolean;
}

/** One try at a task: a folder of its own, which becomes an artifact or disappears. */
export interface Attempt {
  /** Empty; the task writes its artifact here. */
  readonly out: string;
  /** What earlier attempts at the same key left for this one; removed by a commit. */
  readonly scratch: string;
  /** The journal of a row-wise task's rows, shared by all tasks of the same scope; outlives them. */
  readonly rows?: string;
  /** stdout and stderr of the worker; stays after the attempt. */
  readonly log: string;
  /** Says which process works here: should this one be killed, the next run ends it before it begins anew. */
  employ(pid: number): void;
  /** Moves the files into the store, then writes the record. When another run was first, its record is returned. */
  commit(record: Omit<ActionRecord, "tree">): Promise<ActionRecord>;
  discard(): Promise<void>;
}

/** An append-only file of JSON lines. */
export interface Log {
  append(lines: readonly unknown[]): void;
  /** All complete lines; a torn last one, as a crash leaves it, is not there. */
  read(): unknown[];
}

export interface Store {
  readonly root: string;
  /**
   * Content digest of a file of the user's, remembered as long as the file is untouched; undefined when there is none.
   * `anew` reads it, whatever is remembered.
   */
  digestFile(path: string, anew?: boolean): Promise<FileDigest | undefined>;
  stampOf(path: string): string | undefined;
  /** The record of a key, with its artifact verified. A damaged one is set aside and reported. */
  lookup(key: string): Promise<Lookup>;
  manifest(tree: string): Promise<Manifest | undefined>;
  /** Every file of the store that the artifact of a key rests on, verified; undefined when it is not there, or is no file. */
  filesOf(key: string): Promise<readonly string[] | undefined>;
  /** The artifact as a read-only folder, verified. */
  materialise(tree: string): Promise<{ readonly dir: string } | { readonly damage: string }>;
  begin(attempt: AttemptOf): Promise<Attempt>;
  /** Who builds the key now; `release` when it is this run. */
  claim(key: string): Promise<Claim>;
  /** Copies an artifact to a folder of the user's; true when anything had to be written. */
  publish(tree: string, to: string): Promise<boolean>;
  log(name: string): Log;
  /** Keys of all records. */
  keys(): Promise<string[]>;
  /** All records that can be read. */
  records(): Promise<readonly ActionRecord[]>;
  usage(): Promise<Usage>;
  /** Looks at every byte; what is damaged is set aside and described. */
  verify(): Promise<readonly string[]>;
  /** Removes every artifact, journal and damaged file except those to keep. Refused while a run is on. */
  collect(keep: Keep): Promise<Collected>;
  /** Removes what runs that are gone left behind, their workers first; returns how many attempts. */
  sweep(): Promise<number>;
  /** No room is left on its disk. */
  isFull(): boolean;
  /** Keeps what was learned about files for the next process. */
  flush(): void;
}

/** Bytes on disk, each counted once however many artifacts share it. */
export interface Usage {
  readonly artifacts: number;
  /** Of unfinished tasks. */
  readonly checkpoints: number;
  /** What single rows came to. */
  readonly rows: number;
  /** Events and logs of runs. */
  readonly runs: number;
  /** Set aside because they were damaged. */
  readonly quarantine: number;
}

export interface Keep {
  readonly keys: ReadonlySet<string>;
  readonly runs: ReadonlySet<string>;
  /** Artifacts, whatever their keys. */
  readonly trees?: ReadonlySet<string>;
  /** Keys whose checkpoints are kept. */
  readonly unfinished?: ReadonlySet<string>;
  /** Scopes of rows, beside those of the records that are kept. */
  readonly rows?: ReadonlySet<string>;
  /** Only counts. */
  readonly dryRun?: boolean;
}

export interface Collected {
  readonly artifacts: number;
  readonly bytes: number;
}

export type Claim =
  | { readonly mine: true; release(): void }
  | { readonly mine: false; readonly holder: string };

export function treeDigest(manifest: Manifest): string {
  const sorted = [...manifest].sort((a, b) => byCodeUnit(a.path, b.path));
  return digest(
    "align.tree.1",
    sorted.map(({ path, size, sha256 }) => [path, size, sha256]),
  );
}
