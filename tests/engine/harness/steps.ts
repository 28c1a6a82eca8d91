/** A scenario's steps: tests that build on each other, in order. After one that failed the others are not tried, and count as failed. */
import path from "node:path";

let failed: string | undefined;

/** One step, with the time that it took on standard error. */
export function step(name: string, work: () => Promise<void>): void {
  test(name, async () => {
    if (failed !== undefined) throw new Error(`not tried, because this failed: ${failed}`);
    const started = Date.now();
    try {
      await work();
    } catch (error) {
      failed = name;
      throw error;
    } finally {
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      const scenario = path.basename(expect.getState().testPath ?? "", ".scenario.ts");
      process.stderr.write(`${failed === undefined ? "✓" : "✕"} ${scenario}: ${name} (${seconds} s)\n`);
    }
  });
}
