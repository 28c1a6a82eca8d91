/** Every check between settings, each in a file of its kind. */
import type { Problem } from "../problems";
import type { ParsedSpec } from "../schema";
import { checkHostKeys, checkKeys, checkOpenness } from "./access";
import { checkAddresses, checkClusterNetworks, checkOutsideNetworks } from "./addresses";
import { checkArguments } from "./arguments";
import { createContext, type Check } from "./context";
import { checkDisable, checkDns, checkEndpoint, checkFeatures, checkVersion } from "./k3s";
import { checkLabels, checkTags, checkTaints } from "./labels";
import { checkLbPools, checkMetallbAddresses, checkServiceLb } from "./load-balancer";
import { checkMetallbBgp, checkMetallbMode } from "./metallb";
import { checkCapacity, checkClusterDns, checkDisjoint, checkReusedSubnets, checkZones } from "./networks";
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

/** All problems of a stack whose shape is right, errors and warnings, in no particular order. */
export function runChecks(parsed: ParsedSpec, raw: unknown): Problem[] {
  const context = createContext(parsed, raw);
  return CHECKS.flatMap((check) => check(context));
}
