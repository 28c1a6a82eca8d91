import { createDelivery, manifestFiles } from "../../plan/delivery";
import { serviceMeshSteps } from "../../plan/service-mesh";
import type { ClusterStep, HelmReleasePlan } from "../../plan/types";
import type { ClusterSpec } from "../../spec/types";
import { specOf, type Settings } from "../support/stacks";

const REPOSITORY = "https://istio-release.storage.googleapis.com/charts";

const istio = (over: Settings = {}, stack: Settings = {}): ClusterSpec =>
  specOf({ serviceMesh: { type: "istio", version: "1.30.3", ...over }, ...stack });

const release = (name: string, chart: string, values: object): ClusterStep => ({
  kind: "helmRelease",
  key: name,
  release: {
    name,
    namespace: "istio-system",
    chart,
    repository: REPOSITORY,
    version: "1.30.3",
    values: values as HelmReleasePlan["values"],
  },
});

function values(spec: ClusterSpec, key: string): HelmReleasePlan["values"] {
  const step = serviceMeshSteps(spec).find((one) => one.key === key);
  return step?.kind === "helmRelease" ? step.release.values : {};
}

describe("Istio in ambient mode", () => {
  test("is put in place in the order in which each chart needs the ones before", () => {
    const privileged = {
      "pod-security.kubernetes.io/enforce": "privileged",
      "pod-security.kubernetes.io/audit": "privileged",
      "pod-security.kubernetes.io/warn": "privileged",
    };
    expect(serviceMeshSteps(istio())).toEqual([
      {
        kind: "object",
        key: "istio-namespace",
        object: { apiVersion: "v1", kind: "Namespace", metadata: { name: "istio-system", labels: privileged } },
      },
      release("istio-base", "base", {}),
      release("istiod", "istiod", { profile: "ambient", global: { proxy: { clusterDomain: "cluster.local" } } }),
      release("istio-cni", "cni", {
        profile: "ambient",
        global: { platform: "k3s" },
        ambient: { ipv6: false },
      }),
      release("ztunnel", "ztunnel", { profile: "ambient" }),
    ]);
  });

  test("finds K3s's own CNI folders only where flannel keeps its configuration there", () => {
    for (const cni of ["calico", "cilium", "none"]) {
      expect([cni, values(istio({}, { cni }), "istio-cni")]).toEqual([
        cni,
        { profile: "ambient", ambient: { ipv6: false } },
      ]);
    }
  });

  test("knows the cluster's domain; own values of istiod win", () => {
    const spec = istio(
      { values: { resources: { requests: { memory: "512Mi" } }, global: { logAsJson: true } } },
      { k3s: { clusterDomain: "corp.local" } },
    );
    expect(values(spec, "istiod")).toEqual({
      profile: "ambient",
      global: { proxy: { clusterDomain: "corp.local" }, logAsJson: true },
      resources: { requests: { memory: "512Mi" } },
    });
  });

  test("is there before the namespaces whose pods it takes: in the end they are let out before it goes", () => {
    const order = createDelivery(istio({ namespaces: ["apps"] })).steps.map(({ key }) => key);
    expect(order.slice(-6)).toEqual([
      "istio-namespace",
      "istio-base",
      "istiod",
      "istio-cni",
      "ztunnel",
      "namespace-apps",
    ]);
  });

  test("its own namespace goes with it, and those of workloads stay", () => {
    const files = manifestFiles(createDelivery(istio({ namespaces: ["apps"] })).steps);
    const kept = files.flatMap((file) => (file.kind === "text" && file.retain ? [file.key] : []));
    expect(kept).toEqual(["namespace-apps"]);
  });
});

test("without a mesh nothing of it is put into the cluster", () => {
  expect(serviceMeshSteps(specOf())).toEqual([]);
  expect(serviceMeshSteps(specOf({ serviceMesh: "none" }))).toEqual([]);
});
