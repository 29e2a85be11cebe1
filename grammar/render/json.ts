// Diagnostics as JSON for tools: the same data, with lines and columns worked out.
import type { Diagnostic } from "../diagnostic.ts";
import { type Place, positionAt, type Source } from "../source.ts";
import type { Json } from "../types.ts";

export function toJson(diagnostics: readonly Diagnostic[], sources: readonly Source[]): Json {
  const place = ({ path, span }: Place): Json => {
    const source = sources.find((s) => s.path === path);
    if (!source) return { path };
    const start = positionAt(source, span.start);
    const end = positionAt(source, span.end);
    return {
      path,
      start: { offset: span.start, line: start.line, column: start.column },
      end: { offset: span.end, line: end.line, column: end.column },
    };
  };
  return diagnostics.map((d) => ({
    code: d.code,
    severity: d.severity,
    title: d.title,
    labels: d.labels.map((l) => ({ place: place(l.place), text: l.text, primary: l.primary })),
    notes: d.notes,
    help: d.help,
    url: d.url,
    fixes: d.fixes.map((f) => ({
      title: f.title,
      edits: f.edits.map((e) => ({ place: place(e.place), text: e.text })),
    })),
  }));
}

export function renderJson(diagnostics: readonly Diagnostic[], sources: readonly Source[]): string {
  return `${JSON.stringify(toJson(diagnostics, sources), null, 2)}\n`;
}
