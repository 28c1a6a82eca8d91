/**
 * What every accepted stack has exactly one of: a CNI, a proxy of Services, a DNS at the cluster's DNS address; and at most one load balancer of
 * Services. Told by what is configured and installed, not by what the plan says of itself.
 */
import fc from "fast-check";
import { parse } from "yaml";
import { createPlan } from "../../plan";
import { showTemplate } from "../../plan/template";
import type { ClusterPlan, HelmReleasePlan } from "../../plan/types";
import { StackProblems } from "../../spec/problems";
import type { ClusterSpec } from "../../spec/types";
import { covering, type Row } from "../support/covering";
import { LAYERS, NEVER, layerConfig } from "../support/layer-stacks";
import { arbitraryConfig, existingStack, load, type StackConfig } from "../support/stacks";

/** What runs in the cluster, by the layer's word for it. */
interface Found {
  readonly cni: readonly string[];
  readonly proxy: readonly string[];
  readonly dns: readonly string[];
  readonly balancer: readonly string[];
}

function at(values: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined),
    values,
  );
}

function found(spec: ClusterSpec, plan: ClusterPlan): Found {
  const config = parse(showTemplate(plan.k3s.serverConfig)) as Record<string, unknown>;
  const disabled = (config["disable"] ?? []) as readonly string[];
  const releases = plan.delivery.steps.flatMap((step) => (step.kind === "helmRelease" ? [step.release] : []));
  const release = (chart: string): HelmReleasePlan | undefined => releases.find((one) => one.chart === chart);
  const objects = plan.delivery.steps.flatMap((step) => (step.kind === "object" ? [step.object.kind] : []));
  const [calico, cilium, coredns] = ["tigera-operator", "cilium", "coredns"].map(release);
  const dns = String(config["cluster-dns"]).split(",")[0];
  const warned = (code: string): boolean => plan.warnings.some((warning) => warning.code === code);
  const of = (...all: readonly (readonly [string, boolean])[]): string[] =>
    all.filter(([, there]) => there).map(([name]) => name);
  return {
    cni: of(
      ["flannel", config["flannel-backend"] !== "none"],
      ["calico", calico !== undefined],
      ["cilium", cilium !== undefined],
      ["own", spec.cni.type === "none"],
    ),
    proxy: of(
      ["kube-proxy", config["disable-kube-proxy"] !== true],
      ["calico", at(calico?.values, "installation", "calicoNetwork", "linuxDataplane") === "BPF"],
      ["cilium", at(cilium?.values, "kubeProxyReplacement") === true],
      // The operator's own: warned of, unless the CNI is the operator's too, which may bring it.
      ["own", warned("no-service-proxy") || (warned("own-cni") && config["disable-kube-proxy"] === true)],
    ),
    dns: of(
      ["packaged", !disabled.includes("coredns")],
      ["chart", coredns !== undefined && [dns].flat().includes(String(at(coredns.values, "service", "clusterIP")))],
      ["own", warned("no-dns")],
    ),
    balancer: of(
      ["servicelb", !disabled.includes("servicelb")],
      ["metallb", release("metallb") !== undefined],
      ["cilium", objects.includes("CiliumLoadBalancerIPPool")],
      ["aws", release("aws-load-balancer-controller") !== undefined],
    ),
  };
}

function check(config: StackConfig): Found | undefined {
  let loaded: ReturnType<typeof load>;
  try {
    loaded = load(config);
  } catch (error) {
    if (error instanceof StackProblems) return undefined;
    throw error;
  }
  const layers = found(loaded.spec, createPlan(loaded.spec, loaded.warnings));
  expect({ ...layers, one: [layers.cni.length, layers.proxy.length, layers.dns.length] }).toEqual({
    ...layers,
    one: [1, 1, 1],
  });
  expect(layers.balancer.length).toBeLessThanOrEqual(1);
  return layers;
}

test("every stack of the covering array has what it names, and nothing beside it", () => {
  const proxies: Row = { "kube-proxy": "kube-proxy", own: "own" };
  const dns: Row = { coredns: "packaged", "node-local": "packaged", "coredns-chart": "chart", own: "own" };
  for (const row of covering(LAYERS, NEVER).rows) {
    const cni = row["cni"]!.split("-")[0]!;
    const balancer = row["balancer"]!.split("-")[0]!;
    expect({ row, layers: check(layerConfig(row)) }).toEqual({
      row,
      layers: {
        cni: [cni],
        proxy: [proxies[row["proxy"]!] ?? cni],
        dns: [dns[row["dns"]!]],
        balancer: balancer === "none" ? [] : [balancer],
      },
    });
  }
});

const anyRow = fc.record(
  Object.fromEntries(Object.entries(LAYERS).map(([name, values]) => [name, fc.constantFrom<string>(...values)])),
);

test("any combination that is accepted has one of each", () => {
  let accepted = 0;
  fc.assert(
    fc.property(anyRow, (row) => {
      if (check(layerConfig(row)) !== undefined) accepted++;
    }),
    { numRuns: 300 },
  );
  expect(accepted).toBeGreaterThan(20);
});

test("random stacks have one of each", () => {
  fc.assert(
    fc.property(fc.oneof(arbitraryConfig(), existingStack()), (config) => {
      expect(check(config)).toBeDefined();
    }),
    { numRuns: 100 },
  );
});
