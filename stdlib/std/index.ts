// The modules of the standard library: `.align` files that people import as `std:name`.
import templates from "./templates.align?raw";
import worlds from "./worlds.align?raw";

/** Text by specifier. */
export const standardModules: ReadonlyMap<string, string> = new Map([
  ["std:templates", templates],
  ["std:worlds", worlds],
]);
