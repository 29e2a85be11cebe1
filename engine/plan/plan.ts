// What a Plan is: plain JSON, the only thing a run needs to know of the program.
import type { Apart, Expectation, Json, ProgramNode, Provenance, Publication } from "../../grammar/index.ts";
import type { KeyTree } from "./key.ts";

/** A file of the user's, as it was when the plan was made. */
export interface PlannedFile {
  /** For people: relative to the .align file, or `npm:package/file`. */
  readonly name: string;
  readonly path: string;
  /** For a file of a folder: its path in it, which is part of the key. */
  readonly within?: string;
  readonly sha256: string;
  readonly size: number;
  /** Changes whenever the content may have. */
  readonly stamp: string;
}

export interface PlanCall {
  readonly op: string;
  readonly version: number;
  readonly numeric: boolean;
  /** Names and order of its inputs are part of the key. */
  readonly named?: boolean;
  /** The input whose rows are worked on one by one. */
  readonly rowwise?: string;
  /** Can do with less memory, for the same result. */
  readonly shrinks?: true;
  /** As the implementation gets them. */
  readonly params: Readonly<Record<string, Json>>;
  /** The part of them that the result depends on, in the form that is hashed. */
  readonly keyed: Readonly<Record<string, Json>>;
  /** How keyed values are shown, where their JSON is not what people wrote. */
  readonly shown: Readonly<Record<string, string>>;
  readonly provenance: Readonly<Record<string, Provenance>>;
  /** Folder of the file it is written in, absolute: what its paths are relative to. */
  readonly dir: string;
  /** By path parameter, and by command. */
  readonly files: Readonly<Record<string, readonly PlannedFile[]>>;
  /** Names of nodes, by input. */
  readonly inputs: Readonly<Record<string, readonly string[]>>;
}

export type TaskState =
  /** Its artifact is in the store. */
  | "cached"
  /** Everything it needs is known, and its artifact is not in the store. */
  | "will-run"
  /** Whether it has to run shows when what it needs has run. */
  | "waiting";

export interface PlanTask {
  readonly id: string;
  readonly kind: ProgramNode["kind"];
  /** Of a member of a family. */
  readonly family?: NonNullable<ProgramNode["family"]>;
  readonly doc?: string;
  /** The dataset whose rows the transforms start from. */
  readonly from?: string;
  readonly calls: readonly PlanCall[];
  /** Every node it reads, once each. */
  readonly needs: readonly string[];
  readonly heavy: boolean;
  readonly state: TaskState;
  /** One line: why it is in this state. */
  readonly reason: string;
  /** Known as soon as all its inputs are. */
  readonly key?: string;
  /** What the key is made of; digests of unknown inputs are missing. */
  readonly keyTree: KeyTree;
  readonly artifact?: PlannedArtifact;
  /** The store had it, but damaged. */
  readonly damage?: string;
}

export interface PlannedArtifact {
  /** Digest of the tree. */
  readonly tree: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly summary?: string;
  /** What it took to make. */
  readonly seconds: number;
}

export interface PlanEdge {
  readonly from: string;
  readonly to: string;
  /** `policy`; `rows` for what comes before the pipe. */
  readonly input: string;
}

export interface Plan {
  readonly pipeline: string;
  readonly doc?: string;
  /** The .align file. */
  readonly path: string;
  readonly profile?: string;
  /** Of the tensor backend; part of the keys of numeric tasks. */
  readonly numerics: string;
  /** In an order in which they can run, that of the file where possible. */
  readonly tasks: readonly PlanTask[];
  readonly edges: readonly PlanEdge[];
  /** Only those whose nodes are all in the plan. */
  readonly expectations: readonly Expectation[];
  readonly publications: readonly Publication[];
  /** Only those whose nodes are all in the plan. */
  readonly apart?: readonly Apart[];
}
