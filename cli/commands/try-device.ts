// `align try-device NAME`: what `run` and `doctor` start in a process of its own; prints one JSON line.
import { isDevice, tryDevice } from "../../stdlib/index.ts";

export async function tryOne(device: string): Promise<number> {
  if (!isDevice(device)) return 2;
  process.stdout.write(`${JSON.stringify(await tryDevice(device))}\n`);
  return 0;
}
