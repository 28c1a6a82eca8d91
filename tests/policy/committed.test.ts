/** The committed stacks, and random ones, break no policy; whatever is changed in them breaks one. */
import { createPlan } from "../../plan";
import { ENTRIES } from "../../catalogue/ports";
import { programSettings, parseSetting } from "../../policy/program-settings";
import { flattenConfig, loadStack } from "../../spec/load";
import { readStackFile, stackByName } from "../../review/stack-file";
import type { PreviewDocument } from "../../review/document";
import { run } from "../review/support";
import { arbitraryConfig, load, type StackConfig } from "../support/stacks";
import fc from "fast-check";
import { plannedResources, shownResources, violationsOf, type Shown } from "./support";

function configOf(stack: string): Readonly<Record<string, string>> {
  const source = stackByName(stack);
  if (!("file" in source)) throw new Error(`no stack ${stack}`);
  const read = readStackFile(source);
  if ("problems" in read) throw new Error(`${stack} has mistakes`);
  return flattenConfig(read.config);
}

/** What the pack looks at, in a form that two programs can be compared by. */
const compared = (program: readonly Shown[]): unknown[] =>
  program
    .filter(({ type }) => /^aws:(vpc|ec2\/(securityGroup|defaultSecurityGroup|networkInterface:))/u.test(type))
    .map(({ type, name, props, sources }) => {
      const from = Object.entries(sources).flatMap(([key, urns]) =>
        urns.map((urn) => `${key} ${urn.split("::")[3] ?? ""}`),
      );
      const known = ["ipProtocol", "fromPort", "toPort", "cidrIpv4", "ingress", "egress"];
      const groups = ["securityGroupId", "referencedSecurityGroupId", "securityGroups"];
      return {
        type,
        name,
        known: known.map((key) => props[key]),
        from: from.filter((text) => groups.includes(text.split(" ")[0] ?? "")).sort(),
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));

describe.each(["dev-shared", "edge-shared-ha", "prod-segregated"])("%s, as its program declares it", (stack) => {
  const document = JSON.parse(run("start", "--stack", stack, "--json").stdout) as PreviewDocument;
  const program = shownResources(document.resources);

  test("breaks no policy", () => {
    expect(program.length).toBeGreaterThan(40);
    expect(violationsOf(program, { config: configOf(stack) })).toEqual([]);
  });

  test("is what the tests on random stacks take for a program", () => {
    expect(compared(plannedResources(document.plan))).toEqual(compared(program));
  });

  test("without the stack's configuration, breaks only the policy on services that nobody names", () => {
    const found = violationsOf(program, { pack: { admin: document.plan.outside["admin"] } });
    expect(found.filter(({ policy }) => policy !== "catalogue-ports")).toEqual([]);
  });
});

const flat = (config: StackConfig): Readonly<Record<string, string>> => flattenConfig(config);

test("random stacks break no policy", () => {
  fc.assert(
    fc.property(arbitraryConfig(), (config) => {
      const { spec, warnings } = loadStack("test", flat(config));
      const program = plannedResources(createPlan(spec, warnings));
      expect(violationsOf(program, { config: flat(config) })).toEqual([]);
    }),
    { numRuns: 40 },
  );
});

test("the pack reads of random stacks what the program reads", () => {
  fc.assert(
    fc.property(arbitraryConfig(), (config) => {
      const { spec } = load(config);
      const read = programSettings((key) => parseSetting(flat(config)[`k3s-networking:${key}`]));
      if (read?.input === undefined) throw new Error("not read");
      const { input } = read;
      const exist = ENTRIES.map((entry) => [entry.id, entry.when(spec)] as const);
      expect(ENTRIES.map((entry) => [entry.id, entry.when(input)] as const)).toEqual(exist);
      expect(input.k3s.nodePortRange).toEqual(spec.k3s.nodePortRange);
      expect({ admin: read.admin, clients: read.clients, pods: read.pods }).toEqual({
        admin: spec.access.admin,
        clients: spec.access.clients,
        pods: [spec.k3s.clusterCidr],
      });
    }),
    { numRuns: 150 },
  );
});
