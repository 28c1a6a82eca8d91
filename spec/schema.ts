/**
 * The stack file's schema: what an operator can say under `k3s-networking:` in `stacks/Pulumi.NAME.yaml`, for each target.
 *
 * Shapes, literal types and fixed defaults live in `settings/`; defaults that depend on another setting live in `normalize.ts`;
 * conditions between settings live in `checks/`. Every object is strict: an unknown key is a mistake, never ignored.
 */
import { z } from "zod";
import { nearest, valueAt } from "./config";
import { awsStack } from "./settings/aws";
import { existingStack } from "./settings/existing";
import { elsewhere } from "./unsupported";

export { DEFAULT_K3S_VERSION, DISABLEABLE, FLANNEL_BACKENDS } from "./settings/common";
export { traefik as traefikSettings } from "./settings/ingress";

/** The settings of each target. */
export const TARGET_SCHEMAS = { aws: awsStack, existing: existingStack } as const;

/** Where a cluster can be built. */
export type Target = keyof typeof TARGET_SCHEMAS;
export const TARGETS = ["aws", "existing"] as const satisfies readonly Target[];

/** The target of a stack that names none. */
export const DEFAULT_TARGET: Target = "aws";

/** The target that settings are read for: the one that they name, or seem to mean, or else the default. */
export function targetOf(raw: unknown): Target {
  const named = valueAt(raw, ["target"]);
  const meant = typeof named === "string" ? (elsewhere(named) === "nodes" ? "existing" : nearest(named, TARGETS)) : "";
  return TARGETS.find((target) => target === meant) ?? DEFAULT_TARGET;
}

/** Everything under `k3s-networking:`, with `region` from `aws:region`. */
export const stackSchema = z.discriminatedUnion("target", [awsStack, existingStack]);

/** What the stack file says, as written. */
export type ClusterSpecInput = z.input<typeof stackSchema>;
/** What the schema makes of target `aws`, before defaults that depend on other settings. */
export type ParsedAws = z.output<typeof awsStack>;
/** What the schema makes of target `existing`. */
export type ParsedExisting = z.output<typeof existingStack>;
export type ParsedSpec = ParsedAws | ParsedExisting;
