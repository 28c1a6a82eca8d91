/** What cannot change once the cluster is there. */
import fc from "fast-check";
import { createPlan } from "../../plan";
import { fixedChanges } from "../../plan/fixed";
import { formatProblem } from "../../spec/problems";
import { arbitraryConfig, load, specOf, type Settings } from "../support/stacks";

const planOf = (settings: Settings = {}) => createPlan(specOf(settings));
const vpc = {
  id: "vpc-0a1b",
  cidr: "10.40.0.0/16",
  externalSubnets: [{ id: "subnet-0a", cidr: "10.40.0.0/24", availabilityZone: "eu-west-1a" }],
};

test("the values of a stack, by setting", () => {
  expect(planOf().fixed).toEqual({
    target: "aws",
    layout: "shared",
    "network.vpcCidr": "10.0.0.0/16",
    "k3s.clusterCidr": "10.42.0.0/16",
    "k3s.serviceCidr": "10.43.0.0/16",
    "k3s.flannelBackend": "vxlan",
  });
  expect(planOf({ network: { vpc } }).fixed["network.vpc.id"]).toBe("vpc-0a1b");
});

test.each<[string, Settings, string]>([
  [
    "layout",
    { layout: "segregated" },
    'layout: changes ("segregated"): every node\'s address would change under the cluster; allowed once the cluster is there: "shared"; set it back; for another value, build a new stack and move the workloads to it [fixed-setting]',
  ],
  [
    "serviceCidr",
    { k3s: { serviceCidr: "10.99.0.0/16" } },
    'k3s.serviceCidr: changes ("10.99.0.0/16"): K3s cannot change the network of services; allowed once the cluster is there: "10.43.0.0/16"; set it back; for another value, build a new stack and move the workloads to it [fixed-setting]',
  ],
  [
    "a created VPC that becomes a reused one",
    { network: { vpc } },
    'network.vpcCidr: changes (not given): another VPC replaces every node at once; allowed once the cluster is there: "10.0.0.0/16"; set it back; for another value, build a new stack and move the workloads to it [fixed-setting]',
  ],
  [
    "flannelBackend",
    { k3s: { flannelBackend: "wireguard-native" } },
    'k3s.flannelBackend: changes ("wireguard-native"): nodes cannot reach each other\'s pods until the last of them has the new backend; the cluster has: "vxlan"; do it in a maintenance window, or build a new stack, as K3s\'s maintainers advise [flannel-backend-change]',
  ],
])("%s", (_what, settings, line) => {
  expect(fixedChanges(planOf().fixed, planOf(settings)).map(formatProblem)).toEqual([line]);
});

test.each([undefined, null, "text", 7, {}, { layout: 3 }, { "no.such.setting": "x" }])(
  "before the first update, and for outputs of another shape (%j): nothing",
  (last) => {
    expect(fixedChanges(last, planOf())).toEqual([]);
  },
);

test("no stack changes anything against itself", () => {
  fc.assert(
    fc.property(arbitraryConfig(), (config) => {
      const plan = createPlan(load(config).spec);
      expect(fixedChanges(JSON.parse(JSON.stringify(plan.fixed)), plan)).toEqual([]);
    }),
    { numRuns: 50 },
  );
});
