/** AWS quotas that depend on the whole plan: everyone else finds them when half of a stack is applied. */
import { GROUPS_PER_INTERFACE, RULES_PER_GROUP } from "../catalogue/quotas";
import type { Problem } from "../spec/problems";
import type { AwsNodePlan, RulePlan } from "./types";

function ruleProblems(rules: readonly RulePlan[]): Problem[] {
  const counts = new Map<string, number>();
  for (const { group, direction } of rules) {
    const key = `${group} (${direction})`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].flatMap(([key, count]): Problem[] =>
    count <= RULES_PER_GROUP
      ? []
      : [
          {
            code: "rules-per-group",
            path: "access",
            message: `security group ${key} would have ${count} rules; AWS allows ${RULES_PER_GROUP}`,
            remedy: "name fewer or wider networks under access.admin, access.clients and services, or fewer services",
          },
        ],
  );
}

function groupProblems(nodes: readonly Pick<AwsNodePlan, "pool" | "interfaces">[]): Problem[] {
  const worst = new Map<string, number>();
  for (const { pool, interfaces } of nodes) {
    for (const { groups } of interfaces) worst.set(pool, Math.max(worst.get(pool) ?? 0, groups.length));
  }
  return [...worst].flatMap(([pool, count]): Problem[] =>
    count <= GROUPS_PER_INTERFACE
      ? []
      : [
          {
            code: "groups-per-interface",
            path: "nodes",
            message: `an interface of pool ${pool} would have ${count} security groups; AWS allows ${GROUPS_PER_INTERFACE}`,
            remedy: "use layout segregated, or fewer ServiceLB pools",
          },
        ],
  );
}

/** What of a plan breaks a quota; each group and each pool once. */
export function checkQuotas(plan: {
  readonly rules: readonly RulePlan[];
  readonly nodes: readonly Pick<AwsNodePlan, "pool" | "interfaces">[];
}): Problem[] {
  return [...ruleProblems(plan.rules), ...groupProblems(plan.nodes)];
}
