// Writes film reviews, one JSON row a line: `node reviews.mjs ROWS SEED`. Each walks through the grammar in a mood, good or bad.
import { grammar, opinions } from "./truth.mjs";

const [rows, seed] = process.argv.slice(2).map(Number);

/** mulberry32 */
let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

function pick(list, weightOf) {
  const weights = list.map(weightOf);
  let left = random() * weights.reduce((a, b) => a + b, 0);
  const at = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return list[at] ?? list.at(-1);
}

function review() {
  const mood = random() < 0.5 ? 0.35 : -0.35;
  const words = [];
  for (let last = ""; last !== "."; words.push(last)) {
    last = pick(grammar[last], (word) => {
      if (Object.hasOwn(opinions, word))
        return Math.exp(mood * opinions[word]) * (last === "and" ? 0.05 : 0.15);
      if (word === ".") return words.length > 20 ? 100 : 0.7;
      return { rather: 0.2, quite: 0.2, very: 0.2, the: 2 }[word] ?? 1;
    });
  }
  return words.join(" ");
}

const texts = Array.from({ length: rows }, review);
process.stdout.write(texts.map((text) => `${JSON.stringify({ text })}\n`).join(""));
