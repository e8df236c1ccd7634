import type { Reporter, SerializedError, TestModule, TestRunEndReason } from "vitest/node";

/**
 * Ends a run with one plain line that any CI can read: `N passed, N failed, N skipped`. Failed is each test, each file
 * that does not load, each hook of a file or a `describe`, and each error that nobody caught; and a run that executed no
 * test, which has shown nothing.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      // What a file or a describe has as its own: that it does not load, and its beforeAll and afterAll.
      count.failed += module.errors().length;
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        count[state === "pending" ? "skipped" : state] += 1;
      }
    }
    const isEmpty = count.passed + count.failed === 0;
    // However vitest came to its verdict, the line does not say less.
    if (isEmpty || (reason !== "passed" && count.failed === 0)) count.failed += 1;
    // vitest takes a run in which all is skipped for a good one.
    if (isEmpty) process.exitCode = 1;
    process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
  }
}
