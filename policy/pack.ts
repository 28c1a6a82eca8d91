/** The checks as policies: what the engine says of resources goes in, violations come out. */
import type {
  PolicyPackArgs,
  PolicyResource,
  ReportViolation,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy/policy";
import type { Check } from "./checks/index";
import { SCHEMA } from "./pack-settings";
import { idOf, type Resource, type Violation } from "./resource";
import type { Settings } from "./settings";
import { readValues, type Values } from "./values";
import { viewOf, viewOfOne } from "./view";

/** What the checks go by, from a policy's own configuration. */
export type GetSettings = (config: object) => Settings;

/** Types that a check may look at; of all others nothing is read. */
const READ = /^aws(?:-native)?:/u;

/**
 * Inputs of the resources that the engine has shown, by URN. A whole program is shown with what providers answer, which for a group also
 * has rules that other resources made; what the program declares is seen only here.
 */
export class Declared {
  private readonly inputs = new Map<string, Values>();

  note(urn: string, props: object): Values {
    const values = readValues(props);
    this.inputs.set(urn, values);
    return values;
  }

  /** A resource that is only read, not declared, has what its provider answers. */
  of(urn: string): Values | undefined {
    return this.inputs.get(urn);
  }
}

/** A resource of a whole program. */
export function programResource(resource: PolicyResource, declared: Declared): Resource {
  const { urn, type, name, props, propertyDependencies } = resource;
  if (!READ.test(type)) return { urn, type, name, inputs: {}, sources: {} };
  const id = idOf(props);
  return {
    urn,
    type,
    name,
    inputs: declared.of(urn) ?? readValues(props),
    ...(id === undefined ? {} : { id }),
    sources: Object.fromEntries(
      Object.entries(propertyDependencies).map(([property, from]) => [property, from.map((source) => source.urn)]),
    ),
  };
}

/** Violations of one resource before it is made. */
export function early(check: Check, resource: Resource, settings: () => Settings): readonly Violation[] {
  const ownRules = check.early === true ? (check.rules?.(viewOfOne(resource, settings())) ?? []) : [];
  return [...(check.resource?.(resource) ?? []), ...ownRules];
}

function policyOf(
  check: Check,
  declared: Declared,
  settingsOf: GetSettings,
): ResourceValidationPolicy & Partial<StackValidationPolicy> {
  const { name, description, title, remedy, rules } = check;
  // A resource that was told of by itself is not told of again with the program.
  const told = new Set<string>();
  const say = (violation: Violation, report: ReportViolation): void => {
    report(`${violation.message} ${remedy}`, violation.urn);
  };
  return {
    name,
    description,
    displayName: title,
    remediationSteps: remedy,
    enforcementLevel: "mandatory",
    ...(rules === undefined ? {} : { configSchema: { properties: { ...SCHEMA } } }),
    validateResource: (args, report) => {
      const { urn, type, name: resourceName, props } = args;
      if (!READ.test(type)) return;
      const inputs = declared.note(urn, props);
      const found = early(check, { urn, type, name: resourceName, inputs, sources: {} }, () =>
        settingsOf(args.getConfig()),
      );
      for (const violation of found) {
        told.add(violation.urn);
        say(violation, report);
      }
    },
    ...(rules === undefined
      ? {}
      : {
          validateStack: (args, report) => {
            const view = viewOf(
              args.resources.map((resource) => programResource(resource, declared)),
              settingsOf(args.getConfig()),
            );
            for (const violation of rules(view)) {
              if (!told.has(violation.urn)) say(violation, report);
            }
            told.clear();
          },
        }),
  };
}

/** The checks as a policy pack's policies. */
export function policiesOf(checks: readonly Check[], settingsOf: GetSettings): PolicyPackArgs["policies"] {
  const declared = new Declared();
  return checks.map((check) => policyOf(check, declared, settingsOf));
}
