// What recomputation is for: the peak of memory, measured in processes of their own.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Builder } from "../ir/builder.ts";
import { layerCuts } from "./recompute.ts";

const child = fileURLToPath(new URL("peak-child.ts", import.meta.url));
const measure = (arm: string) =>
  JSON.parse(execFileSync(process.execPath, ["--import", "tsx", child, arm], { encoding: "utf8" })) as {
    losses: number[];
    mib: number;
    seconds: number;
  };

test("twelve layers computed twice need less than half the memory, for the same losses", () => {
  const [plain, twice] = [measure("plain"), measure("recompute")];
  console.log(
    `peak above the idle process: ${plain.mib.toFixed(0)} MiB, with recomputation ${twice.mib.toFixed(0)} MiB; ` +
      `${(twice.seconds / plain.seconds).toFixed(2)} times the time`,
  );
  expect(twice.losses).toEqual(plain.losses);
  expect(twice.mib).toBeLessThan(plain.mib / 2);
});

test("cuts are where each layer first reads a weight, and where the layers end", () => {
  const b = new Builder();
  const names = [
    "embed.weight",
    "layers.0.a.weight",
    "layers.0.b.weight",
    "layers.1.a.weight",
    "norm.weight",
  ];
  let x = b.input("b/x", [2]);
  const ids = names.map((name) => {
    x = b.mul(x, b.input(`p/${name}`, [2]));
    return x.node.id;
  });
  expect(layerCuts(b.sum(x))).toEqual([ids[1], ids[3], ids[4]]);
});
