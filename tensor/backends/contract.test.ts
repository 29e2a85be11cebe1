// Every backend of this machine against the one contract. Where a device is missing the tests are skipped and say why.

import { describe, test } from "vitest";
import { contract } from "./contract.ts";
import { onnxBackend } from "./onnx/index.ts";
import { referenceBackend } from "./reference/index.ts";
import { tfjsBackend } from "./tfjs/index.ts";

const backends = [
  ["reference", referenceBackend()],
  ["onnx-cpu", await onnxBackend()],
  ["tfjs", await tfjsBackend()],
] as const;

describe.each(backends)("%s", (_name, backend) => {
  test.each(contract.map((check) => [check.title, check] as const))("%s", (_title, check) =>
    check.run(backend),
  );
});
