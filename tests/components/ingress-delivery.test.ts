/** Ingress controllers with charts of their own, as the engine sees them by either way of delivery. */
import { K3sCluster } from "../../components/k3s-cluster";
import { clusterSecrets } from "../../components/secrets";
import { createPlan } from "../../plan";
import { record, type Recording } from "../support/mocks";
import { specOf, type Settings } from "../support/stacks";

const NAMESPACE = "kubernetes:core/v1:Namespace";
const RELEASE = "kubernetes:helm.sh/v3:Release";
const COMMAND = "command:remote:Command";

async function build(settings: Settings): Promise<Recording<K3sCluster>> {
  const plan = createPlan(specOf(settings));
  return await record(() => new K3sCluster("k3s", { plan, secrets: clusterSecrets({ bgpPasswords: {} }) }));
}

test("through the API: the namespace, then the release, which gives way before another one has its place", async () => {
  const { get } = await build({ ingress: "haproxy" });
  expect(get(NAMESPACE, "k3s-ingress-namespace").inputs["metadata"]).toMatchObject({ name: "haproxy-controller" });
  const release = get(RELEASE, "k3s-ingress");
  expect(release.inputs).toMatchObject({
    name: "haproxy",
    namespace: "haproxy-controller",
    chart: "kubernetes-ingress",
    repositoryOpts: { repo: "https://haproxytech.github.io/helm-charts" },
  });
  expect(release.inputs).not.toHaveProperty("allowNullValues");
  expect(release.options.deleteBeforeReplace).toBe(true);
  expect(release.dependencies.some((one) => one.endsWith("k3s-ingress-namespace"))).toBe(true);
});

test("through the API: a null among the values reaches Helm", async () => {
  const { get } = await build({
    ingress: "traefik-chart",
    traefik: { values: { updateStrategy: { rollingUpdate: null } } },
  });
  expect(get(RELEASE, "k3s-ingress").inputs["allowNullValues"]).toBe(true);
});

test("through the folder: K3s's Helm controller installs it, under a name that is not that of its own Traefik", async () => {
  const { get } = await build({ ingress: "traefik-chart", delivery: "manifests" });
  const file = get(COMMAND, "k3s-manifest-ingress").inputs["stdin"];
  expect(file).toContain("kind: HelmChart\n");
  expect(file).toContain("name: traefik-ingress\n  namespace: kube-system\n");
  expect(file).toContain("targetNamespace: traefik\n");
});
