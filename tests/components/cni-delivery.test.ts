/** Calico and Cilium as the engine sees them, by either way of delivery: before all else, and with a wait between. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ExistingCluster } from "../../components/existing-cluster";
import { K3sCluster } from "../../components/k3s-cluster";
import { clusterSecrets } from "../../components/secrets";
import { createPlan } from "../../plan";
import { record, type Declared, type Recording } from "../support/mocks";
import { existingSpecOf, host, specOf, type Settings } from "../support/stacks";

const COMMAND = "command:remote:Command";
const NAMESPACE = "kubernetes:core/v1:Namespace";
const RELEASE = "kubernetes:helm.sh/v3:Release";
const NODES = {
  nodes: [
    { pool: "server", role: "server" },
    { pool: "agent", role: "agent" },
  ],
};
const script = (name: string): string => readFileSync(join(__dirname, "../../components/scripts", name), "utf8");

async function build(settings: Settings): Promise<Recording<K3sCluster>> {
  const plan = createPlan(specOf({ ...NODES, ...settings }));
  return await record(() => new K3sCluster("k3s", { plan, secrets: clusterSecrets({ bgpPasswords: {} }) }));
}

/** The steps by name, without what they belong to. */
const after = ({ dependencies }: Declared): string[] =>
  dependencies.filter((one) => !one.startsWith("pulumi:")).map((one) => one.replace(/^\S+ k3s-/, ""));

describe("through the API", () => {
  test("Calico: its releases are not waited for, then the nodes are, and then the rest comes", async () => {
    const { get } = await build({ cni: { type: "calico", wireguard: true } });
    const release = get(RELEASE, "k3s-calico");
    expect(release.inputs).toMatchObject({
      name: "calico",
      namespace: "tigera-operator",
      chart: "tigera-operator",
      skipAwait: true,
      timeout: 600,
      repositoryOpts: { repo: "https://docs.tigera.io/calico/charts" },
    });
    expect(get(RELEASE, "k3s-calico-crds").inputs).toMatchObject({ skipAwait: true });
    expect(after(release)).toContain("calico-crds");
    // It goes with the cluster.
    for (const made of [release, get(RELEASE, "k3s-calico-crds"), get(NAMESPACE, "k3s-calico-namespace")]) {
      expect(made.options.retainOnDelete).toBe(true);
    }
    const wait = get(COMMAND, "k3s-nodes-ready");
    expect([wait.inputs["create"], wait.inputs["delete"], wait.inputs["triggers"]]).toEqual([
      script("nodes-ready.sh"),
      undefined,
      undefined,
    ]);
    expect(wait.inputs["stdin"]).toBe("cni=Calico v3.32.1\nnode=server-1\nnode=agent-1\n");
    expect(wait.inputs["connection"]).toEqual(get(COMMAND, "k3s-server-1-install").inputs["connection"]);
    expect(after(wait)).toEqual(expect.arrayContaining(["calico", "server-1-install", "agent-1-install"]));
    const traefik = get("kubernetes:helm.cattle.io/v1:HelmChartConfig", "k3s-traefik-config");
    expect(after(traefik)).toContain("nodes-ready");
    expect(traefik.options.retainOnDelete).toBeUndefined();
  });

  test("other releases are waited for as before", async () => {
    const metallb = {
      type: "metallb",
      pools: [{ name: "p", addresses: ["10.231.0.0/24"] }],
      bgp: { peers: [{ name: "r", myAsn: 64512, peerAsn: 64513, peerAddress: "10.230.0.1" }] },
    };
    const { get } = await build({ cni: "cilium", loadBalancer: metallb });
    expect(get(RELEASE, "k3s-cilium").inputs).toMatchObject({ skipAwait: true });
    expect(get(RELEASE, "k3s-metallb").inputs).not.toHaveProperty("skipAwait");
  });

  test("the API's address for Calico's eBPF is filled in, in a ConfigMap of its own kind", async () => {
    const { get } = await build({ cni: { type: "calico", replaceKubeProxy: true } });
    const map = get("kubernetes:core/v1:ConfigMap", "k3s-calico-api");
    expect(map.inputs["data"]).toEqual({
      KUBERNETES_SERVICE_HOST: "k3s-server-1-shared.privateIp",
      KUBERNETES_SERVICE_PORT: "6443",
    });
    expect(map.inputs["metadata"]).toEqual({ name: "kubernetes-services-endpoint", namespace: "tigera-operator" });
  });
});

