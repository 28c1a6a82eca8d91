/** Where operators reach the Kubernetes API. Nodes never use this: they join and stay on the servers' own addresses. */
import { API_PORT } from "../catalogue/ports";
import { isDualStack, isIpv6Only, urlHost } from "../catalogue/families";
import type { AwsSpec, ClusterSpec } from "../spec/types";
import { withKnownAddresses } from "./known-addresses";
import { BALANCER_GROUPS } from "./balancers";
import type { AddressRef, ApiPlan, NetworkPlan, NodePlan, TemplateText } from "./types";

/** What the API's place needs of a node. */
type ApiNode = Pick<NodePlan, "name" | "externalNetwork" | "interfaces">;

/** The address of a node that operators use: its public one, or else its external interface's own; by IPv6 if they have nothing else. */
function operatorAddress(spec: ClusterSpec, node: ApiNode): AddressRef {
  if (isDualStack(spec) && isIpv6Only(spec.access.admin)) {
    return { node: node.name, network: node.externalNetwork, scope: "private", family: "ipv6" };
  }
  const scope = spec.target === "aws" && spec.network.placement === "public" ? "public" : "private";
  return { node: node.name, network: node.externalNetwork, scope };
}

/** The API's host name or address, as it stands in the kubeconfig and in the certificate. */
function apiHost(spec: ClusterSpec, bootstrap: ApiNode): TemplateText[number] {
  const { endpoint } = spec.api;
  switch (endpoint.kind) {
    case "firstServer":
      return operatorAddress(spec, bootstrap);
    case "nlb":
      return { apiLoadBalancer: "dnsName" };
    case "address":
      return urlHost(endpoint.address);
  }
}

/** The host in its place in a URL; a reference whose address will be of IPv6 gets its brackets here. */
function inUrl(spec: ClusterSpec, host: TemplateText[number]): TemplateText {
  if (typeof host === "string" || !("network" in host)) return [host];
  return host.family === "ipv6" || spec.ipFamilies[0] === "ipv6" ? ["[", host, "]"] : [host];
}

/** The API's URL; addresses that the stack gives stand in it as they are. */
export function createApi(spec: ClusterSpec, bootstrap: ApiNode): ApiPlan {
  const url = ["https://", ...inUrl(spec, apiHost(spec, bootstrap)), `:${API_PORT}`];
  return { kind: spec.api.endpoint.kind, url: withKnownAddresses([bootstrap], url) };
}

/** The API's URL on AWS, and the load balancer when there is one: internet-facing exactly when the nodes are public. */
export function createAwsApi(
  spec: AwsSpec,
  network: NetworkPlan,
  servers: readonly Pick<NodePlan, "name">[],
  bootstrap: ApiNode,
): ApiPlan {
  const api = createApi(spec, bootstrap);
  if (api.kind !== "nlb") return api;
  return {
    ...api,
    loadBalancer: {
      subnets: network.subnets.filter((subnet) => subnet.kind === "external").map((subnet) => subnet.key),
      internal: spec.network.placement === "private",
      ...(isDualStack(spec) ? { dualStack: true } : {}),
      group: BALANCER_GROUPS.apiLoadBalancer,
      port: API_PORT,
      servers: servers.map((server) => server.name),
    },
  };
}
