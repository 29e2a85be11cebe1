// Finds what a stage has made: its folder in the store, or in words why there is none.

import type { Store } from "../engine/index.ts";
import { badFile, openPlan, type PipelineOptions } from "./pipeline.ts";
import { runCommand } from "./run-command.ts";
import { findStage } from "./stage.ts";
import { failureText } from "./ui/failure-text.ts";

export interface Found {
  readonly dir: string;
  /** Digest of the artifact. */
  readonly tree: string;
  readonly store: Store;
}

/** A number is the exit status of what has been reported. */
export async function artifactOf(
  file: string,
  stage: string,
  options: PipelineOptions,
): Promise<Found | number> {
  const opened = await openPlan(file, options);
  if (typeof opened === "number") return opened;
  const { plan, store } = opened;
  const task = findStage(plan, stage, file);
  if (!task) return badFile;
  const tree = task.artifact?.tree;
  const help = runCommand(file, options, stage);
  if (tree === undefined) {
    const message = `${stage} has not been run as the file is now`;
    console.error(failureText({ code: "not-run", message, help }));
    return badFile;
  }
  const found = await store.materialise(tree);
  if ("dir" in found) return { dir: found.dir, tree, store };
  const message = `the artifact of ${stage} is damaged: ${found.damage}`;
  console.error(failureText({ code: "damaged", message, help }));
  return 1;
}
