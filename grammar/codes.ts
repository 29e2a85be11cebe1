// Every code a diagnostic can have, and the only way to make one.
import type { Diagnostic, Fix, Severity } from "./diagnostic.ts";
import type { Place } from "./source.ts";

export interface CodeEntry {
  readonly title: string;
  readonly severity: Severity;
  /** At least one of its situations comes with a fix that can be applied as it is. */
  readonly fixable: boolean;
}

function error(title: string, options: { fixable?: boolean } = {}): CodeEntry {
  return { title, severity: "error", fixable: options.fixable ?? false };
}

function warning(title: string, options: { fixable?: boolean } = {}): CodeEntry {
  return { title, severity: "warning", fixable: options.fixable ?? false };
}

const fixable = { fixable: true };

export const codes = {
  // How a file is written.
  AL0001: error("something is missing", fixable),
  AL0002: error("something does not belong here"),
  AL0003: error("a string is not closed"),
  AL0004: error("a character means nothing in Align", fixable),
  AL0005: error("a number has an unknown unit", fixable),
  AL0006: error("an unknown escape in a string"),
  AL0007: error("a comma is missing", fixable),
  AL0008: error("`=` where `:` belongs", fixable),
  AL0009: error("an unknown kind of declaration", fixable),
  AL0010: error("a declaration says nothing"),
  AL0011: error("`:` where `=` belongs", fixable),
  AL0012: error("a bracket that closes nothing", fixable),

  // Names.
  AL0101: error("an unknown name", fixable),
  AL0102: error("a name is declared twice"),
  AL0103: error("an unknown operation", fixable),
  AL0104: error("an unknown parameter", fixable),
  AL0105: error("an unknown type", fixable),
  AL0106: error("an unknown row name", fixable),
  AL0107: error("an unknown metric", fixable),
  AL0108: error("an unknown column", fixable),
  AL0109: error("an unknown choice", fixable),
  AL0110: error("an unknown function", fixable),
  AL0111: error("an unknown Jinja filter", fixable),

  // Operations and what is given to them.
  AL0201: error("an operation in the wrong place", fixable),
  AL0202: error("an argument of the wrong type", fixable),
  AL0203: error("an argument is missing"),
  AL0204: error("too many arguments"),
  AL0205: error("a parameter is given twice"),
  AL0206: error("rows do not have the columns of the row named"),
  AL0207: error("an operation cannot work with what it is given"),
  AL0208: error("models with different tokenizers"),
  AL0209: error("arguments in another order", fixable),

  // Values.
  AL0301: error("a value of the wrong type", fixable),
  AL0302: error("a value outside its constraint"),
  AL0303: error("a required parameter is missing"),
  AL0304: error("an operation rejects a value"),
  AL0305: error("an expression has no value"),
  AL0306: error("a param has no value"),
  AL0307: error("a param has no type", fixable),
  AL0308: error("a file cannot be found", fixable),
  AL0309: warning("a value far from what is usual", fixable),
  AL0320: warning("a secret is not set"),
  AL0321: error("a secret is written in the file"),

  // Templates.
  AL0401: error("a template reads something that is not a column", fixable),
  AL0402: error("a template cannot be read"),
  AL0403: error("a template's part is missing or unknown", fixable),

  // The pipeline as a whole.
  AL0501: error("declarations need each other"),
  AL0502: warning("nothing reads a declaration"),
  AL0503: error("a file does not name its pipeline", fixable),
  AL0504: error("a file names two pipelines"),
  AL0505: error("an expectation that does not say yes or no"),
  AL0506: error("an expectation that can never hold", fixable),
  AL0507: warning("an expectation that always holds"),
  AL0508: error("two things are published to one folder"),

  // Profiles and --set.
  AL0601: error("an unknown profile"),
  AL0602: error("a profile overrides something that does not exist", fixable),
  AL0603: error("a profile holds something that cannot be overridden"),
  AL0604: error("--set names something that is not a param"),

  // What would make a result worthless.
  AL0701: warning("a model is trained on rows kept for measuring"),
  AL0702: warning("a model is measured on rows it was trained on"),
  AL0703: warning("a model is compared with itself"),
  AL0704: warning("a model judges its own answers"),

  // Files that import each other.
  AL0801: error("a file cannot be imported"),
  AL0802: error("an unknown export", fixable),
  AL0803: error("files import each other"),
  AL0804: warning("nothing reads an import"),
  AL0805: error("something that cannot be exported", fixable),

  // Families and sets.
  AL0901: error("a family cannot run over this"),
  AL0902: error("an unknown member of a family", fixable),
  AL0903: error("a whole family where one member is wanted", fixable),
  AL0904: warning("nothing reads what a family runs over"),
  AL0905: error("something in a cluster that does not belong there"),
  AL0906: error("a set is empty"),
  AL0907: error("families with different members are read side by side"),
} as const satisfies Record<string, CodeEntry>;

export type Code = keyof typeof codes;

/** Where the code is explained, relative to the repository. */
export const pageOf = (code: string): string => `docs/codes/${code}.md`;

export interface Report {
  readonly title: string;
  /** Where the problem is; a label without text is only underlined. */
  readonly at: Place;
  readonly label?: string;
  /** The other ends of it. */
  readonly related?: readonly (readonly [Place, string])[];
  readonly notes?: readonly string[];
  readonly help?: readonly string[];
  readonly fixes?: readonly Fix[];
}

export function diagnose(code: Code, report: Report): Diagnostic {
  return {
    code,
    severity: codes[code].severity,
    title: report.title,
    labels: [
      { place: report.at, text: report.label ?? "", primary: true },
      ...(report.related ?? []).map(([place, text]) => ({ place, text, primary: false })),
    ],
    notes: report.notes ?? [],
    help: report.help ?? [],
    fixes: report.fixes ?? [],
    url: pageOf(code),
  };
}

/** A fix that replaces one piece of text. */
export function replacement(place: Place, text: string): Fix {
  return { title: `replace with \`${text}\``, edits: [{ place, text }] };
}

export function insertion(place: Place, text: string): Fix {
  const at = { path: place.path, span: { start: place.span.end, end: place.span.end } };
  return { title: `insert \`${text.trim()}\``, edits: [{ place: at, text }] };
}
