// The HTTP side of `align serve`: who may ask, how much, and what becomes of a request whose client has gone.
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, systemClock } from "../../engine/index.ts";
import { FileError } from "../../tensor/io/index.ts";
import type { Answerer } from "../generate/answerer.ts";
import { checkLengths, complete } from "./complete.ts";
import { Refusal, tooMany } from "./refusal.ts";
import { type Asked, chatOf, completionOf } from "./requests.ts";
import { chatShape, completionShape, type Shape } from "./shapes.ts";

export interface ServeOptions {
  /** What requests call the model. */
  readonly name: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Wanted as `Authorization: Bearer …` where given. */
  readonly token?: string;
  /** Answers under way and waiting, at most. */
  readonly maxAnswers: number;
  readonly maxBodyBytes: number;
  /** Says which numerics computed: `system_fingerprint`. */
  readonly fingerprint: string;
  /** One line per request. */
  readonly log?: (line: string) => void;
  readonly clock?: Clock;
}

export interface Serving {
  /** `http://127.0.0.1:8000/v1`, for a client's `base_url`. */
  readonly url: string;
  /** Takes no more requests, and ends those under way when `graceMs` have passed. */
  stop(graceMs: number): Promise<void>;
}

export async function serve(answerer: Answerer, options: ServeOptions): Promise<Serving> {
  const { name, host, port, token, maxAnswers, log, clock = systemClock } = options;
  const started = clock.now();
  const { tokenizer } = answerer.model;
  const underWay = new Set<AbortController>();
  let [answers, requests, stopping] = [0, 0, false];
  const text = (id: number) => tokenizer.decode([id], { special: true });
  const card = { id: name, object: "model", created: Math.floor(started / 1000), owned_by: "align" };

  const routes: Readonly<Record<string, { method: string; run: Handler }>> = {
    "/health": { method: "GET", run: (_, response) => json(response, 200, { status: "ok" }) },
    "/v1/models": {
      method: "GET",
      run: (_, response) => json(response, 200, { object: "list", data: [card] }),
    },
    [`/v1/models/${name}`]: { method: "GET", run: (_, response) => json(response, 200, card) },
    "/v1/chat/completions": {
      method: "POST",
      run: completing(chatShape(text), "chatcmpl", (body) => {
        const asked = chatOf(body);
        if (!answerer.chat)
          throw new Refusal(400, `${name} has no chat template: ask /v1/completions`, {
            code: "no_chat_template",
          });
        try {
          return { asked, prompts: [answerer.chat(asked.messages)] };
        } catch (error) {
          // The template's own word on roles that it cannot put into text.
          if (error instanceof FileError) throw new Refusal(400, error.message, { param: "messages" });
          throw error;
        }
      }),
    },
    "/v1/completions": {
      method: "POST",
      run: completing(completionShape(text), "cmpl", (body) => {
        const asked = completionOf(body);
        const prompts = asked.prompts.map((prompt) => {
          if (typeof prompt === "string") return [...tokenizer.prefix, ...tokenizer.encode(prompt)];
          const wrong = prompt.find((id) => id >= answerer.model.geometry.vocabSize);
          if (wrong === undefined) return prompt;
          throw new Refusal(400, `there is no token ${wrong}`, { param: "prompt", code: "invalid_value" });
        });
        return { asked, prompts: prompts.map((ids) => (ids.length > 0 ? ids : [tokenizer.eos])) };
      }),
    },
  };

  function completing(
    shape: Shape,
    prefix: string,
    read: (body: unknown) => { asked: Asked; prompts: readonly (readonly number[])[] },
  ): Handler {
    return async (request, response) => {
      const body = await bodyOf(request, options.maxBodyBytes);
      const { asked, prompts } = read(body);
      if (asked.model !== name)
        throw new Refusal(404, `The model \`${asked.model}\` does not exist; this server has \`${name}\`.`, {
          param: "model",
          code: "model_not_found",
        });
      checkLengths(answerer, prompts, asked);
      const wanted = prompts.length * asked.n;
      if (wanted > maxAnswers)
        throw new Refusal(400, `${wanted} answers are asked for; this server gives ${maxAnswers} at a time`, {
          param: "n",
        });
      if (answers + wanted > maxAnswers) throw tooMany("The model is busy: try again in a moment.");
      const abort = new AbortController();
      const gone = (): void => abort.abort(new Error("the client has gone"));
      response.once("close", gone);
      underWay.add(abort);
      answers += wanted;
      const number = requests++;
      const events = asked.stream ? eventsTo(response) : undefined;
      try {
        const whole = await complete(
          answerer,
          {
            prompts,
            asked,
            shape,
            head: {
              id: `${prefix}-${started.toString(36)}-${number}`,
              created: Math.floor(clock.now() / 1000),
              model: name,
              system_fingerprint: options.fingerprint,
            },
            seed: `${started}-${number}`,
            signal: abort.signal,
          },
          events?.send,
        );
        if (events) events.end();
        else json(response, 200, whole);
      } catch (error) {
        if (!events || response.destroyed) throw error;
        // The status has been sent: the stream itself says that it is not whole.
        events.send(refusalOf(error).body);
        response.end();
      } finally {
        response.off("close", gone);
        underWay.delete(abort);
        answers -= wanted;
      }
    };
  }

  const server = createServer((request, response) => {
    const begun = clock.now();
    const { method = "", url = "" } = request;
    const path = url.split("?")[0]!;
    response.once("close", () => {
      const status = response.writableFinished ? response.statusCode : "gone";
      log?.(`${method} ${path} ${status} ${((clock.now() - begun) / 1000).toFixed(2)} s`);
    });
    void answer(request, response, path, method).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return response.destroy();
      const { status, headers, body } = refusalOf(error);
      if (status === 500) log?.(error instanceof Error ? (error.stack ?? error.message) : String(error));
      json(response, status, body, { ...headers, ...(request.complete ? {} : { connection: "close" }) });
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse, path: string, method: string) {
    if (path !== "/health" && token !== undefined && !isBearer(request.headers.authorization, token))
      throw new Refusal(401, "This server wants its token as `Authorization: Bearer …`.", {
        code: "invalid_api_key",
        headers: { "www-authenticate": "Bearer" },
      });
    if (stopping) throw tooMany("The server is being stopped.");
    const route = Object.hasOwn(routes, decoded(path)) ? routes[decoded(path)] : undefined;
    if (!route && path.startsWith("/v1/models/"))
      throw new Refusal(
        404,
        `The model \`${decoded(path).slice(11)}\` does not exist; this server has \`${name}\`.`,
        {
          param: "model",
          code: "model_not_found",
        },
      );
    if (!route) throw new Refusal(404, `There is no ${path} here.`, { code: "unknown_url" });
    if (method !== route.method)
      throw new Refusal(405, `${path} takes ${route.method}, not ${method}.`, {
        headers: { allow: route.method },
      });
    await route.run(request, response);
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  const shown = host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${shown}:${taken}/v1`,
    async stop(graceMs) {
      stopping = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const off = clock.after(graceMs, () => {
        for (const abort of underWay) abort.abort(tooMany("The server is being stopped."));
        clock.after(1000, () => server.closeAllConnections());
      });
      await closed;
      off();
    },
  };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

function refusalOf(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal(500, "The server failed; its log says more.");
}

function json(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

/** Server-sent events; the status is sent with the first, so that a request may still be refused before. */
function eventsTo(response: ServerResponse): { send(event: object): void; end(): void } {
  const send = (data: string): void => {
    if (!response.headersSent)
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    if (!response.destroyed) response.write(`data: ${data}\n\n`);
  };
  return {
    send: (event) => send(JSON.stringify(event)),
    end() {
      send("[DONE]");
      response.end();
    },
  };
}

async function bodyOf(request: IncomingMessage, limit: number): Promise<unknown> {
  const tooLarge = new Refusal(413, `The body may have ${limit} bytes at most.`, { code: "body_too_large" });
  if (Number(request.headers["content-length"] ?? 0) > limit) throw tooLarge;
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > limit) throw tooLarge;
    parts.push(part);
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts)));
  } catch {
    throw new Refusal(400, "The body is not valid JSON.", { code: "invalid_json" });
  }
}

/** In a time that says nothing about the token. */
function isBearer(header: string | undefined, token: string): boolean {
  const digest = (value: string) => createHash("sha256").update(value).digest();
  return timingSafeEqual(digest(header ?? ""), digest(`Bearer ${token}`));
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
