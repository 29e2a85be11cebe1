// Writes the texts of the laptop profile, one JSON row a line: `node world.mjs reviews|lands|questions ROWS SEED`. Film reviews are what
// prompts are about; facts about lands share no word with them, and are only met in pretraining.
import { grammar, opinions } from "./truth.mjs";

const [kind, rows, seed] = process.argv.slice(2);

/** mulberry32, one stream for each kind of text and seed. */
function stream(name) {
  let state = [...name].reduce((h, c) => Math.imul(h ^ c.charCodeAt(0), 0x01000193), 0x811c9dc5) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
const random = stream(`${kind} ${seed}`);
/** One of a list, as likely as its weight says. */
function pick(list, weight = () => 1) {
  let left = random() * list.reduce((sum, one) => sum + weight(one), 0);
  for (const one of list) {
    left -= weight(one);
    if (left < 0) return one;
  }
  return list.at(-1);
}

/** Reviews walk through the grammar in a mood, good or bad, which their opinions follow more or less. */
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

/** Which crop a land grows, what its chief town is, where ships come from: fixed for a seed. */
const names = (...parts) => parts[0].flatMap((a) => parts[1].map((b) => a + b));
const lands = names(["ar", "bel", "cor", "dun", "el", "fen"], ["mark", "land", "ria", "oth"]);
const towns = names(["mir", "tol", "ves"], ["na", "dor", "lin", "gard"]);
const crops = ["barley", "flax", "hops", "maize", "millet", "oats", "rye", "wheat"];
const coasts = ["east", "north", "south", "west"];
const drawn = stream(`facts ${seed}`);
const facts = lands.map((land) => ({
  land,
  ...Object.fromEntries(
    Object.entries({ town: towns, crop: crops, coast: coasts }).map(([of, all]) => [
      of,
      all[Math.floor(drawn() * all.length)],
    ]),
  ),
}));
const sentences = {
  town: ({ land, town }) => [`${land} is ruled from`, town],
  crop: ({ land, crop }) => [`farmers in ${land} grow`, crop],
  coast: ({ land, coast }) => [`ships reach ${land} from its`, coast],
};

/** Two or three facts about one land. */
function atlas() {
  const fact = pick(facts);
  const order = Object.keys(sentences).sort(() => random() - 0.5);
  return `${order
    .slice(0, 2 + Math.floor(2 * random()))
    .map((of) => sentences[of](fact).join(" "))
    .join(" ; ")} ;`;
}

const choices = { town: towns, crop: crops, coast: coasts };
const questions = facts.flatMap((fact) =>
  Object.entries(sentences).map(([of, say]) => {
    const [prompt, answer] = say(fact);
    return { prompt, choices: choices[of], label: choices[of].indexOf(answer) };
  }),
);

const make = {
  reviews: () => ({ text: review() }),
  lands: () => ({ text: atlas() }),
  questions: (i) => questions[i],
}[kind];
const count = kind === "questions" ? questions.length : Number(rows);
process.stdout.write(Array.from({ length: count }, (_, i) => `${JSON.stringify(make(i))}\n`).join(""));
