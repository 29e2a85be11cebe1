// Makes the world of random walks: a graph of 21 nodes, 1,000 walks through it, and the judge that says how near to the
// shortest path a walk is. The task, its numbers and its random numbers are those of trlx's examples/randomwalks.
//
//   node world.mjs    writes walks.jsonl, starts.jsonl and optimality.mjs beside this file
import { writeFileSync } from "node:fs";

const nodes = 21;
/** Nodes of the longest walk. */
const longest = 10;
const goal = 0;

/** The Mersenne twister as NumPy's RandomState uses it. */
export function randomState(seed) {
  const mt = new Uint32Array(624);
  mt[0] = seed;
  for (let i = 1; i < 624; i++) mt[i] = Math.imul(1812433253, mt[i - 1] ^ (mt[i - 1] >>> 30)) + i;
  let at = 624;
  const next = () => {
    if (at === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (mt[i] & 0x80000000) | (mt[(i + 1) % 624] & 0x7fffffff);
        mt[i] = mt[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      at = 0;
    }
    let y = mt[at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
  return {
    uniform: () => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 2 ** 53,
    /** Below n, by drawing as many bits as n - 1 has until they fit. */
    below(n) {
      if (n === 1) return 0;
      const mask = 2 ** Math.ceil(Math.log2(n)) - 1;
      for (;;) {
        const x = (next() & mask) >>> 0;
        if (x < n) return x;
      }
    },
  };
}

/** Every node has an edge at least; the goal leads nowhere but to itself. */
function graph(random) {
  for (;;) {
    const edges = Array.from({ length: nodes }, (_, from) =>
      Array.from({ length: nodes }, () => random.uniform() > 0.9).flatMap((there, to) =>
        there && to !== from ? [to] : [],
      ),
    );
    if (edges.every((to) => to.length > 0)) return edges.map((to, from) => (from === goal ? [goal] : to));
  }
}

function walk(edges, random) {
  let node = goal;
  while (node === goal) node = random.below(nodes);
  const visited = [node];
  while (node !== goal && visited.length < longest) {
    node = edges[node][random.below(edges[node].length)];
    visited.push(node);
  }
  return visited;
}

/** Nodes on the shortest path from each node to the goal, both ends included. */
function shortestPaths(edges) {
  const lengths = edges.map((_, node) => (node === goal ? 1 : longest));
  for (let round = 0; round < nodes; round++) {
    for (const [from, to] of edges.entries()) {
      if (from !== goal)
        lengths[from] = Math.min(lengths[from], 1 + Math.min(...to.map((node) => lengths[node])));
    }
  }
  return lengths;
}

export function makeWorld(seed = 1002, count = 1000) {
  const random = randomState(seed);
  const edges = graph(random);
  const walks = Array.from({ length: count }, () => walk(edges, random));
  return { edges, walks, shortest: shortestPaths(edges) };
}

/** A node is a letter: the goal is a. */
const letter = (node) => String.fromCharCode(97 + node);

if (process.argv[1] === import.meta.filename) {
  const { edges, walks, shortest } = makeWorld();
  const lines = (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  const write = (name, content) => writeFileSync(new URL(name, import.meta.url), content);
  write(
    "walks.jsonl",
    lines(
      walks.map(([start, ...rest]) => ({ prompt: letter(start), completion: rest.map(letter).join("") })),
    ),
  );
  write("starts.jsonl", lines(edges.flatMap((_, node) => (node === goal ? [] : [{ prompt: letter(node) }]))));
  write(
    "optimality.mjs",
    `// How near a walk is to the shortest path to the goal, from 0 to 1. Written by world.mjs.
/** Nodes that can be reached from each node; a, the first, is the goal. */
const edges = ${JSON.stringify(edges.map((to) => to.map(letter).join("")))};
/** Nodes on the shortest path from each node, both ends included. */
const shortest = ${JSON.stringify(shortest)};
const longest = ${longest};

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
`,
  );
}
