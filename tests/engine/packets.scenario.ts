/**
 * Real packets against the host firewall of every committed stack of target `existing`, and of random ones: what passes is what the plan
 * says. `PACKETS_RUNS` is how many random stacks (3 without it), `PACKETS_SEED` which.
 */
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { parse } from "yaml";
import { createPlan } from "../../plan";
import type { ExistingClusterPlan } from "../../plan/types";
import { flattenConfig, loadStack } from "../../spec/load";
import { arbitraryExistingSpec, existingSpecOf, host, segregatedHost } from "../support/stacks";
import { ROOT } from "./harness/project";
import { total } from "./packets/hold";
import { backendSteps, randomSteps, stackSteps } from "./packets/steps";

const RUNS = Number(process.env["PACKETS_RUNS"] ?? 3);
const SEED = Number(process.env["PACKETS_SEED"] ?? 155);

/** The committed stacks whose hosts have the firewall. */
function committed(): { name: string; plan: ExistingClusterPlan }[] {
  return readdirSync(path.join(ROOT, "stacks")).flatMap((file) => {
    const name = /^Pulumi\.(.+)\.yaml$/u.exec(file)?.[1];
    if (name === undefined) return [];
    const { config } = parse(readFileSync(path.join(ROOT, "stacks", file), "utf8")) as {
      config: Record<string, unknown>;
    };
    const plan = createPlan(loadStack(name, flattenConfig(config)).spec);
    return plan.target === "existing" && plan.hostFirewall === "nftables" ? [{ name, plan }] : [];
  });
}

for (const { name, plan } of committed()) stackSteps(name, plan);

for (const [layout, flannelBackend, make] of [
  ["segregated", "host-gw", segregatedHost],
  ["shared", "wireguard-native", host],
] as const) {
  const nodes = [make("server", 1), make("agent", 1), make("agent", 2)];
  backendSteps(`${layout}, ${flannelBackend}`, createPlan(existingSpecOf({ layout, k3s: { flannelBackend }, nodes })));
}

fc.sample(arbitraryExistingSpec(), { seed: SEED, numRuns: RUNS }).forEach((spec, index) => {
  randomSteps(`random ${SEED}.${index + 1}`, createPlan({ ...spec, hostFirewall: "nftables" }));
});

afterAll(() => {
  process.stderr.write(`${total.tried} flows tried, ${total.mismatches} mismatches\n`);
});
