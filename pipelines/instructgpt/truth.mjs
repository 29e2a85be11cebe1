// How good a film review is, from 0 to 1: what the labelers of the laptop profile see through noise and taste, and what no model is told.

/** Opinions with their valence. */
export const opinions = {
  superb: 3,
  brilliant: 3,
  charming: 2,
  moving: 2,
  pleasant: 1,
  decent: 1,
  slow: -1,
  plain: -1,
  dull: -2,
  clumsy: -2,
  awful: -3,
  dreadful: -3,
};

const nouns = ["film", "plot", "acting", "music", "ending", "cast"];
const verbs = ["was", "seemed"];
const adverbs = ["rather", "quite", "very"];
const subjects = ["the", "it", "i"];

/** Which words may follow which; a review begins after "" and ends with ".". */
export const grammar = {
  "": subjects,
  the: nouns,
  ...Object.fromEntries([...nouns, "it"].map((noun) => [noun, verbs])),
  i: ["felt", "thought"],
  felt: ["the", "it"],
  thought: ["the", "it"],
  ...Object.fromEntries(verbs.map((verb) => [verb, [...adverbs, ...Object.keys(opinions)]])),
  ...Object.fromEntries(adverbs.map((adverb) => [adverb, Object.keys(opinions)])),
  ...Object.fromEntries(Object.keys(opinions).map((word) => [word, [",", "and", "."]])),
  ",": subjects,
  and: [...subjects, ...Object.keys(opinions)],
};

/** σ(0.6 · sum of valences) · (share of legal steps)² · share of opinions that are said once · 0.7 where no full stop ends it. */
export default ({ prompt, response }) => {
  const before = prompt.trim().split(/\s+/).length;
  const words = (prompt + response).trim().split(/\s+/);
  const said = words.slice(before);
  const legal = said.filter((word, i) => grammar[words[before + i - 1]]?.includes(word)).length;
  const felt = said.filter((word) => Object.hasOwn(opinions, word));
  const valence = felt.reduce((sum, word) => sum + opinions[word], 0);
  const once = felt.length === 0 ? 1 : new Set(felt).size / felt.length;
  const ended = said.at(-1) === "." ? 1 : 0.7;
  return (
    (1 / (1 + Math.exp(-0.6 * valence))) * (said.length === 0 ? 0 : (legal / said.length) ** 2) * once * ended
  );
};
