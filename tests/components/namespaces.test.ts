/** Namespaces of workloads: the program makes and labels them, and leaves them when their setting goes. */
import { K3sCluster } from "../../components/k3s-cluster";
import { clusterSecrets } from "../../components/secrets";
import { createPlan } from "../../plan";
import { record, type Recording } from "../support/mocks";
import { specOf, type Settings } from "../support/stacks";

const SETTINGS: Settings = {
  networkPolicy: { defaultDeny: ["apps"] },
  serviceMesh: { type: "istio", namespaces: ["apps"] },
};

async function build(settings: Settings): Promise<Recording<K3sCluster>> {
  const plan = createPlan(specOf({ ...SETTINGS, ...settings }));
  return await record(() => new K3sCluster("k3s", { plan, secrets: clusterSecrets({ bgpPasswords: {} }) }));
}

test("by the API as a patch, which makes what is missing, takes what is there, and never deletes it", async () => {
  const { get, names } = await build({});
  expect(get("kubernetes:core/v1:NamespacePatch", "k3s-namespace-apps").inputs).toEqual({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "apps", labels: { "istio.io/dataplane-mode": "ambient" } },
  });
  // The components' own come and go with them.
  expect(names("kubernetes:core/v1:Namespace")).toEqual(["k3s-istio-namespace"]);
  const denied = get("kubernetes:networking.k8s.io/v1:NetworkPolicy", "k3s-network-policy-apps-default-deny");
  expect(denied.inputs["spec"]).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
});

test("by the auto-deploy folder with a word to their removal that they stay; policies go", async () => {
  const { get } = await build({ delivery: "manifests" });
  const removal = (key: string): unknown =>
    get("command:remote:Command", `k3s-manifest-${key}-removal`).inputs["stdin"];
  expect(removal("namespace-apps")).toMatch(/^path=\S+\/k3s-networking-namespace-apps\.yaml\nretain=true\n\n/);
  expect(removal("network-policy-apps-default-deny")).not.toContain("retain");
  expect(removal("istio-namespace")).not.toContain("retain");
});
