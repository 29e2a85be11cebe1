// Every check, in the order in which their findings are told apart at the same place.
import { argumentCount } from "./argument-count.ts";
import { casts } from "./casts.ts";
import type { Check } from "./check.ts";
import { clusters } from "./clusters.ts";
import { commandLine } from "./command-line.ts";
import { cycles } from "./cycles.ts";
import { duplicates } from "./duplicates.ts";
import { emptyDeclarations } from "./empty-declarations.ts";
import { expectations } from "./expectations.ts";
import { exports } from "./exports.ts";
import { families } from "./families.ts";
import { files } from "./files.ts";
import { heldOut } from "./held-out.ts";
import { imports } from "./imports.ts";
import { inputTypes } from "./input-types.ts";
import { modelPairs } from "./model-pairs.ts";
import { operations } from "./operations.ts";
import { outputs } from "./outputs.ts";
import { overlap } from "./overlap.ts";
import { ownJudge } from "./own-judge.ts";
import { parameters } from "./parameters.ts";
import { params } from "./params.ts";
import { pipelineName } from "./pipeline-name.ts";
import { profiles } from "./profiles.ts";
import { publications } from "./publications.ts";
import { references } from "./references.ts";
import { secrets } from "./secrets.ts";
import { templates } from "./templates.ts";
import { unused } from "./unused.ts";
import { unusual } from "./unusual.ts";
import { values } from "./values.ts";

export const checks: readonly Check[] = [
  pipelineName,
  imports,
  exports,
  emptyDeclarations,
  duplicates,
  commandLine,
  profiles,
  params,
  families,
  clusters,
  references,
  operations,
  argumentCount,
  parameters,
  inputTypes,
  values,
  unusual,
  files,
  casts,
  outputs,
  templates,
  secrets,
  cycles,
  expectations,
  publications,
  modelPairs,
  ownJudge,
  heldOut,
  overlap,
  unused,
];
