// Checkpoints of a training loop in the scratch folder of its task: weights, optimiser slots, and where the loop stands.
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Params, type TrainerState, tensor } from "../../tensor/index.ts";
import { openSafetensors, type TensorMap, writeSafetensors } from "../../tensor/io/index.ts";

const pattern = /^step-(\d+)\.safetensors$/;

/**
 * Written beside, then renamed, so that a crash leaves the one before; two are kept in case the disk lost the last. `standing`
 * is everything else that the rest of a run depends on; its numbers travel as JSON, which is exact for them.
 */
export async function saveCheckpoint(dir: string, state: TrainerState, standing: object): Promise<void> {
  await mkdir(dir, { recursive: true });
  const tensors: TensorMap = new Map();
  const put = (prefix: string, params: Params) => {
    for (const [name, { shape, data }] of Object.entries(params))
      tensors.set(`${prefix}/${name}`, { shape: [...shape], data });
  };
  put("params", state.params);
  for (const [slot, params] of Object.entries(state.slots)) put(`slot.${slot}`, params);
  const path = join(dir, `step-${state.step}.safetensors`);
  await writeSafetensors(`${path}.part`, tensors, { standing: JSON.stringify(standing) });
  await rename(`${path}.part`, path);
  const older = (await steps(dir)).slice(2);
  for (const step of older) await rm(join(dir, `step-${step}.safetensors`), { force: true });
}

/** The newest checkpoint that can be read. */
export async function loadCheckpoint<Standing>(
  dir: string,
): Promise<{ state: TrainerState; standing: Standing } | undefined> {
  for (const step of await steps(dir)) {
    const read = await readCheckpoint<Standing>(join(dir, `step-${step}.safetensors`), step).catch(
      () => undefined,
    );
    if (read) return read;
  }
  return undefined;
}

async function readCheckpoint<Standing>(path: string, step: number) {
  const file = await openSafetensors(path);
  try {
    const groups: Record<string, Params> = {};
    for (const name of file.tensors.keys()) {
      const cut = name.indexOf("/");
      const { shape, data } = await file.read(name);
      const group = name.slice(0, cut);
      groups[group] ??= {};
      groups[group][name.slice(cut + 1)] = tensor(data, shape);
    }
    const { params = {}, ...slots } = groups;
    const standing = JSON.parse(file.metadata.standing!) as Standing;
    const named = Object.entries(slots).map(([slot, p]) => [slot.slice("slot.".length), p]);
    return { state: { step, params, slots: Object.fromEntries(named) }, standing };
  } finally {
    await file.close();
  }
}

/** Newest first. */
async function steps(dir: string): Promise<number[]> {
  const names = await readdir(dir).catch(() => []);
  return names
    .flatMap((name) => pattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}
