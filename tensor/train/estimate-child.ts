// Prints what a session was estimated to hold and what its process then held, in MiB; run by estimate.test.ts.

import { onnxBackend } from "../backends/onnx/index.ts";
import { tensor } from "../host.ts";
import { crossEntropy } from "../loss/cross-entropy.ts";
import { initialize } from "../models/config.ts";
import { initializeLora, isAdapter } from "../models/lora.ts";
import { adamw } from "../optim/adamw.ts";
import { stream } from "../random.ts";
import { trainingCost } from "./estimate.ts";
import { createTrainer, type LossFn } from "./trainer.ts";

const cases = {
  small: { layers: 4, width: 256, B: 8, T: 128, lora: false },
  adapters: { layers: 8, width: 512, B: 4, T: 256, lora: true },
};
const { layers, width, B, T, lora: adapted } = cases[process.argv[2] as keyof typeof cases];
const config = {
  vocab_size: 16 * width,
  hidden_size: width,
  intermediate_size: 4 * width,
  num_hidden_layers: layers,
  num_attention_heads: 4,
  max_position_embeddings: T,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
};
const lora = { r: 8, alpha: 8, target_modules: ["q_proj", "v_proj"] };
const loss: LossFn = (b, model, { ids, mask }) => ({
  loss: crossEntropy(b, model.tokenLogprobs(ids!), mask!),
});
const optimizer = adamw();
const batch = {
  ids: tensor(
    Int32Array.from({ length: B * T }, (_, i) => (i * 31) % config.vocab_size),
    [B, T],
  ),
  mask: tensor(new Float32Array(B * T).fill(1), [B, T]),
};
const { memory } = trainingCost({ config, loss, optimizer, batch, pieces: 1, ...(adapted && { lora }) });

const base = initialize(config, stream("estimate"));
const trainer = createTrainer({
  backend: await onnxBackend({ threads: 2 }),
  config,
  loss,
  optimizer,
  params: { ...base, ...(adapted ? initializeLora(base, lora, stream("lora")) : {}) },
  ...(adapted && { lora, trainable: isAdapter }),
});
for (let i = 0; i < 3; i++) await trainer.step(batch, { learning_rate: 1e-3 });
const mib = (bytes: number) => bytes / 2 ** 20;
console.log(JSON.stringify({ estimated: mib(memory), held: mib(process.resourceUsage().maxRSS * 1024) }));
