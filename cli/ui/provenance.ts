// Where a value came from, in a few words.
import type { Provenance } from "../../grammar/index.ts";

export function origin(provenance: Provenance | undefined): string {
  switch (provenance?.from) {
    case "default":
      return provenance.source ? `default, ${provenance.source}` : "default";
    case "file":
      return [
        `${provenance.path === undefined ? "" : `${provenance.path} `}line ${provenance.line}`,
        ...(provenance.param ? [`param ${provenance.param}`] : []),
      ].join(", ");
    case "profile":
      return `profile ${provenance.profile}`;
    case "set":
      return `--set ${provenance.param}`;
    default:
      return "";
  }
}
