/** Every check between settings, each in a file of its kind. */
import type { Problem } from "../problems";
import { isWithin, watched } from "../repair";
import type { ParsedSpec } from "../schema";
import { checkHostKeys, checkKeys, checkOpenness } from "./access";
import { checkAddresses, checkClusterNetworks, checkOutsideNetworks } from "./addresses";
import { checkArguments } from "./arguments";
import { createContext, type Check } from "./context";
import { checkDisable, checkDns, checkEndpoint, checkFeatures, checkServiceProxy, checkVersion } from "./k3s";
import { checkLabels, checkTags, checkTaints } from "./labels";
import { checkLbPools, checkMetallbAddresses, checkServiceLb } from "./load-balancer";
import { checkMetallbBgp, checkMetallbMode } from "./metallb";
import {
  checkCapacity,
  checkClusterDns,
  checkDisjoint,
  checkPodNetworks,
  checkReusedSubnets,
  checkZones,
} from "./networks";
import { checkInstanceTypes, checkNames, checkNodeReferences, checkServers } from "./nodes";
import { checkElasticIps, checkGateways, checkHostGw, checkUnusedNetworkSettings } from "./placement";
import { checkHostPorts, checkInternalPorts, checkNodePortRange, checkTraefikPorts } from "./ports";
import { checkServices } from "./services";
import { checkIngress, checkLocalPolicy, checkTraefikDisabled, checkTraefikValues } from "./traefik";

const CHECKS: readonly Check[] = [
  checkClusterNetworks,
  checkOutsideNetworks,
  checkAddresses,
  checkDisjoint,
  checkZones,
  checkReusedSubnets,
  checkCapacity,
  checkPodNetworks,
  checkClusterDns,
  checkGateways,
  checkUnusedNetworkSettings,
  checkHostGw,
  checkElasticIps,
  checkServers,
  checkNames,
  checkNodeReferences,
  (context) => checkInstanceTypes(context),
  checkLabels,
  checkTaints,
  checkTags,
  checkKeys,
  checkHostKeys,
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
  checkLocalPolicy,
  checkLbPools,
  checkServiceLb,
  checkMetallbMode,
  checkMetallbAddresses,
  checkMetallbBgp,
];

/** What one check finds; nothing when it read a stand-in, of which it cannot judge. */
function runCheck(check: Check, parsed: ParsedSpec, raw: unknown, guessed: readonly string[]): Problem[] {
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
  return CHECKS.flatMap((check) => runCheck(check, parsed, raw, guessed));
}
