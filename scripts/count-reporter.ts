// Ends a vitest run with why tests were skipped that say so, what failed, and the one line that CI reads: `N passed, N failed`.
import type { Reporter, TestModule } from "vitest/node";

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    let passed = 0;
    let failed = 0;
    let skipped = 0;
    const reasons = new Map<string, number>();
    const failures: string[] = [];
    for (const module of modules) {
      for (const error of module.errors()) failures.push(`${module.relativeModuleId}: ${error.message}`);
      if (module.errors().length > 0) failed++; // a file that could not be loaded
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") passed++;
        else if (result.state === "failed") {
          failed++;
          const why = result.errors[0]?.message.split("\n")[0] ?? "";
          failures.push(`${module.relativeModuleId} > ${test.fullName}: ${why}`);
        } else {
          skipped++;
          if (result.state === "skipped" && result.note)
            reasons.set(result.note, (reasons.get(result.note) ?? 0) + 1);
        }
      }
    }
    const why = [...reasons].map(([note, count]) => `skipped ${count}: ${note}`);
    const tail = skipped > 0 ? `, ${skipped} skipped` : "";
    // After the default reporter's own summary; the failures last, where the end of a long log still shows them.
    process.on("exit", () =>
      console.log(
        [
          ...why,
          ...failures.map((line) => `failed: ${line}`),
          `${passed} passed, ${failed} failed${tail}`,
        ].join("\n"),
      ),
    );
  }
}
