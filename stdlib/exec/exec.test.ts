import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { check, type Host, render, rows } from "../../grammar/index.ts";
import { library } from "../index.ts";
import { datasetOf, rowsIn, runWith, temporaryFolder } from "../testing.ts";
import { environmentOf, filled, placeholdersIn } from "./command.ts";
import { exec } from "./index.ts";

const printed: string[] = [];
beforeEach(() => {
  printed.length = 0;
  vi.spyOn(console, "log").mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(console, "error").mockImplementation((line: string) => void printed.push(line));
});
afterEach(() => vi.restoreAllMocks());

/** A script in a folder of its own: `argv` are its arguments. */
async function script(body: string): Promise<string> {
  const dir = await temporaryFolder();
  await writeFile(
    join(dir, "script.mjs"),
    `import { readFileSync, writeFileSync } from "node:fs";\nconst argv = process.argv.slice(2);\n${body}`,
  );
  return dir;
}

const shout = `
const rows = readFileSync(argv[0], "utf8").trim().split("\\n").map((line) => JSON.parse(line));
writeFileSync(argv[1], rows.map(({ text }) => JSON.stringify({ prompt: text + argv[2] })).join("\\n"));
`;

test("a command reads the rows of a dataset and writes rows of the declared type", async () => {
  const dir = await script(shout);
  const made = await runWith(
    exec,
    { run: "node script.mjs {words} {out} {mark}", output: "Prompt", mark: "!" },
    { dir, inputs: { words: await datasetOf([{ text: "yes" }, { text: "no" }]) } },
  );
  expect(await rowsIn(made.dir)).toEqual([{ prompt: "yes!" }, { prompt: "no!" }]);
  expect(made.metrics).toEqual({ rows: 2 });
});

test("rows that are not what was declared are refused by number", async () => {
  const dir = await script(shout);
  const inputs = { words: await datasetOf([{ text: "yes" }]) };
  const run = "node script.mjs {words} {out} !";
  await expect(runWith(exec, { run, output: "Preference" }, { dir, inputs })).rejects.toMatchObject({
    code: "wrong-row",
    message: "row 1 of the output has no column chosen",
  });
});

test("a model that is none, an empty output and an empty folder are refused", async () => {
  const dir = await temporaryFolder();
  const failure = (run: string, output: string) =>
    runWith(exec, { run, output }, { dir }).then(
      () => "it went well",
      (error: { message: string }) => error.message,
    );
  expect(await failure("echo 1 > {out}/notes.txt", "Model")).toMatch(/config\.json/);
  expect(await failure(": > {out}", "Rows")).toBe("the command left {out} empty");
  expect(await failure("true {out}", "Rows")).toBe("the command wrote nothing to {out}");
  expect(await failure("true {out}", "Files")).toBe("the command left {out} empty");
});

test("metrics are numbers under the names that were promised", async () => {
  const dir = await temporaryFolder();
  const measure = (json: string) =>
    runWith(exec, { run: `echo '${json}' > {out}`, output: "Metrics", metrics: ["accuracy"] }, { dir });
  expect((await measure('{{"accuracy": 0.75, "n": 4}}')).metrics).toEqual({ accuracy: 0.75, n: 4 });
  await expect(measure('{{"acuracy": 0.75}}')).rejects.toThrow("accuracy is missing");
  await expect(measure('{{"accuracy": "high"}}')).rejects.toThrow('accuracy is "high", not a number');
});

test("a failure says how it ended and how to do it by hand; what was printed is in the log", async () => {
  const dir = await script('console.log("reading"); console.error("no such column"); process.exit(3);');
  await expect(
    runWith(exec, { run: "node script.mjs {out}", output: "Rows" }, { dir }),
  ).rejects.toMatchObject({
    code: "command-failed",
    message: "the command exited with status 3",
    help: `by hand: cd ${dir} && node script.mjs ./out`,
  });
  expect(printed).toEqual(["reading", "no such column"]);
});

test("a command that takes too long is ended", async () => {
  const dir = await temporaryFolder();
  await expect(
    runWith(exec, { run: "exec sleep 30 # {out}", output: "Rows", timeout: 200 }, { dir }),
  ).rejects.toMatchObject({ message: "the command was ended after 0.2 s (timeout)" });
});

