/** The program: load the stack, plan it, hold it against what is there, build the plan, export what operators need. */
import * as pulumi from "@pulumi/pulumi";
import { K3sCluster } from "./components/k3s-cluster";
import { lastOutput } from "./components/last-outputs";
import { runError } from "./components/run-error";
import { clusterSecrets } from "./components/secrets";
import { createPlan } from "./plan";
import { fixedChanges } from "./plan/fixed";
import { loadStack } from "./spec/load";
import { StackProblems, formatProblem, isError } from "./spec/problems";

async function load() {
  const { spec, secrets, warnings } = loadStack(pulumi.getStack(), pulumi.runtime.allConfig());
  const plan = createPlan(spec, warnings);
  const changes = fixedChanges(await lastOutput("fixed"), plan);
  const refused = changes.filter(isError);
  if (refused.length > 0) throw new StackProblems(plan.stack, refused);
  return { plan, secrets: clusterSecrets(secrets), warnings: [...plan.warnings, ...changes] };
}

export = async function program() {
  const { plan, secrets, warnings } = await load().catch((error: unknown) => {
    throw error instanceof StackProblems ? runError(error.message) : error;
  });
  for (const warning of warnings) void pulumi.log.warn(formatProblem(warning));
  // `apiUrl`: where operators reach the Kubernetes API. `kubeconfig`: the administrator's, shown by `pulumi stack output kubeconfig
  // --show-secrets`. `nodes`: addresses by node name.
  const { apiUrl, kubeconfig, nodes } = new K3sCluster("k3s", { plan, secrets });
  // `fixed`: what the next update must not change.
  return { apiUrl, kubeconfig, nodes, fixed: plan.fixed };
};
