// The fingerprint of the CPU's numerics, known without loading the runtime: it goes into the keys of numeric tasks.
import { cpuFingerprint } from "../../tensor/backends/devices.ts";

/** Equal to the fingerprint of the backend that `openBackend` opens on the CPU; a test holds them together. */
export const numerics = cpuFingerprint;
