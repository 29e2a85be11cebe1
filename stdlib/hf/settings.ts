// Where the hub is and what it may know, from the environment: never part of a key, a log or an artifact.
import { homedir } from "node:os";
import { join } from "node:path";

export interface HubSettings {
  /** The hub's own address when absent. */
  readonly url?: string;
  readonly token?: string;
  /** Shared with other Hugging Face libraries. */
  readonly cache: string;
  /** Ask nobody; use what is in the cache. */
  readonly offline: boolean;
}

/** The variables that Hugging Face libraries read. */
export function hubSettings(env: NodeJS.ProcessEnv): HubSettings {
  const { HF_ENDPOINT, HF_TOKEN, HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, HF_HUB_OFFLINE } = env;
  const home = HF_HOME || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface");
  return {
    ...(HF_ENDPOINT ? { url: HF_ENDPOINT.replace(/\/+$/, "") } : {}),
    ...(HF_TOKEN ? { token: HF_TOKEN } : {}),
    cache: HF_HUB_CACHE || join(home, "hub"),
    offline: ["1", "on", "true", "yes"].includes((HF_HUB_OFFLINE ?? "").toLowerCase()),
  };
}
