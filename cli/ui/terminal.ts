// What the terminal can show: colours (NO_COLOR is respected), width, and whether a person is looking.
import pc from "picocolors";

/** Diagnostics and progress go to stderr, so its nature decides. */
const colours = process.env.NO_COLOR ? false : process.env.FORCE_COLOR ? true : process.stderr.isTTY === true;

export const paint = pc.createColors(colours);
export const useColour = colours;

/** Live redrawing only where somebody watches; plain lines in pipes and CI. */
export const live = process.stderr.isTTY === true && !process.env.CI && process.env.TERM !== "dumb";

export function terminalWidth(): number {
  return Math.max(40, process.stderr.columns ?? 100);
}
