/** Every check between settings, each in a file of its kind. */
import type { Problem } from "../problems";
import { isWithin, watched } from "../repair";
import type { ParsedSpec } from "../schema";
import { checkHostKeys, checkInstanceKeys, checkKeys, checkOpenness } from "./access";
import { checkPoolAddresses, checkPoolHosts } from "./address-pools";
import { checkAddresses, checkClusterNetworks, checkOutsideNetworks, checkVpcNetworks } from "./addresses";
import { checkAnnouncement, checkBgp } from "./announcements";
import { checkAcmeChallenge, checkAcmePods, checkAcmeVolume } from "./acme";
import { checkArguments } from "./arguments";
import { checkAwsBalancer, checkAwsBalancerTarget } from "./aws-balancer";
import { checkAirGap, checkAirGapCharts } from "./air-gap";
import { checkChartKubernetes, checkChartValues, checkChartVersions } from "./chart-values";
import { checkCiliumBalancer } from "./cilium-balancer";
import {
  checkApiAddress,
  checkBootstrapTaints,
  checkCalicoEncapsulation,
  checkCniSettings,
  checkCniVersion,
  checkEgressSelector,
  checkHostPortForwarding,
  checkOwnCni,
  checkUnencapsulatedLink,
  checkUnencapsulatedZones,
} from "./cni";
import { createContext, type AwsCheck, type Check, type HostsCheck } from "./context";
import { checkAwsFamilies, checkFamilies, checkHostFamilies, checkUnusedFamilies } from "./families";
import { checkDns, checkDnsConflict, checkDnsFiles, checkDnsValues, checkNodeLocalCache } from "./dns";
import {
  checkAddressRanges,
  checkAddressesApart,
  checkInterfaceForms,
  checkInterfacesApart,
  checkInterfacesGiven,
} from "./host-interfaces";
import { checkHostFirewallCni } from "./host-firewall";
import {
  checkHostExamples,
  checkHostFirewall,
  checkHostGwLink,
  checkHostNames,
  checkHostPools,
  checkLostHosts,
  checkPinnedKeys,
  checkRoles,
  checkSshAddresses,
} from "./hosts";
import { checkDisable, checkEndpoint, checkFeatures, checkServiceProxy, checkVersion } from "./k3s";
import {
  checkIngress,
  checkIngressConflict,
  checkIngressValues,
  checkIngressVersion,
  checkLocalPolicy,
  checkProxyProtocol,
} from "./ingress";
import { checkLabels, checkTags, checkTaints } from "./labels";
import { checkHostServiceLb, checkLbPools, checkServiceLb } from "./load-balancer";
import {
  checkMetallbAggregation,
  checkMetallbBesideCalico,
  checkMetallbFamilies,
  checkMetallbIpvs,
  checkMetallbVersion,
} from "./metallb";
import { checkMtu } from "./mtu";
import { checkDefaultDeny, checkPolicyEnforcement } from "./network-policy";
import {
  checkCapacity,
  checkClusterDns,
  checkDisjoint,
  checkPodNetworks,
  checkReusedSubnets,
  checkZones,
} from "./networks";
import { checkBootstrapServer, checkHostKeyNames, checkInstanceTypes, checkNames, checkServers } from "./nodes";
import { checkElasticIps, checkGateways, checkHostGw, checkUnusedNetworkSettings } from "./placement";
import { checkHostPorts, checkInternalPorts, checkNodePortRange, checkSshPorts, checkTraefikPorts } from "./ports";
import { checkAirGapImages, checkRegistries } from "./registries";
import { checkMeshCni, checkMeshNamespaces } from "./service-mesh";
import { checkServices } from "./services";
import {
  checkAcmeChart,
  checkFailurePolicy,
  checkGatewayApi,
  checkTraefikDisabled,
  checkTraefikValues,
} from "./traefik";

