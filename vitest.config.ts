import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{grammar,engine,tensor,stdlib,cli,bench,test}/**/*.test.ts"],
    reporters: ["default", "./scripts/count-reporter.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
