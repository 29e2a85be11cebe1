// Where the store of a file's project lies.
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** `--store`, else ALIGN_STORE, else `.align` beside the project that the file is part of. */
export function storePath(path: string, given: string | undefined): string {
  const wanted = given ?? process.env.ALIGN_STORE;
  if (wanted) return resolve(wanted);
  const here = dirname(resolve(path));
  for (let dir = here; ; dir = dirname(dir)) {
    if ([".align", ".git", "package.json"].some((mark) => existsSync(join(dir, mark))))
      return join(dir, ".align");
    if (dirname(dir) === dir) return join(here, ".align");
  }
}
