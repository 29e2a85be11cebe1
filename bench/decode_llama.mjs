// A peer of `npm run bench -- decode`: llama.cpp through an installed node-llama-cpp, greedy, one sequence per row.
// Prints the points in time, in milliseconds, at which each round of tokens was there.
import path from "node:path";
import { pathToFileURL } from "node:url";

const { folder, file, batch, prompt, tokens, threads, vocab } = JSON.parse(process.argv[2]);
const { getLlama } = await import(pathToFileURL(path.join(folder, "dist/index.js")).href);
const llama = await getLlama({ gpu: false, build: "never", logLevel: "disabled", maxThreads: threads });
const model = await llama.loadModel({ modelPath: file, useMmap: true });
const context = await model.createContext({
  sequences: batch,
  contextSize: 128,
  batchSize: 512,
  threads: { ideal: threads, min: threads },
});
const counts = new Array(batch).fill(0);
const at = [];
await Promise.all(
  counts.map(async (_, row) => {
    const ids = Array.from({ length: prompt }, (_, i) => (row * 7919 + i * 104729) % vocab);
    const answer = context.getSequence().evaluate(ids, { temperature: 0, yieldEogToken: true });
    for await (const _ of answer) {
      counts[row]++;
      if (counts.every((n) => n >= at.length + 1)) at.push(performance.now());
      if (counts[row] >= tokens) break;
    }
  }),
);
console.log(JSON.stringify(at));
process.exit(0);
