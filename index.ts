/** The program: load the stack, plan it, hold it against what is there, build the plan, export what operators need. */
import * as pulumi from "@pulumi/pulumi";
import { wrongArtefacts } from "./components/artefacts";
import { ExistingCluster } from "./components/existing-cluster";
import { K3sCluster } from "./components/k3s-cluster";
import { lastOutput } from "./components/last-outputs";
import { runError } from "./components/run-error";
import { clusterSecrets } from "./components/secrets";
import { createPlan } from "./plan";
import { fixedChanges } from "./plan/fixed";
import { artefactMismatch, artefactMissing } from "./spec/artefacts";
import { loadStack } from "./spec/load";
import { StackProblems, formatProblem, isError } from "./spec/problems";

async function load() {
  const { spec, secrets, warnings } = loadStack(pulumi.getStack(), pulumi.runtime.allConfig());
  const plan = createPlan(spec, warnings);
  const changes = fixedChanges(await lastOutput("fixed"), plan);
  const artefacts = (await wrongArtefacts(plan)).map(({ at, file, said, found }) =>
    "reason" in found ? artefactMissing(at, file, found.reason) : artefactMismatch(at, file, said, found.sha256),
  );
  const refused = [...changes.filter(isError), ...artefacts];
  if (refused.length > 0) throw new StackProblems(plan.stack, refused);
  return { plan, secrets: clusterSecrets(secrets), warnings: [...plan.warnings, ...changes] };
}

export = async function program() {
  const { plan, secrets, warnings } = await load().catch((error: unknown) => {
    throw error instanceof StackProblems ? runError(error.message) : error;
  });
  for (const warning of warnings) void pulumi.log.warn(formatProblem(warning));
  // `apiUrl`: where operators reach the Kubernetes API. `kubeconfig`: the administrator's, shown by `pulumi stack output kubeconfig
  // --show-secrets`. `nodes`: addresses by node name. `ingressUrl`: where clients reach the ingress, through the stack's load balancer.
  const { apiUrl, kubeconfig, nodes, ingressUrl } =
    plan.target === "aws" ? new K3sCluster("k3s", { plan, secrets }) : new ExistingCluster("k3s", { plan, secrets });
  // `fixed`: what the next update must not change.
  return { apiUrl, kubeconfig, nodes, ...(ingressUrl === undefined ? {} : { ingressUrl }), fixed: plan.fixed };
};
