// Folder names that say which process they belong to, so that leftovers can be told from work in progress.
import type { ProcessName } from "../ports.ts";

/** `run+4711+88123+boot-id+host+0`. */
export function nameFor(label: string, owner: ProcessName, n: number): string {
  return [label, owner.pid, owner.start, owner.boot, owner.host, n]
    .map((part) => encodeURIComponent(part))
    .join("+");
}

export function ownerOf(name: string): ProcessName | undefined {
  const [, pid, start, boot, host, n] = name.split("+").map(decoded);
  if (n === undefined || !/^\d+$/.test(pid ?? "")) return undefined;
  return { pid: Number(pid), start: start!, boot: boot!, host: host! };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
