// `npm run test:kill -- --kills N --seed S`: prints each kill and, last, `kills N, identical N`.
import { parseArgs } from "node:util";
import { killTest } from "./kill.ts";

const { values } = parseArgs({
  options: { kills: { type: "string", default: "100" }, seed: { type: "string", default: "1" } },
});
const verdict = await killTest({ kills: Number(values.kills), seed: Number(values.seed) }, (kill) => {
  console.log(`kill ${kill.number} after ${kill.afterSeconds.toFixed(2)} s, during ${kill.during}`);
});
for (const problem of verdict.problems) console.log(problem);
console.log(
  `${verdict.resumedInside} stages went on from inside; ${verdict.cutOff} questions were cut off and asked again`,
);
console.log(`kills ${verdict.kills}, identical ${verdict.identical}`);
process.exitCode = verdict.problems.length === 0 && verdict.identical === verdict.kills ? 0 : 1;
