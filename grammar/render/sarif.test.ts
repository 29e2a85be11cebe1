// SARIF says the same as the frames: one result per problem, its rule, place, other end and fix.
import { expect, test } from "vitest";
import { check } from "../check.ts";
import { fixtures, readFixture } from "../fixtures.testing.ts";
import { testHost, testLibrary } from "../testing.ts";
import { toSarif } from "./sarif.ts";

test("a mismatch with both ends and a fix", () => {
  const { source } = readFixture(fixtures.AL0202);
  const log = toSarif(check(source, testLibrary, testHost).diagnostics, [source]);
  expect(log).toMatchObject({
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: { name: "align", rules: [{ id: "AL0202", defaultConfiguration: { level: "error" } }] },
        },
        results: [
          {
            ruleId: "AL0202",
            ruleIndex: 0,
            level: "error",
            locations: [
              {
                physicalLocation: {
                  artifactLocation: { uri: "demo.align" },
                  region: { startLine: 11, startColumn: 27 },
                },
              },
            ],
            relatedLocations: [{ id: 0, message: { text: "this is Dataset<Rated>" } }],
            fixes: [
              { artifactChanges: [{ replacements: [{ insertedContent: {} }, { insertedContent: {} }] }] },
            ],
          },
        ],
      },
    ],
  });
});

test("a value of the command line has no place in a file", () => {
  const { source, options } = readFixture(fixtures.AL0604);
  const log = toSarif(check(source, testLibrary, testHost, options).diagnostics, [source]);
  expect(log).toMatchObject({ runs: [{ results: [{ ruleId: "AL0604", locations: [] }] }] });
});
