// What estimates know of assistants: that they are asked.
import type { EstimateRun, Known } from "../../engine/index.ts";
import { isAssistant } from "./assistant.ts";

export const estimate: EstimateRun<unknown> = () => ({ facts: { assistant: true } });

export async function isAsked(known: Known): Promise<boolean> {
  const dir = await known.open();
  return dir === undefined ? known.facts.assistant === true : isAssistant(dir);
}
