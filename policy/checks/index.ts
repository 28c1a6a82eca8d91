/** Every check, in the order in which they are told. */
import { administrationPorts } from "./administration-ports";
import { cataloguePorts } from "./catalogue-ports";
import type { Check } from "./check";
import { defaultGroup } from "./default-group";
import { encryptedDisks } from "./encrypted-disks";
import { flannelVxlan } from "./flannel-vxlan";
import { imdsv2 } from "./imdsv2";
import { internalPorts } from "./internal-ports";
import { knownRules } from "./known-rules";
import { kubeletBetweenNodes } from "./kubelet-between-nodes";
import { managedRules } from "./managed-rules";
import { stableRuleNames } from "./stable-rule-names";

export type { Check } from "./check";

export const CHECKS: readonly Check[] = [
  internalPorts,
  flannelVxlan,
  administrationPorts,
  cataloguePorts,
  managedRules,
  knownRules,
  kubeletBetweenNodes,
  stableRuleNames,
  defaultGroup,
  imdsv2,
  encryptedDisks,
];
