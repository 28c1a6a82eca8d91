/**
 * Network policies that the program brings: namespaces in which nothing is reached, and nothing reaches out, but for DNS, what runs in
 * the namespace itself, and the ingress controller. Who enforces them is the CNI's matter (K3s's own controller with flannel).
 *
 * A node's own traffic to its pods (kubelet's probes) passes with kube-router, Calico and Cilium whatever policies say. Istio's ambient
 * mode sends probes from a link-local address instead, which they do not know: it is let in where a namespace is in the mesh.
 */
import { hostNetwork } from "../catalogue/cidr";
import { INGRESS_PODS } from "../catalogue/ingress-pods";
import { DNS_PORT } from "../catalogue/ports/in-cluster";
import type { ClusterSpec } from "../spec/types";
import { DNS_LABELS, DNS_NAMESPACE } from "./dns";
import { meshNamespaces } from "./namespaces";
import { NODE_LOCAL_DNS_LABELS, isRedirected, nodeLocalDnsAddresses } from "./node-local-dns";
import type { ClusterStep, KubernetesObject } from "./types";

/** The label that Kubernetes gives every namespace: its own name. */
const NAMESPACE_NAME = "kubernetes.io/metadata.name";
/** Addresses that kubelet's probes have in Istio's ambient mode (Istio, "Ambient and Kubernetes NetworkPolicy"), by family. */
const PROBES = { ipv4: "169.254.7.127", ipv6: "fd16:9254:7127:1337:ffff:ffff:ffff:ffff" } as const;

type PolicySpec = Readonly<Record<string, unknown>>;

/** The steps, in order: what is let through first, so that nothing is cut off in between. */
export function networkPolicySteps(spec: ClusterSpec): ClusterStep[] {
  return [...spec.networkPolicy.defaultDeny].sort().flatMap((namespace) =>
    policies(spec, namespace).map(([name, policy]): ClusterStep => {
      const object: KubernetesObject = {
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name, namespace },
        // Of every pod of the namespace.
        spec: { podSelector: {}, ...policy },
      };
      return { kind: "object", key: `network-policy-${namespace}-${name}`, object };
    }),
  );
}

function policies(spec: ClusterSpec, namespace: string): (readonly [name: string, policy: PolicySpec])[] {
  const { ingress, networkPolicy } = spec;
  const controller = networkPolicy.allowIngress && ingress.type !== "none" ? INGRESS_PODS[ingress.type] : undefined;
  const own = [{ podSelector: {} }];
  return [
    ["allow-dns", { policyTypes: ["Egress"], egress: [dns(spec)] }],
    ["allow-namespace", { policyTypes: ["Ingress", "Egress"], ingress: [{ from: own }], egress: [{ to: own }] }],
    ...(controller === undefined
      ? []
      : [["allow-ingress-controller", ingressOnly(pods(controller.namespace, controller.labels))] as const]),
    ...(meshNamespaces(spec).includes(namespace) ? [["allow-mesh-probes", ingressOnly(...probes(spec))] as const] : []),
    ["default-deny", { policyTypes: ["Ingress", "Egress"] }],
  ];
}

function ingressOnly(...from: readonly object[]): PolicySpec {
  return { policyTypes: ["Ingress"], ingress: [{ from }] };
}

/** Pods of a namespace by their labels. */
function pods(namespace: string, labels: Readonly<Record<string, string>>): object {
  return {
    namespaceSelector: { matchLabels: { [NAMESPACE_NAME]: namespace } },
    podSelector: { matchLabels: labels },
  };
}

function addressBlock(address: string): object {
  return { ipBlock: { cidr: hostNetwork(address) } };
}

/** The cluster's DNS: its pods, and the cache of each node, by its addresses where it is not a pod of the cluster's network. */
function dns(spec: ClusterSpec): object {
  const cached = spec.dns.type !== "none" && spec.dns.nodeLocalCache;
  const cache = isRedirected(spec)
    ? [pods(DNS_NAMESPACE, NODE_LOCAL_DNS_LABELS)]
    : nodeLocalDnsAddresses(spec).map(addressBlock);
  return {
    // Where an operator's own DNS runs is not known: some pod of the cluster answers.
    to: [
      spec.dns.type === "none" ? { namespaceSelector: {} } : pods(DNS_NAMESPACE, DNS_LABELS),
      ...(cached ? cache : []),
    ],
    ports: ["UDP", "TCP"].map((protocol) => ({ protocol, port: DNS_PORT })),
  };
}

function probes({ ipFamilies }: ClusterSpec): object[] {
  return ipFamilies.map((family) => addressBlock(PROBES[family]));
}
