/** Load balancers and ingress controllers. */
import { chartFor } from "../../catalogue/traefik-charts";
import type { ClusterSpec, NodeGroupSpec } from "../../spec/types";
import { ingressGroups } from "../ingress-nodes";
import type { ComponentStatus } from "../types";
import { off, on, packaged } from "./status";

export function balancerComponents(spec: ClusterSpec): ComponentStatus[] {
  const { loadBalancer } = spec;
  const other = `loadBalancer is ${loadBalancer.type}`;
  return [
    serviceLb(spec),
    loadBalancer.type === "metallb"
      ? on("metallb", `chart ${loadBalancer.version}, native mode, announces by ${modeWords(loadBalancer)}`)
      : off("metallb", other),
    loadBalancer.type === "cilium"
      ? on("cilium-load-balancer", `Cilium's own, announces by ${modeWords(loadBalancer)}`)
      : off("cilium-load-balancer", other),
    loadBalancer.type === "aws"
      ? on("aws-load-balancer-controller", `chart ${loadBalancer.version}: AWS's load balancers for Services`)
      : off("aws-load-balancer-controller", other),
    ingressBalancer(spec),
  ];
}

function modeWords({ l2, bgp }: { readonly l2?: unknown; readonly bgp?: unknown }): string {
  const modes = [...(l2 === undefined ? [] : ["layer 2"]), ...(bgp === undefined ? [] : ["BGP"])];
  return modes.length === 0 ? "nothing" : modes.join(" and ");
}

function serviceLb(spec: ClusterSpec): ComponentStatus {
  const { type } = spec.loadBalancer;
  if (type !== "servicelb") {
    return off("servicelb", `loadBalancer is ${type}, so every server disables it`);
  }
  const groups = ingressGroups(spec, undefined);
  const where = groups.length === spec.nodes.length ? "every node" : placeWords(spec, groups);
  return on("servicelb", `load balancer of K3s, on ${where}`);
}

/** Pools by name; hosts by their own, since those of one pool may differ. */
function placeWords(spec: ClusterSpec, groups: readonly NodeGroupSpec[]): string {
  if (spec.target === "aws") return `the nodes of ${groups.map(({ pool }) => pool).join(", ")}`;
  const names = spec.nodes.filter((host) => groups.includes(host)).map(({ name }) => name);
  return names.join(", ");
}

function ingressBalancer({ loadBalancer }: ClusterSpec): ComponentStatus {
  return loadBalancer.type === "servicelb" && loadBalancer.nlb
    ? on("ingress-nlb", "AWS's network load balancer in front of the nodes that take the ingress")
    : off("ingress-nlb", "loadBalancer.nlb is off");
}

const CONTROLLERS = [
  ["traefik-chart", "Traefik by its own chart"],
  ["nginx", "F5's NGINX Ingress Controller"],
  ["haproxy", "HAProxy Technologies' Kubernetes Ingress Controller"],
] as const;

export function ingressComponents(spec: ClusterSpec): ComponentStatus[] {
  const { ingress, k3s, traefik } = spec;
  const instead = ingress.type === "none" ? undefined : `ingress is ${ingress.type}`;
  return [
    packaged(
      spec,
      "traefik",
      `ingress controller, chart ${chartFor(k3s.version).major}.x of K3s ${k3s.version}`,
      instead,
    ),
    ...CONTROLLERS.map(([name, title]) =>
      ingress.type === name
        ? on(name, `ingress controller, ${title}, chart ${ingress.version}`)
        : off(name, `ingress is ${ingress.type}`),
    ),
    ...(ingress.type === "traefik" || ingress.type === "traefik-chart"
      ? [
          traefik.gatewayApi ? on("gateway-api", "Traefik serves it") : off("gateway-api", "traefik.gatewayApi is off"),
          traefik.acme === undefined
            ? off("lets-encrypt", "traefik.acme is not given")
            : on("lets-encrypt", `certificates got by Traefik, challenge ${traefik.acme.challenge}`),
        ]
      : [off("gateway-api", "only Traefik serves it"), off("lets-encrypt", "only Traefik gets certificates itself")]),
  ];
}
