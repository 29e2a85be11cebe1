// How near a walk is to the shortest path to the goal, from 0 to 1. Written by world.mjs.
/** Nodes that can be reached from each node; a, the first, is the goal. */
const edges = [
  "a",
  "a",
  "ou",
  "noqu",
  "jor",
  "p",
  "bq",
  "n",
  "np",
  "gmqr",
  "air",
  "cdu",
  "h",
  "b",
  "st",
  "imn",
  "kmp",
  "mp",
  "en",
  "b",
  "a",
];
/** Nodes on the shortest path from each node, both ends included. */
const shortest = [1, 2, 3, 3, 5, 5, 3, 4, 4, 4, 2, 3, 5, 3, 4, 4, 3, 5, 4, 3, 2];
const longest = 10;

/** (longest - length) / (longest - shortest): 1 for the shortest path, 0 for one that breaks a rule or does not arrive. */
export default ({ prompt, response }) => {
  const walk = [...(prompt + response)];
  const place = (node) => node.charCodeAt(0) - 97;
  let length = 1;
  while (walk[length - 1] !== "a") {
    const next = walk[length];
    if (next === undefined || length >= longest || !edges[place(walk[length - 1])]?.includes(next)) return 0;
    length++;
  }
  return (longest - length) / (longest - shortest[place(walk[0])]);
};
