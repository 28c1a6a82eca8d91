/** The pack on stacks of every alternative: it reads of them what the program reads, and finds nothing in what the program declares. */
import { ENTRIES } from "../../catalogue/ports";
import { createPlan } from "../../plan";
import { parseSetting, programSettings } from "../../policy/program-settings";
import { flattenConfig, loadStack } from "../../spec/load";
import { covering } from "../support/covering";
import { LAYERS, NEVER, layerConfig, rowOf } from "../support/layer-stacks";
import { plannedResources, violationsOf } from "./support";

const stacks = covering(LAYERS, NEVER).rows.map((row) => {
  const config = flattenConfig(layerConfig(row));
  const words = Object.entries(row).map(([name, value]) => `${name}=${value}`);
  return [words.join(" "), config] as const;
});

test.each(stacks)("%s", (words, config) => {
  const { spec, warnings } = loadStack("test", config);
  const read = programSettings((key) => parseSetting(config[`k3s-networking:${key}`]));
  expect(ENTRIES.map((entry) => [entry.id, read?.input !== undefined && entry.when(read.input)])).toEqual(
    ENTRIES.map((entry) => [entry.id, entry.when(spec)]),
  );
  if (spec.target !== "aws") return;
  const program = plannedResources(createPlan(spec, warnings));
  expect(program.length).toBeGreaterThan(10);
  expect({ words, found: violationsOf(program, { config }) }).toEqual({ words, found: [] });
});

describe("protocols without ports are allowed exactly as the catalogue has them", () => {
  const configOf = (cni: string): Readonly<Record<string, string>> => flattenConfig(layerConfig(rowOf({ cni })));
  const changed = (cni: string, entry: string, over: object): readonly string[] => {
    const config = configOf(cni);
    const { spec, warnings } = loadStack("test", config);
    const plan = createPlan(spec, warnings);
    const rule = plan.rules.find(({ entries, direction }) => direction === "ingress" && entries.includes(entry))!;
    const program = plannedResources(plan).map((resource) =>
      resource.name === `k3s-${rule.key}` ? { ...resource, props: { ...resource.props, ...over } } : resource,
    );
    return violationsOf(program, { config }).map(({ policy }) => policy);
  };
  test.each<[string, string, string, object, readonly string[]]>([
    ["as it is", "cilium", "cilium-health-echo", {}, []],
    ["by its number", "cilium", "cilium-health-echo", { ipProtocol: "1" }, []],
    ["every ICMP message", "cilium", "cilium-health-echo", { fromPort: -1, toPort: -1 }, ["catalogue-ports"]],
    ["another ICMP message", "cilium", "cilium-health-echo", { fromPort: 5 }, ["catalogue-ports"]],
    ["as it is", "calico-ipip", "calico-ipip", {}, []],
    ["GRE in the place of IP in IP", "calico-ipip", "calico-ipip", { ipProtocol: "47" }, ["catalogue-ports"]],
    [
      "IP in IP from a network",
      "calico-ipip",
      "calico-ipip",
      { referencedSecurityGroupId: undefined, cidrIpv4: "10.9.0.0/16" },
      ["catalogue-ports"],
    ],
  ])("%s: %s", (_words, cni, entry, over, expected) => {
    expect(changed(cni, entry, over)).toEqual(expected);
  });
  test("IP in IP without Calico is in no catalogue", () => {
    const config = configOf("calico");
    const { spec, warnings } = loadStack("test", configOf("calico-ipip"));
    const found = violationsOf(plannedResources(createPlan(spec, warnings)), { config });
    expect(found.map(({ message }) => message.split(" from ")[0]).sort()).toEqual(["TCP 179", "ipip"]);
  });
});
