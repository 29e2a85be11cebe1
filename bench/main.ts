// `npm run bench -- train|ppo|decode|lang|engine|data [--write] [--json] …`: Align beside its peers in the same run, one row per case and peer.
import { parseArgs } from "node:util";
import { writeTable } from "./write.ts";

/** One case against one peer; each bench says how its rounds count. */
export interface BenchRow {
  readonly name: string;
  /** Missing where there is no peer. */
  readonly peerName?: string;
  readonly ours: number;
  readonly peer: number;
  /** How much faster Align is: peer divided by ours for times. */
  readonly ratio: number;
  readonly unit: string;
}

export interface BenchOptions {
  /** A Python with torch and transformers: the peers need them, the product never does. */
  readonly python: string;
  /** The folder of an installed node-llama-cpp. */
  readonly llama?: string;
  /** Also into the documents that quote the numbers. */
  readonly write: boolean;
  /** Also cases that take minutes. */
  readonly big: boolean;
  /** Only cases whose name has this in it. */
  readonly only?: string;
}

type Bench = (options: BenchOptions) => AsyncIterable<BenchRow>;

/** Each loaded only when it is asked for: what one of them needs the others may do without. */
const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  train: () => import("./train.ts").then((m) => m.trainBench),
  ppo: () => import("./ppo.ts").then((m) => m.ppoBench),
  decode: () => import("./decode.ts").then((m) => m.decodeBench),
  quickstart: () => import("./quickstart.ts").then((m) => m.quickstartBench),
  lang: () => import("./lang.ts").then((m) => m.languageBench),
  engine: () => import("./engine.ts").then((m) => m.engineBench),
  data: () => import("./data.ts").then((m) => m.dataBench),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    big: { type: "boolean", default: false },
    python: { type: "string" },
    llama: { type: "string" },
    only: { type: "string" },
  },
});
const [name = ""] = positionals;
const load = benches[name];
if (!load) {
  console.error(
    `usage: npm run bench -- ${Object.keys(benches).join("|")} [--write] [--json] [--big] [--python PATH] [--llama FOLDER] [--only TEXT]`,
  );
  process.exit(2);
}

const rows: BenchRow[] = [];
if (!values.json) console.log(["case", "ours", "peer", "", "ratio", "unit"].join("\t"));
const bench = await load();
for await (const row of bench({
  python: values.python ?? process.env.ALIGN_BENCH_PYTHON ?? "python3",
  big: values.big,
  write: values.write,
  ...(values.llama !== undefined && { llama: values.llama }),
  ...(values.only !== undefined && { only: values.only }),
})) {
  rows.push(row);
  const { ours, peer, ratio } = row;
  if (values.json) console.log(JSON.stringify(row));
  else
    console.log(
      [row.name, ours.toFixed(1), peer.toFixed(1), row.peerName ?? "", ratio.toFixed(2), row.unit].join("\t"),
    );
}
// The quickstart writes into the README by itself.
if (values.write && name !== "quickstart") writeTable(name, rows);
