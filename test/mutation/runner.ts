import { TestRunner, it } from "vitest";

type Import = Parameters<TestRunner["importFile"]>;

/**
 * Where a file of tests throws as it loads, it has no test, and Stryker sees none that fails. Here it has one.
 */
export default class FailsWhereLoadingFails extends TestRunner {
  override async importFile(...[path, source]: Import): Promise<unknown> {
    try {
      return await super.importFile(path, source);
    } catch (error) {
      if (source !== "collect") throw error;
      it("loads", () => {
        throw error;
      });
      return undefined;
    }
  }
}
