/** Every check between settings, each in a file of its kind. */
import type { Problem } from "../problems";
import { isWithin, watched } from "../repair";
import type { ParsedSpec } from "../schema";
import { checkHostKeys, checkInstanceKeys, checkKeys, checkOpenness } from "./access";
import { checkAddresses, checkClusterNetworks, checkOutsideNetworks, checkVpcNetworks } from "./addresses";
import { checkArguments } from "./arguments";
import { checkAirGap, checkAirGapCharts, checkRegistries } from "./air-gap";
import { createContext, type AwsCheck, type Check, type HostsCheck } from "./context";
import {
  checkAddressRanges,
  checkAddressesApart,
  checkInterfaceForms,
  checkInterfacesApart,
  checkInterfacesGiven,
} from "./host-interfaces";
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
import { checkDisable, checkDns, checkEndpoint, checkFeatures, checkServiceProxy, checkVersion } from "./k3s";
import { checkLabels, checkTags, checkTaints } from "./labels";
import { checkHostServiceLb, checkLbPools, checkMetallbAddresses, checkServiceLb } from "./load-balancer";
import { checkMetallbBgp, checkMetallbHosts, checkMetallbMode } from "./metallb";
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
import { checkServices } from "./services";
import { checkIngress, checkLocalPolicy, checkTraefikDisabled, checkTraefikValues } from "./traefik";

/** Of every stack. */
const COMMON: readonly Check[] = [
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
  checkHostPorts,
  checkNodePortRange,
  checkVersion,
  checkFeatures,
  checkDisable,
  checkEndpoint,
  checkDns,
  checkServiceProxy,
  checkArguments,
  checkTraefikDisabled,
  checkTraefikValues,
  checkIngress,
  checkLbPools,
  checkServiceLb,
  checkMetallbMode,
  checkMetallbAddresses,
  checkMetallbBgp,
];

/** Of machines and networks that the program makes. */
const AWS: readonly AwsCheck[] = [
  checkVpcNetworks,
  checkZones,
  checkReusedSubnets,
  checkCapacity,
  checkGateways,
  checkUnusedNetworkSettings,
  checkHostGw,
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
  checkHostNames,
  checkRoles,
  checkHostPools,
  checkSshAddresses,
  checkSshPorts,
  checkLostHosts,
  checkPinnedKeys,
  checkHostExamples,
  checkHostFirewall,
  checkHostGwLink,
  checkInterfaceForms,
  checkInterfacesGiven,
  checkAddressesApart,
  checkInterfacesApart,
  checkAddressRanges,
  checkAirGap,
  checkAirGapCharts,
  checkRegistries,
  checkHostServiceLb,
  checkMetallbHosts,
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
