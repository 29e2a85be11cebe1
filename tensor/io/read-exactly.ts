// A range of an open file, whole or an error.
import type { FileHandle } from "node:fs/promises";
import { FileError, type FileErrorCode } from "./error.ts";

export async function readExactly(
  handle: FileHandle,
  at: number,
  length: number,
  { path, code }: { readonly path: string; readonly code: FileErrorCode },
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    // One read moves at most 2 GiB.
    const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, 2 ** 30), at + done);
    if (bytesRead === 0) {
      throw new FileError({
        code,
        message: `the file ended ${length - done} bytes early while it was read`,
        where: path,
      });
    }
    done += bytesRead;
  }
  return bytes;
}
