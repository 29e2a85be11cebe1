// The one shape of everything the language has to say about a file: data first, text comes last.
import type { Place } from "./source.ts";

export type Severity = "error" | "warning";

export interface Label {
  readonly place: Place;
  /** What this place has to do with it, a few words: `this is Dataset<Rated>`. */
  readonly text: string;
  readonly primary: boolean;
}

export interface Edit {
  readonly place: Place;
  readonly text: string;
}

export interface Fix {
  /** What applying it does, as an imperative: `replace with "dpo"`. */
  readonly title: string;
  readonly edits: readonly Edit[];
}

export interface Diagnostic {
  /** AL0001.., from the table in codes.ts. */
  readonly code: string;
  readonly severity: Severity;
  /** What is wrong, one line. */
  readonly title: string;
  /** The first primary label is the place shown as `file:line:column`. */
  readonly labels: readonly Label[];
  /** Why it matters, or more facts. */
  readonly notes: readonly string[];
  /** What to do. */
  readonly help: readonly string[];
  readonly fixes: readonly Fix[];
  /** The page about its code, relative to the repository. */
  readonly url: string;
}
