// Ends a vitest run with why tests were skipped that say so, and the one line that CI reads: `N passed, N failed`.
import type { Reporter, TestModule } from "vitest/node";

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    let passed = 0;
    let failed = 0;
    let skipped = 0;
    const reasons: string[] = [];
    for (const module of modules) {
      if (module.errors().length > 0) failed++; // a file that could not be loaded
      for (const test of module.children.allTests()) {
        const result = test.result();
        const { state } = result;
        if (result.state === "skipped" && result.note)
          reasons.push(`skipped: ${test.fullName}: ${result.note}`);
        if (state === "passed") passed++;
        else if (state === "failed") failed++;
        else skipped++;
      }
    }
    const tail = skipped > 0 ? `, ${skipped} skipped` : "";
    // After the default reporter's own summary.
    process.on("exit", () =>
      console.log([...reasons, `${passed} passed, ${failed} failed${tail}`].join("\n")),
    );
  }
}
