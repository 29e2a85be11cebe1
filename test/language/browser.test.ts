// The language runs in a browser: bundled without Node, headless Chromium gives the answers that Node gives.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { expect, test } from "vitest";
import { type Answers, answers } from "./answers.ts";

const usual = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];
const executablePath = process.env.ALIGN_CHROMIUM || usual.find((path) => existsSync(path));

const local = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const sound = readFileSync(local("../../grammar/fixtures/quickstart.align"), "utf8");
const files: readonly (readonly [string, string])[] = [
  ["quickstart.align", sound],
  [
    "damaged.align",
    sound.replace("tokenizer(", "tokeniser(").replace("cheer)", "cheer").replace("0.1", "“0.1”"),
  ],
];

/** One script for a page, with a global `language`. What only Node has cannot be resolved, and fails the build. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [local("./answers.ts")],
    bundle: true,
    platform: "browser",
    format: "iife",
    globalName: "language",
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]!.text;
}

test("the language is bundled for a browser without anything of Node", async () => {
  expect(await bundle()).not.toMatch(/require\("node:|from "node:/);
});

test("in Chromium every answer is that of Node, and the console stays silent", async ({ skip }) => {
  skip(!executablePath, "no Chromium was found: name one in ALIGN_CHROMIUM");
  const script = await bundle();
  const browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    const said: string[] = [];
    page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => said.push(String(error)));
    await page.setContent("<!doctype html><title>Align</title>");
    await page.addScriptTag({ content: script });
    for (const [path, text] of files) {
      const there = await page.evaluate(
        ([path, text]) => {
          const { language } = globalThis as unknown as { language: { answers: typeof answers } };
          return JSON.stringify(language.answers(path, text));
        },
        [path, text] as const,
      );
      const here = JSON.stringify(answers(path, text));
      expect(JSON.parse(there) as Answers, path).toEqual(JSON.parse(here));
      expect(there.length).toBeGreaterThan(10_000);
    }
    expect(said).toEqual([]);
  } finally {
    await browser.close();
  }
});
