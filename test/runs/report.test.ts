// The report of a run as a browser shows it: nothing asked of the network, nothing said in the console, every plot drawn.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Workspace, workspace } from "../align.ts";
import { corpus, words } from "./make-corpus.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => existsSync(path),
);

let space: Workspace;
let browser: Browser | undefined;

beforeAll(async () => {
  space = await workspace("test/runs");
  await space.write("corpus.txt", corpus(400, 3));
  await space.write("words.json", JSON.stringify(words));
  const run = await space.align("run", "tiny.align");
  expect(run.status, run.stderr).toBe(0);
  const report = await space.align("report", "tiny.align", "-o", "report.html");
  expect(report, report.stderr).toMatchObject({ status: 0, stdout: "report.html" });
  if (executablePath) browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
});
afterAll(async () => {
  await browser?.close();
  await space.remove();
});

test("the page has every stage with its curves, metrics, rows, parameters and lineage", async () => {
  const html = await space.read("report.html");
  for (const text of [
    "holds",
    "result.kl &gt;= 0",
    "chosen_reward",
    "first_loss",
    ", param beta",
    "sha256:",
    "words.json",
  ])
    expect(html, text).toContain(text);
  expect(html.match(/<article /g)).toHaveLength(16);
  expect(html).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
});

test.skipIf(!executablePath).each([
  [1280, "light"],
  [1280, "dark"],
  [390, "light"],
  [390, "dark"],
] as const)("at %i pixels in %s a browser shows all of it", async (width, colorScheme) => {
  const page = await browser!.newPage({ viewport: { width, height: 900 }, colorScheme });
  const said: string[] = [];
  const asked: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(error.message));
  page.on("request", (request) => asked.push(new URL(request.url()).protocol));
  await page.goto(pathToFileURL(join(space.dir, "report.html")).href);
  expect(said).toEqual([]);
  expect(asked.filter((protocol) => protocol !== "data:")).toEqual(["file:"]);
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);

  // loss, learning_rate and grad_norm of three stages; dpo's accuracy, margin, reward, logprob and forward_kl: 9 + 5.
  const plots = page.locator("svg.plot");
  expect(await plots.count()).toBe(14);
  for (const plot of await plots.all()) {
    const lines = plot.locator("path.line");
    for (const line of await lines.all()) {
      const box = (await line.boundingBox())!;
      expect(box.width).toBeGreaterThan(5);
    }
    const tick = (await plot.locator("text.tick").first().boundingBox())!;
    expect(tick.height).toBeGreaterThan(9); // can be read
  }
  const ground = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
  expect(ground).toBe(colorScheme === "dark" ? "rgb(20, 23, 28)" : "rgb(255, 255, 255)");
  await page.close();
});

test("show says the same of one stage, as text and as JSON", async () => {
  const text = await space.align("show", "tiny.align", "aligned");
  expect(text.stdout).toMatch(
    /aligned {2}dpo {2}made in .*\n[\s\S]*first_loss +0\.6931 {2}loss at step 0; ln 2/,
  );
  expect(text.stdout).toMatch(/beta: 0\.1 {2}line \d+, param beta/);
  expect(text.stdout).toMatch(/model: writer {2}sha256:[0-9a-f]{12}/);
  const json = JSON.parse((await space.align("show", "tiny.align", "pairs", "--json")).stdout);
  expect(json).toMatchObject({ node: "pairs", ops: ["binarize"], state: "cached", files: [] });
  expect(Object.keys(json.samples[0])).toEqual(expect.arrayContaining(["prompt", "chosen", "rejected"]));
  const none = await space.align("show", "tiny.align", "aligne");
  expect(none).toMatchObject({ status: 2 });
  expect(none.stderr).toContain("did you mean aligned?");
});

test("before the first run there is nothing to report, and it says what to do", async () => {
  const { status, stderr } = await space.align("report", "tiny.align", "--store", join(space.dir, "empty"));
  expect(status).toBe(2);
  expect(stderr).toContain("tiny has not been run with this store");
  expect(stderr).toContain("align run tiny.align");
});
