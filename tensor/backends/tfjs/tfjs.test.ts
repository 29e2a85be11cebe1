// What only TensorFlow.js can get wrong: tensors that are never freed.

import { expect, test } from "vitest";
import { selfcheck } from "../../selfcheck.ts";
import { tfjsBackend } from "./index.ts";
import { installedTf, loadTf } from "./load.ts";

test("training leaves no tensor behind, and computes what the reference does", async () => {
  const { tf } = await loadTf(installedTf(), undefined);
  const before = tf.memory().numTensors;
  const { ok, lossError, weightError } = await selfcheck(await tfjsBackend());
  console.log(`selfcheck: loss ${lossError.toExponential(1)}, weights ${weightError.toExponential(1)}`);
  expect(ok).toBe(true);
  expect(tf.memory().numTensors).toBe(before);
});
