// Diagnostics as SARIF 2.1.0, which code hosts and editors read.
import { type Code, codes } from "../codes.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { explanations } from "../explanations.ts";
import { type Place, positionAt, type Source } from "../source.ts";
import type { Json } from "../types.ts";

export function toSarif(diagnostics: readonly Diagnostic[], sources: readonly Source[]): Json {
  const rules = [...new Set(diagnostics.map((d) => d.code))].sort() as Code[];
  const artifact = (path: string): Json => ({ uri: encodeURI(path.replaceAll("\\", "/")) });
  const region = (place: Place, source: Source): Json => {
    const start = positionAt(source, place.span.start);
    const end = positionAt(source, place.span.end);
    return {
      startLine: start.line,
      startColumn: start.column,
      endLine: end.line,
      endColumn: end.column,
      charOffset: place.span.start,
      charLength: place.span.end - place.span.start,
    };
  };
  /** A value given on the command line is in no file. */
  const location = (place: Place, more: Record<string, Json>): Json[] => {
    const source = sources.find((s) => s.path === place.path);
    if (!source) return [];
    return [
      {
        physicalLocation: { artifactLocation: artifact(place.path), region: region(place, source) },
        ...more,
      },
    ];
  };
  return {
    version: "2.1.0",
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
    runs: [
      {
        tool: {
          driver: {
            name: "align",
            rules: rules.map((code) => ({
              id: code,
              shortDescription: { text: codes[code].title },
              fullDescription: { text: explanations[code].why },
              help: { text: explanations[code].todo },
              defaultConfiguration: { level: codes[code].severity },
            })),
          },
        },
        columnKind: "utf16CodeUnits",
        artifacts: sources.map((s) => ({ location: artifact(s.path) })),
        results: diagnostics.map((d) => {
          const primary = d.labels.filter((l) => l.primary);
          const related = d.labels.filter((l) => !l.primary);
          return {
            ruleId: d.code,
            ruleIndex: rules.indexOf(d.code as Code),
            level: d.severity,
            message: { text: [d.title, ...d.notes, ...d.help].join("\n") },
            locations: primary.flatMap((l) => location(l.place, { message: { text: l.text } })),
            relatedLocations: related.flatMap((l, id) =>
              location(l.place, { id, message: { text: l.text } }),
            ),
            fixes: d.fixes.map((f) => ({
              description: { text: f.title },
              artifactChanges: changes(f.edits.map((e) => e.place.path)).map((path) => ({
                artifactLocation: artifact(path),
                replacements: f.edits.flatMap((e) => {
                  const source = sources.find((s) => s.path === e.place.path);
                  if (!source || e.place.path !== path) return [];
                  return [{ deletedRegion: region(e.place, source), insertedContent: { text: e.text } }];
                }),
              })),
            })),
          };
        }),
      },
    ],
  };
}

const changes = (paths: readonly string[]): string[] => [...new Set(paths)];

export function renderSarif(diagnostics: readonly Diagnostic[], sources: readonly Source[]): string {
  return `${JSON.stringify(toSarif(diagnostics, sources), null, 2)}\n`;
}
