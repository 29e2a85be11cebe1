// Which room may import which: grammar <- engine <- stdlib <- cli, tensor alone, and only through the door.
// (Parsed with swc: TypeScript 7 has no JavaScript API. Its rules see type imports too.)
const may = {
  grammar: "grammar",
  tensor: "tensor",
  engine: "engine|grammar",
  stdlib: "stdlib|engine|tensor|grammar",
  cli: "cli|stdlib|engine|tensor|grammar",
};
const rooms = Object.keys(may).join("|");
module.exports = {
  forbidden: [
    ...Object.entries(may).map(([room, allowed]) => ({
      name: `${room}-imports`,
      severity: "error",
      comment: `${room} may import only ${allowed}`,
      from: { path: `^${room}/` },
      to: { path: `^(${rooms})/`, pathNot: `^(${allowed})/` },
    })),
    {
      name: "through-the-door",
      severity: "error",
      comment:
        "another room is entered through its index.ts; what devices there are and what a run rests on is known without loading the rest",
      from: { path: `^(${rooms})/`, pathNot: "\\.test\\.ts$" },
      to: {
        path: `^(${rooms})/`,
        pathNot: [
          "^$1/",
          "^[a-z]+/index\\.ts$",
          "^tensor/(io/index|index|backends/devices)\\.ts$",
          "^(engine/standing|stdlib/training/numerics)\\.ts$",
        ],
      },
    },
    {
      name: "grammar-runs-in-a-browser",
      severity: "error",
      from: { path: "^grammar/", pathNot: "\\.test\\.ts$" },
      to: { dependencyTypes: ["core"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    parser: "swc",
    tsPreCompilationDeps: false,
    exclude: "node_modules",
  },
};
