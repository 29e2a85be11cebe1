// What llama.cpp says about a GGUF file: ids of a text, and greedy tokens after it. Prints one JSON line.
// node llama.mjs FOLDER FILE.gguf REQUEST.json: FOLDER has node-llama-cpp in its node_modules.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, file, request] = process.argv.slice(2);
const library = join(resolve(folder), "node_modules/node-llama-cpp/dist/index.js");
const { getLlama } = await import(pathToFileURL(library).href);
const { text, tokens } = JSON.parse(readFileSync(request, "utf8"));

const llama = await getLlama({ gpu: false, build: "never", maxThreads: 2 });
const model = await llama.loadModel({ modelPath: resolve(file) });
const context = await model.createContext({ contextSize: 512, threads: 2 });
const ids = model.tokenize(text, true);
const greedy = [];
for await (const token of context.getSequence().evaluate(ids, { temperature: 0, yieldEogToken: true })) {
  if (greedy.push(token) >= tokens) break;
}
console.log(JSON.stringify({ ids: [...ids], greedy }));
process.exit(0);
