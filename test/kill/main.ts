// `npm run test:kill -- --kills N --seed S`: prints each kill and, last, `kills N, identical N`. With `--file F --stage S` it kills that
// pipeline inside that stage: `npm run test:kill -- --file pipelines/instructgpt.align --profile laptop --stage ppo --kills 3`.
import { parseArgs } from "node:util";
import { killTest } from "./kill.ts";
import { killStage } from "./stage.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    file: { type: "string" },
    stage: { type: "string" },
    profile: { type: "string" },
    set: { type: "string", multiple: true, default: [] },
    store: { type: "string" },
  },
});
const [kills, seed] = [Number(values.kills), Number(values.seed)];
const { file, stage, profile, store } = values;
if ((file === undefined) !== (stage === undefined)) throw new Error("--file and --stage come together");
process.exitCode = (await (file === undefined ? everything() : inside(file, stage!))) ? 0 : 1;

async function everything(): Promise<boolean> {
  const verdict = await killTest({ kills, seed }, (kill) => {
    console.log(`kill ${kill.number} after ${kill.afterSeconds.toFixed(2)} s, during ${kill.during}`);
  });
  for (const problem of verdict.problems) console.log(problem);
  console.log(
    `${verdict.resumedInside} stages went on from inside; ${verdict.cutOff} questions were cut off and asked again`,
  );
  console.log(`kills ${verdict.kills}, identical ${verdict.identical}`);
  return verdict.problems.length === 0 && verdict.identical === verdict.kills;
}

async function inside(file: string, stage: string): Promise<boolean> {
  const run = [
    file,
    ...(profile === undefined ? [] : ["--profile", profile]),
    ...values.set.flatMap((set) => ["--set", set]),
  ];
  const verdict = await killStage(
    { run, stage, kills, seed, ...(store !== undefined && { store }) },
    console.log,
  );
  for (const problem of verdict.problems) console.log(problem);
  const same = verdict.problems.length === 0;
  console.log(
    `${verdict.kills} kills inside ${stage}, ${verdict.resumed} went on from inside: ${same ? `the same bytes, tree ${verdict.tree}` : "not the same"}`,
  );
  return same;
}