/** Of every stack. */
const COMMON: readonly Check[] = [
  checkFamilies,
  checkUnusedFamilies,
  checkClusterNetworks,
  checkOutsideNetworks,
  checkAddresses,
  checkDisjoint,
  checkPodNetworks,
  checkClusterDns,
  checkServers,
  checkBootstrapServer,
  checkLabels,
  checkTaints,
  checkKeys,
  checkOpenness,
  checkServices,
  checkInternalPorts,
  checkTraefikPorts,
  checkChartVersions,
  checkChartKubernetes,
  checkChartValues,
  checkHostPorts,
  checkNodePortRange,
  checkVersion,
  checkFeatures,
  checkDisable,
  checkEndpoint,
  checkDns,
  checkDnsConflict,
  checkDnsFiles,
  checkDnsValues,
  checkNodeLocalCache,
  checkDefaultDeny,
  checkPolicyEnforcement,
  checkMeshNamespaces,
  checkMeshCni,
  checkRegistries,
  checkServiceProxy,
  checkCniSettings,
  checkCniVersion,
  checkCalicoEncapsulation,
  checkApiAddress,
  checkEgressSelector,
  checkHostPortForwarding,
  checkBootstrapTaints,
  checkOwnCni,
  checkMtu,
  checkArguments,
  checkTraefikDisabled,
  checkTraefikValues,
  checkFailurePolicy,
  checkGatewayApi,
  checkAcmeChart,
  checkAcmePods,
  checkAcmeVolume,
  checkAcmeChallenge,
  checkIngress,
  checkIngressConflict,
  checkIngressVersion,
  checkIngressValues,
  checkProxyProtocol,
  checkLbPools,
  checkServiceLb,
  checkAnnouncement,
  checkPoolAddresses,
  checkBgp,
  checkMetallbVersion,
  checkMetallbAggregation,
  checkMetallbBesideCalico,
  checkMetallbFamilies,
  checkMetallbIpvs,
  checkCiliumBalancer,
];

/** Of machines and networks that the program makes. */
const AWS: readonly AwsCheck[] = [
  checkAwsBalancer,
  checkAwsFamilies,
  checkVpcNetworks,
  checkZones,
  checkReusedSubnets,
  checkCapacity,
  checkGateways,
  checkUnusedNetworkSettings,
  checkHostGw,
  checkUnencapsulatedZones,
  checkElasticIps,
  checkNames,
  checkHostKeyNames,
  (context) => checkInstanceTypes(context),
  checkTags,
  checkInstanceKeys,
  checkHostKeys,
  checkLocalPolicy,
];

/** Of hosts that are there. */
const HOSTS: readonly HostsCheck[] = [
  checkHostFamilies,
  checkHostNames,
  checkRoles,
  checkHostPools,
  checkSshAddresses,
  checkSshPorts,
  checkLostHosts,
  checkPinnedKeys,
  checkHostExamples,
  checkHostFirewall,
  checkHostFirewallCni,
  checkHostGwLink,
  checkUnencapsulatedLink,
  checkInterfaceForms,
  checkInterfacesGiven,
  checkAddressesApart,
  checkInterfacesApart,
  checkAddressRanges,
  checkAirGap,
  checkAirGapCharts,
  checkAirGapImages,
  checkHostServiceLb,
  checkPoolHosts,
  checkAwsBalancerTarget,
];

/** What one check finds; nothing when it read a stand-in, of which it cannot judge. */
function runCheck<Parsed extends ParsedSpec>(
  check: Check<Parsed>,
  parsed: Parsed,
  raw: unknown,
  guessed: readonly string[],
): Problem[] {
  if (guessed.length === 0) return check(createContext(parsed, raw));
  const misleading = new Set<string>();
  const seen = watched(parsed, (path) => {
    if (isWithin(path, guessed)) misleading.add(path);
  });
  const found = check(createContext(seen, raw));
  return misleading.size > 0 ? [] : found;
}

/**
 * All problems between the settings of a stack, errors and warnings, in no particular order.
 *
 * @param guessed Paths that hold stand-ins for settings that could not be read.
 */
export function runChecks(parsed: ParsedSpec, raw: unknown, guessed: readonly string[] = []): Problem[] {
  return [
    ...COMMON.flatMap((check) => runCheck(check, parsed, raw, guessed)),
    ...(parsed.target === "aws"
      ? AWS.flatMap((check) => runCheck(check, parsed, raw, guessed))
      : HOSTS.flatMap((check) => runCheck(check, parsed, raw, guessed))),
  ];
}
