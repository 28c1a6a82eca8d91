/** CNI: what goes together, and what the network below must be like. */
import { valueAt } from "../config";
import { hostsOf } from "../hosts";
import { cniOf, replacesKubeProxy } from "../normalize";
import type { Problem } from "../problems";
import type { ParsedSpec } from "../schema";
import { either, show } from "../show";
import { checkAddress } from "./addresses";
import { nodesByZone, problem, type AwsCheck, type Check, type HostsCheck } from "./context";

type Calico = Extract<ParsedSpec["cni"], { type: "calico" }>;

/** The oldest releases whose charts have the values that the program sets. */
const OLDEST = { calico: { major: 3, minor: 30 }, cilium: { major: 1, minor: 18 } } as const;

/** Routes that no encapsulation hides, in the words of the settings. */
const UNENCAPSULATED = { calico: ["none"], cilium: ["native"] } as const;

/** The host part and the port of `HOST:PORT`. */
const ADDRESS = /^\[?([^\]]+)\]?:(\d+)$/;
const HIGHEST_PORT = 65535;

/** Settings of flannel and of K3s's own components that another CNI makes meaningless. */
export const checkCniSettings: Check = ({ parsed, raw }) => {
  const { cni } = parsed;
  if (cni.type === "flannel") return [];
  const written = (key: string): unknown => valueAt(raw, ["k3s", key]);
  const backend = written("flannelBackend");
  const noEffect = (key: string, message: string): Problem => problem("no-effect", `k3s.${key}`, message, "remove it");
  return [
    ...(backend === undefined || backend === "none"
      ? []
      : [
          noEffect(
            "flannelBackend",
            `has no effect with cni ${cni.type} (${show(backend)}); allowed: only with cni flannel`,
          ),
        ]),
    ...(cni.type !== "none" && written("disableNetworkPolicy") === false
      ? [
          noEffect(
            "disableNetworkPolicy",
            `has no effect with cni ${cni.type} (false), which enforces network policies itself; allowed: true`,
          ),
        ]
      : []),
    ...(replacesKubeProxy(parsed) && written("disableKubeProxy") === false
      ? [
          noEffect(
            "disableKubeProxy",
            "has no effect where cni.replaceKubeProxy replaces kube-proxy (false); allowed: true",
          ),
        ]
      : []),
  ];
};

/** Chart versions that are too old for the values that the program sets. Their form is checked with every chart's. */
export const checkCniVersion: Check = ({ parsed: { cni } }) => {
  if (cni.type !== "calico" && cni.type !== "cilium") return [];
  const match = /^v?(\d+)\.(\d+)\./.exec(cni.version);
  const oldest = OLDEST[cni.type];
  if (match === null) return [];
  const [major, minor] = [Number(match[1]), Number(match[2])];
  if (major > oldest.major || (major === oldest.major && minor >= oldest.minor)) return [];
  const name = cni.type === "calico" ? `v${oldest.major}.${oldest.minor}.0` : `${oldest.major}.${oldest.minor}.0`;
  const message = `is older than the program can configure (${show(cni.version)}); allowed: ${name} or newer`;
  return [problem("cni-version", "cni.version", message, "choose a newer one, or leave it out")];
};

/** Calico's encapsulations that follow routes by BGP, and IP in IP, which carries IPv4 alone. */
export const checkCalicoEncapsulation: Check = ({ parsed }) => {
  const { cni, ipFamilies } = parsed;
  if (cni.type !== "calico") return [];
  const routed = cniOf({ cni: { ...cni, bgp: undefined } });
  const needsBgp = "bgp" in routed && routed.bgp;
  const path = "cni.encapsulation";
  return [
    ...(needsBgp && cni.bgp === false
      ? [
          problem(
            "cni-encapsulation",
            "cni.bgp",
            `leaves nodes without the routes to each other's pods, which encapsulation ${cni.encapsulation} takes from BGP (false); allowed: true`,
            "remove it, or choose vxlan or vxlan-cross-subnet",
          ),
        ]
      : []),
    ...(cni.encapsulation.startsWith("ipip") && ipFamilies.includes("ipv6")
      ? [
          problem(
            "cni-encapsulation",
            path,
            `carries IPv4 alone, and the stack has IPv6 (${show(cni.encapsulation)}); allowed: vxlan, vxlan-cross-subnet or none`,
            "choose vxlan",
          ),
        ]
      : []),
  ];
};

