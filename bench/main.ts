// `npm run bench -- NAME [--json] [--write] [--python PATH]`: Align beside a peer in the same run, one row per case.
import { parseArgs } from "node:util";
import { quickstartBench } from "./quickstart.ts";
import { trainBench } from "./train.ts";

/** One case: the medians of both, and the median of the ratios of neighbouring rounds. */
export interface BenchRow {
  readonly name: string;
  readonly ours: number;
  readonly peer: number;
  /** How much faster Align is: peer divided by ours for times. */
  readonly ratio: number;
  readonly unit: string;
}

export interface BenchOptions {
  /** The peer needs torch; the product never does. */
  readonly python: string;
  /** Also into the documents that quote the numbers. */
  readonly write: boolean;
}

const benches: Readonly<Record<string, (options: BenchOptions) => AsyncIterable<BenchRow>>> = {
  train: ({ python }) => trainBench(python),
  quickstart: quickstartBench,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    python: { type: "string" },
  },
});
const [name] = positionals;
const bench = name === undefined ? undefined : benches[name];
if (!bench) {
  console.error(
    `usage: npm run bench -- ${Object.keys(benches).join("|")} [--json] [--write] [--python PATH]`,
  );
  process.exit(2);
}
const python = values.python ?? process.env.ALIGN_BENCH_PYTHON ?? "python3";
if (!values.json) console.log(["name", "ours", "peer", "ratio", "unit"].join("\t"));
for await (const row of bench({ python, write: values.write })) {
  if (values.json) console.log(JSON.stringify(row));
  else
    console.log(
      [row.name, row.ours.toFixed(1), row.peer.toFixed(1), row.ratio.toFixed(2), row.unit].join("\t"),
    );
}