test("the environment is what is allowed: chance and place are fixed, other variables are not there", () => {
  const machine = { PATH: "/bin", HOME: "/home/me", TZ: "Asia/Tokyo", OTHER: "x", GPU: "1", TOKEN: "s3cret" };
  expect(environmentOf({ set_env: { SEED: 7 }, pass_env: ["GPU"], secrets: ["TOKEN"] }, machine)).toEqual({
    PATH: "/bin",
    HOME: "/home/me",
    GPU: "1",
    TOKEN: "s3cret",
    TZ: "UTC",
    PYTHONHASHSEED: "0",
    PYTHONUNBUFFERED: "1",
    SEED: "7",
  });
});

test("a secret reaches the command and is blotted out of what it prints; a missing one stops before it starts", async () => {
  vi.stubEnv("EXEC_TOKEN", "hunter2");
  const dir = await temporaryFolder();
  const run = 'echo "token $EXEC_TOKEN"; test "$EXEC_TOKEN" = hunter2; echo \'{{"ok": 1}}\' > {out}';
  const { metrics } = await runWith(exec, { run, output: "Metrics", secrets: ["EXEC_TOKEN"] }, { dir });
  expect(metrics).toEqual({ ok: 1 });
  expect(printed).toEqual(["token •••"]);
  vi.unstubAllEnvs();
  await expect(
    runWith(exec, { run, output: "Metrics", secrets: ["EXEC_TOKEN"] }, { dir }),
  ).rejects.toMatchObject({ code: "secret-missing" });
});

test("placeholders: names in braces, doubled braces for braces, shell variables left alone, odd paths in quotes", () => {
  expect(placeholdersIn("a {rows} \x24{HOME} {{x}} {out} {rows}")).toEqual(["rows", "out"]);
  const values = { rows: ["/a b/rows.jsonl", "/c"], out: "/it's", n: 3 };
  expect(filled("x {rows} {out} \x24{HOME} {{n}} {n}", values)).toBe(
    "x '/a b/rows.jsonl' /c '/it'\\''s' \x24{HOME} {n} 3",
  );
});

const host: Host = {
  resolve: (path) => ({ files: [`/${path}`] }),
  peek: () => ({ columns: rows.Text.columns }),
};

function problems(stage: string): string {
  const text = `pipeline p\nparam mark: string = "!"\ndataset words = jsonl("w.jsonl")\n${stage}`;
  const source = { path: "p.align", text };
  return render(check(source, library, host).diagnostics, [source], { color: false });
}

test("inputs are named as they are called, values too, and the output has the declared type", () => {
  expect(
    problems(`
stage asked = exec(words, mark) { run: "sh ask.sh {words} {mark} {out}", output: Prompt }
stage model = exec(train: asked, rate: 1e-3) { run: "train {train} {rate} {out}", output: Model }
stage said  = generate(model, asked)
stage score = exec(few: said |> take(3), all: [words, said]) { run: "score {few} {all} {out}", output: Metrics, metrics: ["accuracy"] }
expect score.accuracy > 0.5
`),
  ).toBe("");
});

test.each([
  ['exec(words) { run: "x {word} {out}", output: Prompt }', "`run` reads {word}, which is neither"],
  ['exec(words) { run: "x {words}", output: Prompt }', "`run` does not say where the output goes"],
  ['exec(words) { run: "x {out}", output: Prompt }', "`run` does not read the input words"],
  ['exec(words |> take(3)) { run: "x {out}", output: Prompt }', "takes"],
  ['exec() { run: "x {out}", output: Promt }', "Promt"],
  ['exec() { run: "x {out}", output: Rows, timout: 5m }', "did you mean `timeout`?"],
  ['exec() { run: "x {out}", output: Rows, metrics: ["a"] }', "has no effect with output: Rows"],
  ["exec() { output: Rows }", "run"],
])("%s is a mistake that the checker finds", (call, said) => {
  expect(problems(`stage s = ${call}`)).toContain(said);
});
