// The modules of the standard library: `.align` files that people import as `std:name`.
import rubrics from "./rubrics.align?raw";
import templates from "./templates.align?raw";
import worlds from "./worlds.align?raw";

/** Text by specifier. */
export const standardModules: ReadonlyMap<string, string> = new Map([
  ["std:rubrics", rubrics],
  ["std:templates", templates],
  ["std:worlds", worlds],
]);
