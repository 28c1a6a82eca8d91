/** The committed stacks of hosts that are there already, with a host firewall of the test's choice. */
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { createPlan } from "../../../plan";
import type { ExistingClusterPlan } from "../../../plan/types";
import { flattenConfig, loadStack } from "../../../spec/load";
import type { StackConfig } from "../../support/stacks";

const FOLDER = path.join(__dirname, "../../../stacks");

/** Plans by stack name. */
export function committedPlans(
  hostFirewall: "nftables" | "firewalld",
  over: StackConfig = {},
): Map<string, ExistingClusterPlan> {
  const files = readdirSync(FOLDER).filter((name) => /^Pulumi\..*\.yaml$/u.test(name));
  const plans = files.map((file): [string, ExistingClusterPlan | undefined] => {
    const { config } = parse(readFileSync(path.join(FOLDER, file), "utf8")) as { config: StackConfig };
    const name = file.slice("Pulumi.".length, -".yaml".length);
    if (config["k3s-networking:target"] !== "existing") return [name, undefined];
    const changed = { ...config, "k3s-networking:hostFirewall": hostFirewall, ...over };
    const { spec } = loadStack(name, flattenConfig(changed));
    return [name, spec.target === "existing" ? createPlan(spec) : undefined];
  });
  return new Map(plans.flatMap(([name, plan]) => (plan === undefined ? [] : [[name, plan] as const])));
}
