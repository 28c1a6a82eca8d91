/** Where operators reach the Kubernetes API. Nodes never use this: they join and stay on the servers' own addresses. */
import { API_PORT } from "../catalogue/ports";
import type { ClusterSpec } from "../spec/types";
import { API_NLB_GROUP } from "./rules";
import type { AddressRef, ApiPlan, NetworkPlan, NodePlan, TemplateText } from "./types";

/** The address of a node that operators use: its public one, or else its external interface's own. */
export function operatorAddress(spec: ClusterSpec, node: Pick<NodePlan, "name" | "externalNetwork">): AddressRef {
  const scope = spec.network.placement === "public" ? "public" : "private";
  return { node: node.name, network: node.externalNetwork, scope };
}

/** The API's host name or address, as it stands in the kubeconfig and in the certificate. */
export function apiHost(
  spec: ClusterSpec,
  bootstrap: Pick<NodePlan, "name" | "externalNetwork">,
): TemplateText[number] {
  const { endpoint } = spec.api;
  switch (endpoint.kind) {
    case "firstServer":
      return operatorAddress(spec, bootstrap);
    case "nlb":
      return { apiLoadBalancer: "dnsName" };
    case "address":
      return endpoint.address;
  }
}

/** The API's URL, and the load balancer when there is one: internet-facing exactly when the nodes are public. */
export function createApi(
  spec: ClusterSpec,
  network: NetworkPlan,
  servers: readonly Pick<NodePlan, "name">[],
  bootstrap: Pick<NodePlan, "name" | "externalNetwork">,
): ApiPlan {
  const { kind } = spec.api.endpoint;
  const url = ["https://", apiHost(spec, bootstrap), `:${API_PORT}`];
  if (kind !== "nlb") return { kind, url };
  return {
    kind,
    url,
    loadBalancer: {
      subnets: network.subnets.filter((subnet) => subnet.kind === "external").map((subnet) => subnet.key),
      internal: spec.network.placement === "private",
      group: API_NLB_GROUP,
      port: API_PORT,
      servers: servers.map((server) => server.name),
    },
  };
}
