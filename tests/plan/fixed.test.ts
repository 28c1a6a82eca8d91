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
    loadBalancer: "not aws",
    "network.vpcCidr": "10.0.0.0/16",
    ipFamilies: "ipv4",
    "k3s.clusterCidr": "10.42.0.0/16",
    "k3s.serviceCidr": "10.43.0.0/16",
    cni: "flannel",
    "k3s.flannelBackend": "vxlan",
    dns: "coredns",
    ingress: "traefik",
    "ingress.chart": "Traefik as K3s packages it",
    traefik: "v3",
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
    "AWS's load balancers",
    { loadBalancer: "aws" },
    'loadBalancer: changes ("aws"): AWS\'s load balancers find nodes by an ID that each got when it joined, and that stays; allowed once the cluster is there: "not aws"; set it back; for another value, build a new stack and move the workloads to it [fixed-setting]',
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
  [
    "the CNI",
    { cni: "calico", delivery: "manifests" },
    'cni: changes ("calico"): running pods keep what the old CNI gave them, nodes keep its routes and rules, and no node reaches the pods of one with the other; allowed once the cluster is there: "flannel"; set it back; for another value, build a new stack and move the workloads to it [fixed-setting]',
  ],
  [
    "the DNS",
    { dns: "coredns-chart" },
    'dns: changes ("coredns-chart"): no name is resolved between the end of the old cluster DNS and the first answer of the new one; the cluster has: "coredns"; do it in a maintenance window [layer-change]',
  ],
])("%s", (_what, settings, line) => {
  expect(fixedChanges(planOf().fixed, planOf(settings)).map(formatProblem)).toEqual([line]);
});

test("a chart's version that has a change behind it which the last update's had not is told, with the steps", () => {
  const metallb = (version: string): Settings => ({
    loadBalancer: {
      type: "metallb",
      version,
      pools: [{ name: "public", addresses: ["198.51.100.0/24"] }],
      bgp: { peers: [{ name: "router", myAsn: 64512, peerAsn: 64513, peerAddress: "10.0.0.1" }] },
    },
  });
  const changes = (from: string, to: string): string[] =>
    fixedChanges(planOf(metallb(from)).fixed, planOf(metallb(to))).map(formatProblem);
  expect(changes("0.15.2", "0.16.1")).toEqual([
    'charts.metallb: changes ("0.16.0 or newer"): from 0.16.0 on speakers and controller serve their metrics on other ports; the cluster has: "before 0.16.0"; tell what collects MetalLB\'s metrics; with exposeMetrics the rules follow by themselves [layer-change]',
  ]);
  expect(changes("0.16.0", "0.16.1")).toEqual([]);
  expect(changes("0.14.9", "0.15.2")).toEqual([]);
  // Another load balancer says nothing of MetalLB's versions.
  expect(fixedChanges(planOf(metallb("0.15.2")).fixed, planOf())).toEqual([]);
});

test("another encapsulation or proxy of the same CNI goes through, and is told", () => {
  const calico = (over: Settings): Settings => ({ cni: { type: "calico", ...over }, delivery: "manifests" });
  const before = planOf(calico({})).fixed;
  expect(fixedChanges(before, planOf(calico({ encapsulation: "ipip" }))).map(formatProblem)).toEqual([
    'cni.encapsulation: changes ("IPIP"): nodes cannot reach each other\'s pods until the last of them has the new encapsulation, and pods keep their MTU until they start anew; the cluster has: "VXLAN"; do it in a maintenance window, and restart the workloads after it [layer-change]',
  ]);
  const proxied = fixedChanges({ ...before, "cni.replaceKubeProxy": "true" }, planOf(calico({})));
  expect(proxied.map(({ code, path }) => [code, path])).toEqual([["layer-change", "cni.replaceKubeProxy"]]);
});

test("another ingress controller goes through, with the steps", () => {
  const changes = fixedChanges(planOf().fixed, planOf({ ingress: "haproxy" }));
  expect(changes.map(formatProblem)).toEqual([
    "ingress: changes (\"haproxy\"): the old controller's Service keeps its ports on the nodes until it is gone, so that the new one's stays Pending; the new one does not know the old one's own objects (IngressRoute, Middleware, VirtualServer), and K3s removes those of the packaged Traefik together with their definitions; the cluster has: \"traefik\"; do it in a maintenance window: keep copies of those objects, update once with ingress: none, wait until the old controller's pods, Service and definitions are gone, then update with the new one; give Ingress objects that name the old class (ingressClassName) the new one [ingress-change]",
  ]);
});

test("one Traefik in another's place is refused, and goes by way of none", () => {
  const own = { ingress: "traefik-chart" };
  const [packaged, chart, none] = [planOf(), planOf(own), planOf({ ingress: "none" })];
  expect(fixedChanges(packaged.fixed, chart).map(formatProblem)).toEqual([
    expect.stringMatching(/^ingress: changes .* \[ingress-change\]$/) as string,
    'ingress.chart: changes ("Traefik\'s own"): both charts bring the same definitions and the same class: the new one cannot be installed while the old one\'s are there, and would lose them when K3s removes its own; allowed once the cluster is there: "Traefik as K3s packages it"; keep copies of IngressRoute and Middleware objects, update once with ingress: none, wait until the old Traefik is gone (kubectl get helmcharts -n kube-system), delete the definitions of traefik.io that are left, then update with the other one [fixed-setting]',
  ]);
  expect(fixedChanges(chart.fixed, packaged).map(({ code }) => code)).toContain("fixed-setting");
  for (const [before, after] of [
    [packaged, none],
    [none, chart],
    [chart, none],
    [none, packaged],
  ] as const) {
    expect(fixedChanges(before.fixed, after).map(({ code }) => code)).toEqual(["ingress-change"]);
  }
});