describe("through K3s's folder", () => {
  const manifests = (settings: Settings): Promise<Recording<K3sCluster>> =>
    build({ delivery: "manifests", ...settings });

  test("the CNI's files first; what comes after the wait is placed after it, and goes before the CNI does", async () => {
    const { get, names } = await manifests({ cni: { type: "calico", replaceKubeProxy: true } });
    const own = ["calico-namespace", "calico-api", "calico-crds", "calico"];
    expect(names(COMMAND).filter((name) => /^k3s-manifest-.*(?<!-removal)$/.test(name))).toEqual([
      ...own.map((name) => `k3s-manifest-${name}`),
      "k3s-manifest-nodes-ready",
      "k3s-manifest-traefik-config",
    ]);
    for (const name of own) {
      for (const file of [name, `${name}-removal`]) {
        const before = after(get(COMMAND, `k3s-manifest-${file}`));
        expect(before).toContain("server-1-install");
        expect(before.filter((one) => one.includes("manifest") || one.includes("agent"))).toEqual([]);
      }
    }
    for (const name of own) {
      expect(get(COMMAND, `k3s-manifest-${name}-removal`).inputs["stdin"]).toMatch(/^path=\S+\nretain=true\n\n/);
    }
    expect(get(COMMAND, "k3s-manifest-traefik-config-removal").inputs["stdin"]).toMatch(/^path=\S+\n\n/);
    const wait = get(COMMAND, "k3s-manifest-nodes-ready");
    expect(after(wait)).toEqual(
      expect.arrayContaining([
        "agent-1-install",
        "server-1-install",
        ...own.flatMap((name) => [`manifest-${name}`, `manifest-${name}-removal`]),
      ]),
    );
    for (const file of ["traefik-config", "traefik-config-removal"]) {
      expect(after(get(COMMAND, `k3s-manifest-${file}`))).toContain("manifest-nodes-ready");
    }
  });

  test("an address that is known after creation stands in the file, and by its name in what removes it", async () => {
    const { get } = await manifests({ cni: { type: "calico", replaceKubeProxy: true } });
    expect(get(COMMAND, "k3s-manifest-calico-api").inputs["stdin"]).toContain(
      "KUBERNETES_SERVICE_HOST: k3s-server-1-shared.privateIp\n",
    );
    expect(get(COMMAND, "k3s-manifest-calico-api-removal").inputs["stdin"]).toContain(
      "KUBERNETES_SERVICE_HOST: ${server-1:shared:private}\n",
    );
  });

  test("with flannel nothing waits for nodes", async () => {
    const { names } = await manifests({});
    expect(names(COMMAND).filter((name) => name.includes("nodes-ready"))).toEqual([]);
  });
});

test("hosts that are there already: the same, on the first server", async () => {
  const plan = createPlan(
    existingSpecOf({
      cni: "cilium",
      hostFirewall: "none",
      nodes: [host("server", 1), host("agent", 2)],
    }),
  );
  const { get } = await record(
    () => new ExistingCluster("k3s", { plan, secrets: clusterSecrets({ bgpPasswords: {} }) }),
  );
  const wait = get(COMMAND, "k3s-nodes-ready");
  expect(wait.inputs["stdin"]).toBe("cni=Cilium 1.20.0\nnode=server-1\nnode=agent-2\n");
  expect(wait.inputs["connection"]).toEqual(get(COMMAND, "k3s-server-1-install").inputs["connection"]);
});