/** The setting by which a CNI sends pods' packets as they are, and its value. */
function unencapsulated({ cni }: Pick<ParsedSpec, "cni">): { path: string; value: string; others: string } | undefined {
  if (cni.type === "calico" && UNENCAPSULATED.calico.some((name) => name === cni.encapsulation)) {
    return {
      path: "cni.encapsulation",
      value: cni.encapsulation,
      others: "vxlan, vxlan-cross-subnet, ipip or ipip-cross-subnet",
    };
  }
  if (cni.type === "cilium" && UNENCAPSULATED.cilium.some((name) => name === cni.routing)) {
    return { path: "cni.routing", value: cni.routing, others: "vxlan or geneve" };
  }
  return undefined;
}

/** A VPC's routers do not know pods' addresses: packets that nobody encapsulates stay in one subnet. */
export const checkUnencapsulatedZones: AwsCheck = ({ parsed }) => {
  const found = unencapsulated(parsed);
  const zones = [...nodesByZone(parsed)].filter(([, count]) => count > 0).map(([zone]) => zone);
  if (found === undefined || zones.length <= 1) return [];
  const { path, value, others } = found;
  const message = `sends pods' packets as they are (${show(value)}), which needs every node in one subnet, and the nodes are in ${zones.join(", ")}; allowed with several zones: ${others}`;
  return [problem("unencapsulated-zones", path, message, "choose another, or one availability zone")];
};

/** Between hosts nobody can tell from here whether there is a router. */
export const checkUnencapsulatedLink: HostsCheck = ({ parsed }) => {
  const found = unencapsulated(parsed);
  if (found === undefined || parsed.nodes.length < 2) return [];
  const { path, value, others } = found;
  const message = `sends pods' packets straight to the other host (${show(value)}), which works only without a router between them; advised: ${others}, unless all hosts share one link`;
  return [problem("unencapsulated-one-link", path, message, "see that they do, or choose another")];
};

/** Where the CNI reaches the API while nothing forwards the API's Service. */
export const checkApiAddress: Check = (context) => {
  const { cni, ipFamilies } = context.parsed;
  if (cni.type !== "calico" && cni.type !== "cilium") return [];
  const { apiAddress } = cni;
  const path = "cni.apiAddress";
  if (apiAddress === undefined) {
    return cni.type === "calico" && cni.replaceKubeProxy ? checkCalicoApi(context, cni) : [];
  }
  if (!cni.replaceKubeProxy) {
    const message = `has no effect while kube-proxy forwards the API's Service (${show(apiAddress)}); allowed: only with cni.replaceKubeProxy`;
    return [problem("no-effect", path, message, "remove it, or set cni.replaceKubeProxy: true")];
  }
  const match = ADDRESS.exec(apiAddress);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port < 1 || port > HIGHEST_PORT) {
    const message = `has a port that there is not (${show(apiAddress)}); allowed: 1 to ${HIGHEST_PORT}`;
    return [problem("invalid-port-range", path, message, "correct it")];
  }
  const host = match[1];
  if (cni.type === "calico" && /^(127\.|::1$|localhost$)/.test(host)) {
    const message = `is a node's own loopback (${show(apiAddress)}), which Calico's pods cannot use; allowed: an address that hosts and pods reach`;
    return [problem("cni-api-address", path, message, "give the address of a load balancer before the servers")];
  }
  return checkAddress(path, host, true, ipFamilies);
};

