#!/usr/bin/env node
import { existsSync } from "node:fs";

const bundle = new URL("../dist/align.js", import.meta.url);
if (existsSync(bundle)) {
  await import(bundle.href);
} else {
  console.error("align is not built yet. Run: npm run build");
  process.exitCode = 2;
}
