import fc from "fast-check";
import { parse } from "yaml";
import { createPlan } from "../../plan";
import { ownedOption } from "../../spec/k3s-options";
import { arbitraryExistingSpec, arbitrarySpec, existingProblemsOf, problemsOf } from "../support/stacks";

test("every option that the program renders is refused among the further options", () => {
  const rendered = new Set<string>();
  fc.assert(
    fc.property(fc.oneof(arbitrarySpec(), arbitraryExistingSpec()), (spec) => {
      for (const node of createPlan(spec).nodes) {
        const text = node.config.map((piece) => (typeof piece === "string" ? piece : "0")).join("");
        Object.keys(parse(text) as object).forEach((key) => rendered.add(key));
      }
    }),
    { numRuns: 60 },
  );
  expect(rendered.size).toBeGreaterThan(15);
  expect([...rendered].filter((key) => ownedOption(key, "", "aws") === undefined)).toEqual([]);
  for (const key of rendered) {
    const k3s = { extraServerArgs: [`--${key}=x`], extraAgentArgs: [`--${key}`] };
    for (const found of [problemsOf({ k3s }), existingProblemsOf({ k3s })]) {
      expect(found.map(({ code }) => code)).toEqual(["owned-argument", "owned-argument"]);
      expect(found.map(({ remedy }) => remedy).join()).not.toContain("undefined");
    }
  }
});
