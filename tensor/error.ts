// The one error that this room throws at callers: a code to match on, what is wrong and what to do about it.

export type TensorErrorCode =
  | "shape" // operands whose shapes or dtypes do not fit
  | "argument" // a value outside its range
  | "missing" // a name that should be there and is not
  | "not-differentiable" // a gradient was asked through an op that has none
  | "diverged" // a loss or gradient that is not finite
  | "backend" // the runtime refused or is not installed
  | "disposed"; // used after dispose()

export class TensorError extends Error {
  override readonly name = "TensorError";
  readonly code: TensorErrorCode;
  readonly help: string | undefined;

  constructor(code: TensorErrorCode, message: string, help?: string) {
    super(help === undefined ? message : `${message}\n  help: ${help}`);
    this.code = code;
    this.help = help;
  }
}

export function check(ok: boolean, code: TensorErrorCode, message: () => string, help?: string): asserts ok {
  if (!ok) throw new TensorError(code, message(), help);
}
