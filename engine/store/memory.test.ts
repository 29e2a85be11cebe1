import { relative } from "node:path";
import { storeContract } from "./contract.ts";
import { MemoryStore } from "./memory.ts";

storeContract(() => {
  const store = new MemoryStore();
  const { files } = store;
  return {
    store,
    outside: "/outside",
    write: (path, text) => files.write(path, text),
    read: (dir) =>
      Object.fromEntries(
        files.below(dir).map((path) => [relative(dir, path), new TextDecoder().decode(files.read(path))]),
      ),
    tamper: (sha256, text) => files.write(store.blob(sha256), text),
    remove: (sha256) => files.remove(store.blob(sha256)),
  };
});
