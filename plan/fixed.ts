/**
 * What cannot change once the cluster is there. A stack's last update leaves these values among its outputs; the next one is held
 * against them before any resource is declared, so that a preview refuses what no update could do.
 */
import type { Problem, ProblemCode } from "../spec/problems";
import { CHART_NOTES, noteGeneration } from "../catalogue/chart-notes";
import { NETWORK_KEYS } from "../catalogue/families";
import { encapsulationOf } from "../catalogue/mtu";
import { chartsOf } from "../catalogue/stack-charts";
import type { AwsSpec, ClusterSpec, ExistingSpec } from "../spec/types";
import { INGRESS_CHANGES, ingressFixedValues } from "./fixed-ingress";
import type { HostNodeBase } from "./host-nodes";
import { clusterAddress } from "./k3s-config";
import { knownAddress } from "./known-addresses";
import type { ClusterPlan, NetworkPlan } from "./types";

/** Values by setting, such as `k3s.clusterCidr`. */
export type FixedValues = Readonly<Record<string, string>>;

interface FixedSetting {
  readonly code: Extract<
    ProblemCode,
    | "fixed-setting"
    | "flannel-backend-change"
    | "layer-change"
    | "ingress-change"
    | "ingress-definitions"
    | "traefik-major-change"
    | "traefik-values-change"
  >;
  readonly why: string;
  readonly remedy: string;
}

const REBUILD = "set it back; for another value, build a new stack and move the workloads to it";

/** Every such setting. `fixed-setting` refuses, the other code warns. */
const SETTINGS: Readonly<Record<string, FixedSetting>> = {
  target: { code: "fixed-setting", why: "every node would be another machine", remedy: REBUILD },
  layout: { code: "fixed-setting", why: "every node's address would change under the cluster", remedy: REBUILD },
  "network.vpcCidr": { code: "fixed-setting", why: "another VPC replaces every node at once", remedy: REBUILD },
  "network.vpc.id": { code: "fixed-setting", why: "another VPC replaces every node at once", remedy: REBUILD },
  "k3s.clusterCidr": { code: "fixed-setting", why: "K3s cannot change the network of running pods", remedy: REBUILD },
  "k3s.serviceCidr": { code: "fixed-setting", why: "K3s cannot change the network of services", remedy: REBUILD },
  ipFamilies: { code: "fixed-setting", why: "K3s cannot change the IP families of a cluster", remedy: REBUILD },
  "k3s.clusterCidr6": { code: "fixed-setting", why: "K3s cannot change the network of running pods", remedy: REBUILD },
  "k3s.serviceCidr6": { code: "fixed-setting", why: "K3s cannot change the network of services", remedy: REBUILD },
  loadBalancer: {
    code: "fixed-setting",
    why: "AWS's load balancers find nodes by an ID that each got when it joined, and that stays",
    remedy: REBUILD,
  },
  cni: {
    code: "fixed-setting",
    why: "running pods keep what the old CNI gave them, nodes keep its routes and rules, and no node reaches the pods of one with the other",
    remedy: REBUILD,
  },
  "k3s.flannelBackend": {
    code: "flannel-backend-change",
    why: "nodes cannot reach each other's pods until the last of them has the new backend",
    remedy: "do it in a maintenance window, or build a new stack, as K3s's maintainers advise",
  },
};

/** Changes of a layer that go through, and interrupt what runs. */
const LAYERS: typeof SETTINGS = {
  "cni.encapsulation": {
    code: "layer-change",
    why: "nodes cannot reach each other's pods until the last of them has the new encapsulation, and pods keep their MTU until they start anew",
    remedy: "do it in a maintenance window, and restart the workloads after it",
  },
  "cni.replaceKubeProxy": {
    code: "layer-change",
    why: "the old proxy's rules stay on a node until it restarts, and connections to Services are cut",
    remedy: "do it in a maintenance window, and restart every host after it, one after another",
  },
  dns: {
    code: "layer-change",
    why: "no name is resolved between the end of the old cluster DNS and the first answer of the new one",
    remedy: "do it in a maintenance window",
  },
  ...INGRESS_CHANGES,
  ...Object.fromEntries(
    Object.entries(CHART_NOTES).map(([name, notes]) => [
      `charts.${name}`,
      {
        code: "layer-change",
        why: notes.map(({ since, what }) => `from ${since} on ${what}`).join("; "),
        remedy: notes.map(({ remedy }) => remedy).join("; "),
      } satisfies FixedSetting,
    ]),
  ),
};

