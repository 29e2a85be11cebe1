// A hub on 127.0.0.1 that answers as the real one does, and can be told to fail.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface FakeHub {
  readonly url: string;
  /** Method-less: `/api/models/…`, `/o/n/resolve/…`. */
  readonly requests: string[];
  /** Bytes of files that were sent. */
  sent: number;
  /** Break the connection after so many bytes of the next file; once. */
  breakAfter: number | undefined;
  /** Answer with this status instead. */
  status: number | undefined;
  /** The wanted token. */
  token: string | undefined;
  close(): Promise<void>;
}

/**
 * A model or dataset `org/tiny` whose branch main is at `commit`. Safetensors and Parquet are large files, the rest is
 * in git itself.
 */
export async function fakeHub(
  commit: string,
  files: ReadonlyMap<string, Uint8Array>,
  kind: "model" | "dataset" = "model",
): Promise<FakeHub> {
  const api = `/api/${kind}s/org/tiny`;
  const page = kind === "model" ? "/org/tiny" : "/datasets/org/tiny";
  const server = createServer((request, response) => {
    try {
      answer(request, response);
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  const hub: FakeHub = {
    url: "",
    requests: [],
    sent: 0,
    breakAfter: undefined,
    status: undefined,
    token: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, "http://hub");
    hub.requests.push(url.pathname);
    const json = (value: unknown, status = 200) =>
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
    if (hub.status !== undefined) return void json({ error: "no" }, hub.status);
    if (hub.token !== undefined && request.headers.authorization !== `Bearer ${hub.token}`) {
      return void json({ error: "gated" }, 401);
    }
    const [, revision] = new RegExp(`^${api}/revision/(.+)$`).exec(url.pathname) ?? [];
    if (revision === "main" || revision === commit) {
      return void json({ _id: "1", id: "org/tiny", sha: commit, private: false, downloads: 0, likes: 0 });
    }
    if (url.pathname === `${api}/tree/${commit}`) {
      return void json(
        [...files].map(([path, bytes]) => ({
          type: "file",
          path,
          size: bytes.length,
          ...digests(path, bytes),
        })),
      );
    }
    const [, path] = new RegExp(`^${page}/resolve/${commit}/(.+)$`).exec(url.pathname) ?? [];
    const bytes = path === undefined ? undefined : files.get(path);
    if (!bytes) return void json({ error: "Not found" }, 404);
    send(request, response, bytes);
  }

  function send(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array): void {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const [begin, end] = first === undefined ? [0, bytes.length] : [Number(first), Number(last) + 1];
    const headers = {
      ETag: '"x"',
      "Content-Length": String(end - begin),
      "Content-Type": "application/octet-stream",
    };
    if (first === undefined) response.writeHead(200, headers);
    else
      response.writeHead(206, { ...headers, "Content-Range": `bytes ${begin}-${end - 1}/${bytes.length}` });
    const part = bytes.subarray(begin, end);
    if (hub.breakAfter !== undefined && part.length > hub.breakAfter) {
      const piece = part.subarray(0, hub.breakAfter);
      hub.breakAfter = undefined;
      hub.sent += piece.length;
      response.write(piece, () => setTimeout(() => response.destroy(), 50));
      return;
    }
    if (part.length > 1) hub.sent += part.length;
    response.end(part);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(hub, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

function digests(path: string, bytes: Uint8Array) {
  const oid = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
  if (!/\.(safetensors|parquet)$/.test(path)) return { oid };
  return {
    oid,
    lfs: { oid: createHash("sha256").update(bytes).digest("hex"), size: bytes.length, pointerSize: 134 },
  };
}
