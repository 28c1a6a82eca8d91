import fc from "fast-check";
import { createDelivery, manifestFiles } from "../../plan/delivery";
import { namespaceSteps } from "../../plan/namespaces";
import { networkPolicySteps } from "../../plan/network-policy";
import type { ClusterStep, KubernetesObject } from "../../plan/types";
import type { ClusterSpec } from "../../spec/types";
import { existingSpecOf, specOf, type Settings } from "../support/stacks";

const deny = (over: Settings = {}): ClusterSpec => specOf({ networkPolicy: { defaultDeny: ["apps"] }, ...over });
const keys = (steps: readonly ClusterStep[]): string[] => steps.map(({ key }) => key);

function policies(spec: ClusterSpec): Record<string, KubernetesObject> {
  return Object.fromEntries(
    networkPolicySteps(spec).flatMap((step) => (step.kind === "object" ? [[step.key, step.object] as const] : [])),
  );
}

function policy(name: string, spec: Record<string, unknown>, namespace = "apps"): KubernetesObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace },
    spec: { podSelector: {}, ...spec },
  };
}

const DNS_PODS = {
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
  podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
};
const DNS_PORTS = [
  { protocol: "UDP", port: 53 },
  { protocol: "TCP", port: 53 },
];
const dnsPolicy = (...to: object[]): KubernetesObject =>
  policy("allow-dns", { policyTypes: ["Egress"], egress: [{ to, ports: DNS_PORTS }] });

describe("a namespace with default deny", () => {
  test("lets through DNS, itself and the ingress controller, and nothing else", () => {
    const spec = deny();
    expect(networkPolicySteps(spec)).toHaveLength(4);
    expect(policies(spec)).toEqual({
      "network-policy-apps-allow-dns": dnsPolicy(DNS_PODS),
      "network-policy-apps-allow-namespace": policy("allow-namespace", {
        policyTypes: ["Ingress", "Egress"],
        ingress: [{ from: [{ podSelector: {} }] }],
        egress: [{ to: [{ podSelector: {} }] }],
      }),
      "network-policy-apps-allow-ingress-controller": policy("allow-ingress-controller", {
        policyTypes: ["Ingress"],
        ingress: [
          {
            from: [
              {
                namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
                podSelector: { matchLabels: { "app.kubernetes.io/name": "traefik" } },
              },
            ],
          },
        ],
      }),
      "network-policy-apps-default-deny": policy("default-deny", { policyTypes: ["Ingress", "Egress"] }),
    });
  });

  test("is closed only after what is let through: nothing is cut off in between", () => {
    const steps = keys(networkPolicySteps(deny({ networkPolicy: { defaultDeny: ["web", "apps"] } })));
    expect(steps.filter((key) => key.endsWith("default-deny"))).toEqual([
      "network-policy-apps-default-deny",
      "network-policy-web-default-deny",
    ]);
    expect(steps.indexOf("network-policy-apps-default-deny")).toBe(3);
    expect(steps.at(-1)).toBe("network-policy-web-default-deny");
  });

  test("is closed to the ingress controller where the stack says so, or has none", () => {
    const closed = deny({ networkPolicy: { defaultDeny: ["apps"], allowIngress: false } });
    expect(keys(networkPolicySteps(closed))).not.toContain("network-policy-apps-allow-ingress-controller");
    expect(keys(networkPolicySteps(deny({ ingress: "none" })))).not.toContain(
      "network-policy-apps-allow-ingress-controller",
    );
  });

  test.each([
    ["nginx", "nginx-ingress", "nginx-ingress"],
    ["haproxy", "haproxy-controller", "kubernetes-ingress"],
  ])("names the pods of the controller that the stack has (%s)", (ingress, namespace, name) => {
    const { spec = {} } = policies(deny({ ingress }))["network-policy-apps-allow-ingress-controller"] ?? {};
    expect(spec["ingress"]).toEqual([
      {
        from: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
            podSelector: { matchLabels: { "app.kubernetes.io/name": name } },
          },
        ],
      },
    ]);
  });

  test("may ask each node's cache, which has addresses in the host's network and is a pod with Cilium", () => {
    const dns = { type: "coredns", nodeLocalCache: true };
    const addresses = ["169.254.20.10/32", "10.43.0.10/32"].map((cidr) => ({ ipBlock: { cidr } }));
    expect(policies(deny({ dns }))["network-policy-apps-allow-dns"]).toEqual(dnsPolicy(DNS_PODS, ...addresses));
    const cilium = deny({ dns, cni: { type: "cilium", replaceKubeProxy: true } });
    expect(policies(cilium)["network-policy-apps-allow-dns"]).toEqual(
      dnsPolicy(DNS_PODS, { ...DNS_PODS, podSelector: { matchLabels: { "k8s-app": "node-local-dns" } } }),
    );
  });

  test("may ask any pod where the DNS is the operator's own", () => {
    expect(policies(deny({ dns: "none" }))["network-policy-apps-allow-dns"]).toEqual(
      dnsPolicy({ namespaceSelector: {} }),
    );
  });

  test("in the mesh lets kubelet's probes in, which Istio sends from a link-local address", () => {
    const spec = deny({
      networkPolicy: { defaultDeny: ["apps", "web"] },
      serviceMesh: { type: "istio", namespaces: ["apps"] },
    });
    expect(policies(spec)["network-policy-apps-allow-mesh-probes"]).toEqual(
      policy("allow-mesh-probes", {
        policyTypes: ["Ingress"],
        ingress: [{ from: [{ ipBlock: { cidr: "169.254.7.127/32" } }] }],
      }),
    );
    expect(keys(networkPolicySteps(spec))).not.toContain("network-policy-web-allow-mesh-probes");
  });
});

