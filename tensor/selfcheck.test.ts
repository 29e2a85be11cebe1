import { expect, test } from "vitest";
import type { Backend } from "./backends/backend.ts";
import { onnxBackend } from "./backends/onnx/index.ts";
import { referenceBackend } from "./backends/reference/index.ts";
import { selfcheck } from "./selfcheck.ts";

test("the ONNX backend of this machine passes", async () => {
  const result = await selfcheck(await onnxBackend({ threads: 2 }));
  console.log(
    `selfcheck: loss ${result.lossError.toExponential(1)}, weights ${result.weightError.toExponential(1)}`,
  );
  expect(result.ok).toBe(true);
});

test("a backend whose gradients are off by one percent is refused", async () => {
  const sound = referenceBackend();
  const wrong: Backend = {
    ...sound,
    async compile(graph, options) {
      const executable = await sound.compile(graph, options);
      return {
        ...executable,
        async run(feeds, into) {
          const out = await executable.run(feeds, into);
          // Everything but the loss: a first loss that is right proves nothing.
          for (const [name, data] of Object.entries(out))
            if (name !== "loss") for (let i = 0; i < data.length; i++) data[i] = data[i]! * 1.01;
          return out;
        },
      };
    },
  };
  expect((await selfcheck(wrong)).ok).toBe(false);
});
