// Names the graphics hardware and its driver, without loading either: results computed there hold for it alone.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
};
const list = (path: string): string[] => {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
};

/** Eight hex digits that change with the devices, the NVIDIA driver and the Vulkan driver that the environment names. */
export function graphicsIdentity(): string {
  const devices = list("/sys/bus/pci/devices").flatMap((at) => {
    const home = `/sys/bus/pci/devices/${at}`;
    // PCI class 03 is display.
    return read(`${home}/class`).startsWith("0x03")
      ? [`${read(`${home}/vendor`)}:${read(`${home}/device`)}`]
      : [];
  });
  const facts = [
    process.platform,
    ...devices,
    read("/proc/driver/nvidia/version"),
    process.env.VK_ICD_FILENAMES ?? "",
    process.env.VK_DRIVER_FILES ?? "",
    process.env.CUDA_VISIBLE_DEVICES ?? "",
  ];
  return createHash("sha256").update(facts.join("\n")).digest("hex").slice(0, 8);
}

/** Whether trying to open a graphics device can succeed at all: cheap, and wrong only towards yes. */
export function mayHaveGraphics(): boolean {
  if (process.platform !== "linux") return true;
  const drivers = process.env.VK_ICD_FILENAMES ?? process.env.VK_DRIVER_FILES;
  return (
    drivers !== undefined || mayHaveCuda() || list("/dev/dri").some((name) => name.startsWith("renderD"))
  );
}

export function mayHaveCuda(): boolean {
  return process.platform !== "linux" || existsSync("/dev/nvidia0") || existsSync("/dev/dxg");
}
