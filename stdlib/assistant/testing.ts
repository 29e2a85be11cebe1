// An endpoint of OpenAI's kind for tests: it answers, or misbehaves in every way that endpoints do, and keeps a log of who asked what.
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Random, stream } from "../../tensor/index.ts";

export type Fault =
  | "429 later"
  | "429"
  | "500"
  | "hang"
  | "drop"
  | "no json"
  | "no completion"
  | "empty"
  | "trickle";

export const faults: readonly Fault[] = [
  "429 later",
  "429",
  "500",
  "hang",
  "drop",
  "no json",
  "no completion",
  "empty",
  "trickle",
];

export interface Asked {
  /** The text of the last message. */
  readonly text: string;
  readonly authorization: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
  /** What became of it; undefined while it is under way. */
  fate?: Fault | "answered";
}

export interface FakeEndpoint {
  readonly url: string;
  readonly log: Asked[];
  /** Most that were under way at once. */
  readonly most: number;
  close(): Promise<void>;
}

interface Options {
  /** What it says to a message. */
  readonly answer?: (text: string, body: Readonly<Record<string, unknown>>) => string;
  /** Which fault befalls a request; none by default. */
  readonly fault?: (random: Random, count: number) => Fault | undefined;
  readonly port?: number;
  /** Before any request is answered. */
  readonly before?: (count: number) => Promise<void> | void;
}

export async function fakeEndpoint({
  answer = () => "ok",
  fault = () => undefined,
  port = 0,
  before,
}: Options = {}): Promise<FakeEndpoint> {
  const log: Asked[] = [];
  const random = stream("faults");
  let [under, most] = [0, 0];
  const server = createServer((request, response) => {
    under++;
    most = Math.max(most, under);
    response.once("close", () => under--);
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on(
      "end",
      () => void reply(Buffer.concat(parts).toString(), request.headers.authorization, response),
    );
  });

  async function reply(text: string, authorization: string | undefined, response: ServerResponse) {
    const body = JSON.parse(text) as { messages: { content: string }[]; model: string };
    const said = body.messages.at(-1)!.content;
    const asked: Asked = { text: said, authorization, body };
    const count = log.push(asked);
    await before?.(count);
    const fate = fault(random, count);
    const content = fate === "empty" ? "" : answer(said, body);
    const whole = JSON.stringify({
      id: "x",
      object: "chat.completion",
      created: 0,
      model: body.model,
      choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
      usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    });
    const json = (status: number, text: string, headers: Record<string, string> = {}) => {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(text);
    };
    const refuse = (status: number, headers?: Record<string, string>) =>
      json(status, JSON.stringify({ error: { message: `no (${authorization})`, code: null } }), headers);
    switch (fate) {
      case undefined:
        response.once("finish", () => {
          asked.fate = "answered";
        });
        return json(200, whole);
      case "429 later":
        refuse(429, { "retry-after-ms": "20", "retry-after": "1" });
        break;
      case "429":
        refuse(429);
        break;
      case "500":
        refuse(500);
        break;
      case "hang":
        break;
      case "drop":
        response.writeHead(200, { "content-type": "application/json", "content-length": whole.length });
        response.write(whole.slice(0, 40));
        setTimeout(() => response.destroy(), 2);
        break;
      case "no json":
        json(200, whole.slice(0, -10));
        break;
      case "no completion":
        json(200, JSON.stringify({ object: "list", data: [] }));
        break;
      case "empty":
        json(200, whole);
        break;
      case "trickle": {
        response.writeHead(200, { "content-type": "application/json" });
        const timer = setInterval(() => response.write(" "), 20);
        response.once("close", () => clearInterval(timer));
      }
    }
    asked.fate = fate;
  }

  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    log,
    get most() {
      return most;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