test("another chart version of a controller goes through, with what Helm leaves undone", () => {
  const at = (type: string, version: string) => planOf({ ingress: { type, version } });
  expect(fixedChanges(at("nginx", "2.4.0").fixed, at("nginx", "2.6.4")).map(formatProblem)).toEqual([
    'ingress.version: changes ("2.6.4"): Helm leaves the definitions of the controller\'s own kinds as they are, and the new version may need newer ones; the cluster has: "2.4.0"; apply the definitions of the new version before the update, as the chart\'s notes on upgrading say (kubectl apply --server-side --force-conflicts, with the chart\'s folder crds) [ingress-definitions]',
  ]);
  const traefik = fixedChanges(at("traefik-chart", "40.3.0").fixed, at("traefik-chart", "41.3.0"));
  expect(traefik.map(({ code }) => code)).toEqual(["ingress-definitions"]);
  // HAProxy's chart has a job for them.
  expect(fixedChanges(at("haproxy", "1.46.0").fixed, at("haproxy", "1.52.1"))).toEqual([]);
  expect(fixedChanges(at("nginx", "2.4.0").fixed, planOf()).map(({ code }) => code)).toEqual(["ingress-change"]);
});

describe("Traefik's history", () => {
  const at = (version: string, traefik: Settings = {}) => planOf({ k3s: { version }, traefik });

  test("an upgrade from Traefik v2 to v3 is told with the steps", () => {
    expect(fixedChanges(at("v1.31.14+k3s1").fixed, at("v1.32.2+k3s1")).map(formatProblem)).toEqual([
      'traefik: changes ("v3"): Traefik v3 does not serve objects of traefik.containo.us, which v2 still did, and reads rules of IngressRoute objects in a syntax of its own; the cluster has: "v2"; before the update, move those objects to apiVersion traefik.io/v1alpha1, try the new major on another stack, and follow Traefik\'s guide (Migrate, From v2 to v3); core.defaultRuleSyntax: v2 in traefik.values keeps the old rules for the time being [traefik-major-change]',
    ]);
  });

  test.each([
    ["v1.31.14+k3s1", "v1.32.1+k3s1", []],
    ["v1.32.1+k3s1", "v1.32.2+k3s1", ["traefik-major-change"]],
    ["v1.36.5+k3s1", "v1.31.14+k3s1", ["traefik-major-change"]],
    ["v1.34.5+k3s1", "v1.37.1+k3s1", []],
  ])("from %s to %s", (before, after, codes) => {
    expect(fixedChanges(at(before).fixed, at(after)).map(({ code }) => code)).toEqual(codes);
  });

  test("values of the stack's own are told of where the chart's major changes, with what moved", () => {
    const values = { deployment: { podLabels: { a: "b" } } };
    const [before, same, after] = ["v1.36.0+k3s1", "v1.36.1+k3s1", "v1.37.1+k3s1"].map((one) => at(one, { values }));
    expect(before?.fixed["traefik.values"]).toBe("chart 39");
    expect(fixedChanges(before?.fixed, same!)).toEqual([]);
    expect(fixedChanges(before?.fixed, after!).map(formatProblem)).toEqual([
      'traefik.values: changes ("chart 41"): the values of the stack\'s own were written for another major of Traefik\'s chart, which may have them in other places; the cluster has: "chart 39"; compare traefik.values with the new chart: from 27 on ports.X.expose is a mapping (expose: {default: true}); from 33 on certResolvers is certificatesResolvers, in Traefik\'s own syntax; from 34 on ports.X.redirectTo is ports.X.redirections; from 36 on globalArguments is global; from 39 on ports.X.redirections, middlewares and tls are under ports.X.http; from 40 on keys of the Service are under service.spec; from 41 on logs.general is log, logs.access is accessLog, providers.file.content is a mapping [traefik-values-change]',
    ]);
    expect(fixedChanges(before?.fixed, at("v1.37.1+k3s1"))).toEqual([]);
  });

  test("Traefik's own chart counts by its own version", () => {
    const own = planOf({ ingress: { type: "traefik-chart", version: "39.0.9" } });
    expect(own.fixed).toMatchObject({ ingress: "traefik-chart", traefik: "v3" });
    expect(planOf({ ingress: "nginx" }).fixed).not.toHaveProperty("traefik");
  });
});

test("an update of before there were other CNIs had flannel", () => {
  const last = { target: "aws", "k3s.flannelBackend": "vxlan" };
  const changes = fixedChanges(last, planOf({ cni: "cilium", delivery: "manifests" }));
  expect(changes.map(({ code, path }) => [code, path])).toEqual([["fixed-setting", "cni"]]);
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