describe("namespaces of workloads", () => {
  test("are made where they do not exist, labelled for the mesh, and kept when the setting goes", () => {
    const spec = specOf({
      networkPolicy: { defaultDeny: ["web", "apps"] },
      serviceMesh: { type: "istio", namespaces: ["shop", "apps"] },
    });
    const namespace = (name: string, labels?: Record<string, string>): ClusterStep => ({
      kind: "object",
      key: `namespace-${name}`,
      object: {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name, ...(labels === undefined ? {} : { labels }) },
        retain: true,
      },
    });
    const mesh = { "istio.io/dataplane-mode": "ambient" };
    expect(namespaceSteps(spec)).toEqual([namespace("apps", mesh), namespace("shop", mesh), namespace("web")]);
  });

  test("are there before their policies; `default` always is", () => {
    const spec = specOf({ networkPolicy: { defaultDeny: ["default", "apps"] } });
    const order = keys(createDelivery(spec).steps);
    expect(order.filter((key) => key.startsWith("namespace-"))).toEqual(["namespace-apps"]);
    expect(order.indexOf("namespace-apps")).toBeLessThan(order.indexOf("network-policy-apps-allow-dns"));
    expect(order).toContain("network-policy-default-default-deny");
  });

  test("stay in the cluster when their file goes; policies do not", () => {
    const files = manifestFiles(createDelivery(deny()).steps);
    const kept = files.filter((file) => file.kind === "text" && file.retain);
    expect(kept.map(({ name }) => name)).toEqual(["k3s-networking-namespace-apps.yaml"]);
    expect(kept.map(({ text }) => text).join("")).not.toContain("retain");
  });
});

describe("in any stack", () => {
  test("nothing is restricted that the stack does not name", () => {
    expect(networkPolicySteps(specOf())).toEqual([]);
    expect(namespaceSteps(existingSpecOf())).toEqual([]);
  });

  test("every namespace is closed by exactly one policy, may ask DNS, and is named by no policy of another", () => {
    const names = fc.uniqueArray(fc.constantFrom("apps", "a-b", "a", "b-default", "web"), { maxLength: 5 });
    fc.assert(
      fc.property(names, fc.boolean(), (defaultDeny, allowIngress) => {
        const steps = networkPolicySteps(specOf({ networkPolicy: { defaultDeny, allowIngress } }));
        expect(new Set(keys(steps)).size).toBe(steps.length);
        for (const name of defaultDeny) {
          const own = steps.flatMap((step) =>
            step.kind === "object" && step.object.metadata.namespace === name ? [step.object.metadata.name] : [],
          );
          expect(own).toEqual([
            "allow-dns",
            "allow-namespace",
            ...(allowIngress ? ["allow-ingress-controller"] : []),
            "default-deny",
          ]);
        }
      }),
      { numRuns: 30 },
    );
  });
});