function checkCalicoApi({ parsed, groups }: Parameters<Check>[0], cni: Calico): Problem[] {
  const servers = groups.filter(({ role }) => role === "server").reduce((sum, { count }) => sum + count, 0);
  if (parsed.api.endpoint !== "firstServer" || servers <= 1) return [];
  const message = `needs an address of the API that outlives every single server (${show(cni.replaceKubeProxy)}), and the stack names none for its ${servers} servers; allowed: with cni.apiAddress, or with an api.endpoint before all servers`;
  const endpoint = parsed.target === "aws" ? "set api.endpoint: nlb, or cni.apiAddress" : "set cni.apiAddress";
  return [problem("cni-api-address", "cni.replaceKubeProxy", message, endpoint)];
}

/** K3s's tunnels to pods go by the part of the pod network that Kubernetes gave a node: Calico gives pods others. */
export const checkEgressSelector: Check = ({ parsed }) => {
  if (parsed.cni.type !== "calico" || parsed.k3s.egressSelectorMode !== "pod") return [];
  const message =
    'finds pods by the network that Kubernetes gives a node, and Calico gives out addresses itself ("pod"); allowed: agent, cluster or disabled';
  return [problem("egress-selector-cni", "k3s.egressSelectorMode", message, "set cluster, or leave it out")];
};

/** ServiceLB's pods take host ports, which Cilium forwards only in kube-proxy's place. */
export const checkHostPortForwarding: Check = ({ parsed, disabled }) => {
  const { cni, loadBalancer } = parsed;
  if (cni.type !== "cilium" || cni.replaceKubeProxy) return [];
  if (loadBalancer.type !== "servicelb" || disabled.has("servicelb")) return [];
  const message =
    "leaves host ports unforwarded, which ServiceLB's pods take (false); allowed with loadBalancer servicelb: true";
  return [
    problem("cni-host-ports", "cni.replaceKubeProxy", message, "set it to true, or choose another load balancer"),
  ];
};

/** Without a CNI no node gets ready, and no pod runs. */
export const checkOwnCni: Check = ({ parsed: { cni, delivery } }) => {
  if (cni.type !== "none") return [];
  const message =
    'leaves every node not ready until a CNI is installed ("none"); advised: flannel, calico or cilium, unless you install one yourself';
  const waits = delivery === "api" ? ", while the update waits for the charts that it installs" : "";
  return [
    problem("own-cni", "cni", message, `install it once the nodes have joined${waits}, and open its ports by services`),
  ];
};

/** What the job tolerates that installs a chart before nodes are ready (k3s-io/helm-controller, pkg/controllers/chart). */
const TOLERATED: Readonly<Record<string, readonly string[]>> = {
  CriticalAddonsOnly: ["NoSchedule", "NoExecute"],
  "node-role.kubernetes.io/control-plane": ["NoSchedule"],
  "node-role.kubernetes.io/etcd": ["NoExecute"],
};

/** K3s installs the CNI's chart by a job on a server. */
export const checkBootstrapTaints: Check = ({ parsed }) => {
  const { cni, delivery } = parsed;
  if (delivery !== "manifests" || (cni.type !== "calico" && cni.type !== "cilium")) return [];
  const servers = (parsed.target === "aws" ? parsed.nodes : hostsOf(parsed)).filter(({ role }) => role === "server");
  const repels = servers.map(({ taints }) =>
    taints.find(({ key, effect }) => effect !== "PreferNoSchedule" && TOLERATED[key]?.includes(effect) !== true),
  );
  const [first] = repels;
  if (first === undefined || repels.includes(undefined)) return [];
  const message = `has K3s install the CNI on a server, and the servers' taints keep its job away (${show(`${first.key}:${first.effect}`)}); allowed on servers: ${either(Object.keys(TOLERATED))}`;
  const remedy = "set delivery: api, or leave one server without the taint";
  return [problem("cni-bootstrap-taints", "delivery", message, remedy)];
};
