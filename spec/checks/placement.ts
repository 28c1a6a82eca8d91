/** Where nodes are placed: gateways, flannel's host-gw, public addresses. */
import { ELASTIC_IPS_PER_REGION } from "../../catalogue/quotas";
import { valueAt } from "../config";
import { natGateways } from "../normalize";
import { nodesByZone, problem, type AwsCheck } from "./context";

/** NAT gateways fit the placement, and private nodes reach the internet. */
export const checkGateways: AwsCheck = ({ parsed }) => {
  const { placement, vpc, natGateways: asked } = parsed.network;
  if (asked !== undefined && asked !== "none" && vpc !== undefined) {
    const message = `has no effect in a VPC that exists ("${asked}"): its gateways and routes stay its owner's; allowed: none`;
    return [problem("no-effect", "network.natGateways", message, "remove it")];
  }
  if (asked !== undefined && asked !== "none" && placement === "public") {
    const message = `does not fit placement public ("${asked}"): public nodes have addresses of their own; allowed: none`;
    return [problem("nat-gateways", "network.natGateways", message, "remove it, or set network.placement: private")];
  }
  if (asked === "none" && placement === "private" && vpc === undefined) {
    const message =
      'leaves private nodes without a way to fetch K3s ("none"), and the air gap is not supported yet; allowed: one or perZone';
    return [
      problem("no-internet", "network.natGateways", message, "set one or perZone, or reuse a VPC that has a way out"),
    ];
  }
  return [];
};

/** What the choice of a VPC or of a layout makes meaningless. */
export const checkUnusedNetworkSettings: AwsCheck = ({ parsed, raw }) => {
  const { vpc } = parsed.network;
  const problems = [];
  if (vpc !== undefined && valueAt(raw, ["network", "vpcCidr"]) !== undefined) {
    const message = "has no effect beside network.vpc, which names a VPC that exists; allowed: one of the two";
    problems.push(problem("no-effect", "network.vpcCidr", message, "remove one of them"));
  }
  if (vpc !== undefined && parsed.layout === "shared" && vpc.backplaneSubnets.length > 0) {
    const message = "has no effect with layout shared, which has no backplane; allowed: only with layout segregated";
    problems.push(
      problem("no-effect", "network.vpc.backplaneSubnets", message, "remove it, or set layout: segregated"),
    );
  }
  return problems;
};

/** host-gw routes pods' packets straight to the other node: all nodes in one subnet. */
export const checkHostGw: AwsCheck = ({ parsed }) => {
  if (parsed.k3s.flannelBackend !== "host-gw") return [];
  const zones = [...nodesByZone(parsed)].filter(([, count]) => count > 0).map(([zone]) => zone);
  if (zones.length <= 1) return [];
  const message = `needs every node in one subnet, and the nodes are in ${zones.join(", ")} ("host-gw"); allowed with several zones: vxlan or wireguard-native`;
  return [problem("host-gw-zones", "k3s.flannelBackend", message, "use another backend, or one availability zone")];
};

/** Elastic IPs: one for each public node, or for each NAT gateway. */
export const checkElasticIps: AwsCheck = ({ parsed }) => {
  const { placement, vpc, availabilityZones: zones } = parsed.network;
  const nodes = parsed.nodes.reduce((sum, pool) => sum + pool.count, 0);
  const gateways = { none: 0, one: 1, perZone: zones.length }[natGateways(parsed.network)];
  const needed = placement === "public" ? nodes : vpc === undefined ? gateways : 0;
  if (needed <= ELASTIC_IPS_PER_REGION) return [];
  const path = placement === "public" ? "network.placement" : "network.natGateways";
  const message = `needs ${needed} Elastic IPs; allowed by default: ${ELASTIC_IPS_PER_REGION} in a region`;
  const remedy =
    placement === "public"
      ? "ask AWS for a higher quota first, or set network.placement: private"
      : "ask AWS for a higher quota first, or set one";
  return [problem("elastic-ip-quota", path, message, remedy)];
};
