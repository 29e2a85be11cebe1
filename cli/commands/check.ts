// `align check FILE…`: diagnostics only, and with --fix the mending of what has one remedy.
import { writeFileSync } from "node:fs";
import { applyFixes, renderJson, renderSarif } from "../../grammar/index.ts";
import { badFile, type Checked, checkFile, checkSource, printDiagnostics } from "../pipeline.ts";
import { paint } from "../ui/terminal.ts";

export interface CheckOptions {
  readonly format: "text" | "json" | "sarif";
  readonly fix?: boolean;
  readonly profile?: string;
  readonly set: Readonly<Record<string, string>>;
}

export async function check(files: readonly string[], options: CheckOptions): Promise<number> {
  let bad = false;
  const all: Checked[] = [];
  for (const file of files) {
    let checked = checkFile(file, options);
    if (checked && options.fix) checked = fixed(file, checked, options);
    if (!checked) {
      bad = true;
      continue;
    }
    all.push(checked);
    bad ||= checked.diagnostics.some(({ severity }) => severity === "error");
    if (options.format === "json") console.log(renderJson(checked.diagnostics, checked.sources));
    if (options.format === "text") say(file, checked);
  }
  if (options.format === "sarif")
    process.stdout.write(
      renderSarif(
        all.flatMap((c) => c.diagnostics),
        all.flatMap((c) => c.sources),
      ),
    );
  return bad ? badFile : 0;
}

function fixed(file: string, checked: Checked, options: CheckOptions): Checked {
  const { text, applied } = applyFixes(checked.source, (source) => checkSource(source, options).diagnostics);
  if (applied === 0) return checked;
  writeFileSync(file, text);
  console.error(`${file}: ${count(applied, "fix", "es")} applied`);
  return checkSource({ path: file, text }, options);
}

function say(file: string, checked: Checked): void {
  printDiagnostics(checked);
  const errors = checked.diagnostics.filter(({ severity }) => severity === "error").length;
  const warnings = checked.diagnostics.length - errors;
  const verdict = errors > 0 ? paint.red(`${count(errors, "error")}`) : paint.green("ok");
  const nodes = checked.program?.nodes ?? [];
  const counts = (["dataset", "model", "mixture", "stage"] as const).flatMap((kind) => {
    const n = nodes.filter((node) => node.kind === kind).length;
    return kind === "mixture" && n === 0 ? [] : [count(n, kind)];
  });
  console.error(
    [
      `${file}: ${verdict}`,
      ...(warnings > 0 ? [count(warnings, "warning")] : []),
      ...(checked.program ? counts : []),
    ].join(", "),
  );
}

function count(n: number, what: string, plural = "s"): string {
  return `${n} ${what}${n === 1 ? "" : plural}`;
}
