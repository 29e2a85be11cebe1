// A request that is not answered: its status, and the error object that OpenAI's clients read.

interface Details {
  readonly type?: "invalid_request_error" | "server_error" | "overloaded_error";
  /** The field of the body: `messages[0].role`. */
  readonly param?: string;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly error: { message: string; type: string; param: string | null; code: string | null };
  };

  constructor(status: number, message: string, { type, param, code, headers = {} }: Details = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
    this.body = {
      error: {
        message,
        type: type ?? (status >= 500 ? "server_error" : "invalid_request_error"),
        param: param ?? null,
        code: code ?? null,
      },
    };
  }
}

export const tooMany = (message: string): Refusal =>
  new Refusal(503, message, {
    type: "overloaded_error",
    code: "overloaded",
    headers: { "retry-after": "1" },
  });