/** A node's address in the cluster. */
const NODE_ADDRESS: FixedSetting = {
  code: "fixed-setting",
  why: "the cluster, and etcd on servers, knows the node by its address",
  remedy: "take the node out of the stack in one update, and add it with its new address in the next one",
};

/** Values of a stack on AWS. */
export function awsFixedValues(spec: AwsSpec, { vpc }: NetworkPlan): FixedValues {
  return {
    ...commonValues(spec),
    loadBalancer: spec.loadBalancer.type === "aws" ? "aws" : "not aws",
    ...(vpc.kind === "create" ? { "network.vpcCidr": vpc.cidr } : { "network.vpc.id": vpc.id }),
  };
}

/** Values of a stack on hosts that are there already: also the cluster addresses that it gives. */
export function hostFixedValues(spec: ExistingSpec, nodes: readonly HostNodeBase[]): FixedValues {
  const addresses = nodes.flatMap((node) => {
    const address = knownAddress({ nodes }, clusterAddress(node));
    return address === undefined ? [] : [[`nodes.${node.name}.address`, address] as const];
  });
  return { ...commonValues(spec), ...Object.fromEntries(addresses) };
}

function commonValues(spec: ClusterSpec): FixedValues {
  const { target, layout, ipFamilies, k3s, cni, dns } = spec;
  return {
    target,
    layout,
    ipFamilies: ipFamilies.join(", "),
    ...Object.fromEntries(
      ipFamilies.flatMap((family) => {
        const { pods, services } = NETWORK_KEYS[family];
        return [pods, services].map((key) => [`k3s.${key}`, k3s[key]] as const);
      }),
    ),
    cni: cni.type,
    ...(cni.type === "flannel" ? { "k3s.flannelBackend": k3s.flannelBackend } : {}),
    ...(cni.type === "calico" || cni.type === "cilium"
      ? {
          "cni.encapsulation": encapsulationOf(spec)?.name ?? "none",
          "cni.replaceKubeProxy": String(cni.replaceKubeProxy),
        }
      : {}),
    dns: dns.type,
    ...ingressFixedValues(spec),
    ...chartGenerations(spec),
  };
}

/** Which of their changes the stack's charts have behind them. */
function chartGenerations(spec: ClusterSpec): FixedValues {
  return Object.fromEntries(
    chartsOf(spec).flatMap(({ name, version }) => {
      const generation = noteGeneration(name, version);
      return generation === undefined ? [] : [[`charts.${name}`, generation] as const];
    }),
  );
}

/** The setting that a path names; undefined for one that may change, such as the address of a node that is no longer there. */
function settingOf(path: string, now: string | undefined): FixedSetting | undefined {
  // Without a CNI that has it there is nothing to say beside the CNI's own change.
  if (path in LAYERS) return now === undefined ? undefined : LAYERS[path];
  if (path === "k3s.flannelBackend" && now === undefined) return undefined;
  if (!/^nodes\..+\.address$/.test(path)) return SETTINGS[path];
  return now === undefined ? undefined : NODE_ADDRESS;
}

/** Why a value of `ClusterPlan.fixed` cannot change, what to do for another one, and whether an update with another one is refused. */
export function describeFixed(path: string): { refused: boolean; why: string; remedy: string } {
  const setting = settingOf(path, "");
  if (setting === undefined) throw new Error(`${path} is not a setting that cannot change`);
  return { refused: setting.code === "fixed-setting", why: setting.why, remedy: setting.remedy };
}

/**
 * What a plan changes of them.
 *
 * @param last The output `fixed` of the stack's last update; anything else, such as undefined before the first one, compares as nothing.
 */
export function fixedChanges(last: unknown, plan: Pick<ClusterPlan, "fixed">): Problem[] {
  if (typeof last !== "object" || last === null) return [];
  // Before there were other families and CNIs, every stack was of IPv4 alone, with flannel, and said nothing of it.
  return Object.entries({ ipFamilies: "ipv4", cni: "flannel", ...last }).flatMap(
    ([path, before]: [string, unknown]) => {
      const now = plan.fixed[path];
      const setting = settingOf(path, now);
      if (setting === undefined || typeof before !== "string" || now === before) return [];
      const { code, why, remedy } = setting;
      const value = now === undefined ? "not given" : JSON.stringify(now);
      const allowed = code === "fixed-setting" ? "allowed once the cluster is there" : "the cluster has";
      return [{ code, path, message: `changes (${value}): ${why}; ${allowed}: ${JSON.stringify(before)}`, remedy }];
    },
  );
}
