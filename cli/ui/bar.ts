// A progress bar of box-drawing characters.
import { paint } from "./terminal.ts";

export function bar(share: number, width: number): string {
  const halves = Math.round(Math.min(1, Math.max(0, share)) * width * 2);
  const full = Math.floor(halves / 2);
  const half = halves % 2 === 1 ? "╸" : "";
  const rest = width - full - half.length;
  return paint.cyan("━".repeat(full) + half) + paint.dim("─".repeat(rest));
}
