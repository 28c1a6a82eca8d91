/** Closed world, on the committed stacks and on random ones. The documents stand in `support/documented.ts`, by hand. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "yaml";
import { flattenConfig, loadStack } from "../../spec/load";
import type { ClusterSpec } from "../../spec/types";
import { differences, egressDifferences } from "../support/closed-world";
import { arbitraryExistingSpec, arbitrarySpec } from "../support/stacks";

const STACKS = join(__dirname, "../../stacks");

describe("committed stacks", () => {
  const names = readdirSync(STACKS).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
  test("there are some", () => {
    expect(names.length).toBeGreaterThanOrEqual(5);
  });
  test.each(names)("%s lets through what the documents say, no more and no less", (name) => {
    const file = parse(readFileSync(join(STACKS, `Pulumi.${name}.yaml`), "utf8")) as {
      config: Record<string, unknown>;
    };
    const { spec } = loadStack(name, flattenConfig(file.config));
    expect(differences(spec)).toEqual([]);
    expect(egressDifferences(spec)).toEqual([]);
  });
});

test.each<[string, fc.Arbitrary<ClusterSpec>, number]>([
  ["aws", arbitrarySpec(), 100],
  ["existing", arbitraryExistingSpec(), 60],
])(
  "random stacks of target %s let through what the documents say, no more and no less",
  (_target, arbitrary, numRuns) => {
    fc.assert(
      fc.property(arbitrary, (spec) => {
        expect(differences(spec)).toEqual([]);
        expect(egressDifferences(spec)).toEqual([]);
      }),
      { numRuns, interruptAfterTimeLimit: 90_000, markInterruptAsFailure: false },
    );
  },
  120_000,
);
