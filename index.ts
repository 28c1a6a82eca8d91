/** The program: load the stack, plan it, build the plan, export what operators need. */
import * as pulumi from "@pulumi/pulumi";
import { K3sCluster } from "./components/k3s-cluster";
import { clusterSecrets } from "./components/secrets";
import { createPlan } from "./plan";
import { loadStack } from "./spec/load";
import { StackProblems, formatProblem } from "./spec/problems";

function load() {
  try {
    const { spec, secrets, warnings } = loadStack(pulumi.getStack(), pulumi.runtime.allConfig());
    return { plan: createPlan(spec, warnings), secrets: clusterSecrets(secrets) };
  } catch (error) {
    // A user's mistake, not a crash: shown without a stack trace.
    throw error instanceof StackProblems ? new pulumi.RunError(error.message) : error;
  }
}

const { plan, secrets } = load();
for (const warning of plan.warnings) void pulumi.log.warn(formatProblem(warning));

const cluster = new K3sCluster("k3s", { plan, secrets });

/** Where operators reach the Kubernetes API. */
export const apiUrl = cluster.apiUrl;
/** The administrator's kubeconfig: `pulumi stack output kubeconfig --show-secrets`. */
export const kubeconfig = cluster.kubeconfig;
/** Addresses by node name. */
export const nodes = cluster.nodes;
