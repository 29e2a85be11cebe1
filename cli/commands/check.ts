// `align check FILE…`: diagnostics only.
import { renderJson } from "../../grammar/index.ts";
import { badFile, checkFile, printDiagnostics } from "../pipeline.ts";
import { paint } from "../ui/terminal.ts";

export interface CheckOptions {
  readonly format: "text" | "json";
  readonly profile?: string;
  readonly set: Readonly<Record<string, string>>;
}

export async function check(files: readonly string[], options: CheckOptions): Promise<number> {
  let bad = false;
  for (const file of files) {
    const checked = checkFile(file, options);
    if (!checked) {
      bad = true;
      continue;
    }
    const errors = checked.diagnostics.filter(({ severity }) => severity === "error").length;
    bad ||= errors > 0;
    if (options.format === "json") {
      console.log(renderJson(checked.diagnostics, [checked.source]));
      continue;
    }
    printDiagnostics(checked);
    const warnings = checked.diagnostics.length - errors;
    const verdict = errors > 0 ? paint.red(`${count(errors, "error")}`) : paint.green("ok");
    const nodes = checked.program?.nodes ?? [];
    const counts = (["dataset", "model", "stage"] as const).map((kind) =>
      count(nodes.filter((node) => node.kind === kind).length, kind),
    );
    console.error(
      [
        `${file}: ${verdict}`,
        ...(warnings > 0 ? [count(warnings, "warning")] : []),
        ...(checked.program ? counts : []),
      ].join(", "),
    );
  }
  return bad ? badFile : 0;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
