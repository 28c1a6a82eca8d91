/** Documents of the page from the committed stacks, as `npm run review` makes them. */
import { createPlan } from "../../plan/index";
import type { ClusterPlan } from "../../plan/types";
import { differenceOf } from "../../review/difference/index";
import type { Difference } from "../../review/difference/types";
import { factsOf } from "../../review/facts/index";
import type { ReviewFacts } from "../../review/facts/types";
import { planStack } from "../../review/preview";
import { readStackFile, stackByName, stackNames } from "../../review/stack-file";
import { flattenConfig, loadStack } from "../../spec/load";

/** A committed stack's plan. */
export function committedPlan(name: string): ClusterPlan {
  const source = stackByName(name);
  if ("code" in source) throw new Error(source.message);
  const planned = planStack(source);
  if ("problems" in planned) throw new Error(JSON.stringify(planned.problems));
  return planned.plan;
}

/** Facts of every committed stack. */
export function committedFacts(): readonly ReviewFacts[] {
  return stackNames().map((name) => factsOf(committedPlan(name)));
}

type Config = Readonly<Record<string, unknown>>;
const SETTING = "k3s-networking:";

/** The plan of a committed stack whose settings have been changed. */
export function changedPlan(name: string, change: (setting: (key: string) => unknown) => Config): ClusterPlan {
  const source = stackByName(name);
  if ("code" in source) throw new Error(source.message);
  const read = readStackFile(source);
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  const changes = change((key) => read.config[`${SETTING}${key}`]);
  const named = Object.entries(changes).map(([key, value]) => [`${SETTING}${key}`, value] as const);
  const { spec, warnings } = loadStack(name, flattenConfig({ ...read.config, ...Object.fromEntries(named) }));
  return createPlan(spec, warnings);
}

const list = (value: unknown): readonly Config[] => value as readonly Config[];
const mapping = (value: unknown): Config => value as Config;

/** The stack prod-segregated with so many nodes: three servers, the others half and half in its two pools of agents. */
export function largePlan(nodes: number): ClusterPlan {
  const half = Math.floor((nodes - 3) / 2);
  const counts = [3, half, nodes - 3 - half];
  return changedPlan("prod-segregated", (setting) => ({
    nodes: list(setting("nodes")).map((pool, index) => ({ ...pool, count: counts[index] })),
    k3s: { ...mapping(setting("k3s")), clusterCidr: "10.44.0.0/14" },
  }));
}

/** What a branch does that opens Kafka to clients, and changes flannel's backend. */
export function kafkaBranch(): Difference {
  const before = changedPlan("prod-segregated", (setting) => ({
    services: ["redis", "alertmanager", "kafka"],
    k3s: { ...mapping(setting("k3s")), flannelBackend: "vxlan" },
  }));
  const stack = "prod-segregated";
  return differenceOf(
    { plan: before, side: { stack, source: "at main, by the code of that time" } },
    { plan: committedPlan(stack), side: { stack, source: "as it stands" } },
  );
}

/** The difference of two committed stacks. */
export function committedDifference(before: string, after: string): Difference {
  return differenceOf(
    { plan: committedPlan(before), side: { stack: before, source: "as it stands" } },
    { plan: committedPlan(after), side: { stack: after, source: "as it stands" } },
  );
}
