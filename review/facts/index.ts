/** The facts of a review: what a plan says, as plain data for every format. Nothing is added that the plan does not hold. */
import { manifestFiles } from "../../plan/delivery";
import { describeFixed } from "../../plan/fixed";
import type { ClusterPlan } from "../../plan/types";
import { configurationFacts } from "./configuration";
import { flowFacts, mergedFlows, ruleFacts } from "./flows";
import { flowsOpenToWorld, matrixOf } from "./matrix";
import { enforcementWords } from "./network-hosts";
import { networkTables } from "./network";
import { peersOf } from "./peers";
import { summaryOf } from "./summary";
import { topologyOf } from "./topology";
import type { FixedFact, ReviewFacts } from "./types";

function fixedFacts({ fixed }: ClusterPlan): FixedFact[] {
  return Object.entries(fixed).map(([path, value]) => {
    const { refused, why, remedy } = describeFixed(path);
    return { path, value, why, remedy, change: refused ? "refused" : "migration" };
  });
}

/** What a review says of a plan. */
export function factsOf(plan: ClusterPlan): ReviewFacts {
  const merged = mergedFlows(plan);
  const peers = peersOf(plan);
  const cells = matrixOf(plan, peers, merged);
  const flows = flowFacts(plan, merged, flowsOpenToWorld(peers, cells));
  const { registries, flannelConfig } = plan.k3s;
  return {
    stack: plan.stack,
    summary: summaryOf(plan),
    enforcement:
      plan.target === "aws" ? "Kept by security groups, which drop everything else." : enforcementWords(plan),
    peers,
    flows,
    cells,
    rules: ruleFacts(plan, flows),
    network: networkTables(plan),
    topology: topologyOf(plan, peers, flows),
    configuration: configurationFacts(plan),
    ...(registries === undefined ? {} : { registries }),
    ...(flannelConfig === undefined ? {} : { flannelConfig }),
    objects: manifestFiles(plan.delivery.steps).map(({ key, name, text }) => ({ key, name, text })),
    components: plan.components,
    warnings: plan.warnings.map(({ code, path, message, remedy }) => ({ code, path, message, remedy })),
    fixed: fixedFacts(plan),
  };
}
