import fc from "fast-check";
import { parse } from "yaml";
import { createDelivery, manifestFiles, secretManifest, type ManifestFile } from "../../plan/delivery";
import { traefikConfig } from "../../plan/traefik";
import { arbitrarySpec, specOf } from "../support/stacks";

const METALLB = {
  type: "metallb",
  pools: [{ name: "public", addresses: ["10.231.0.0/24"] }],
  bgp: { peers: [{ name: "router", myAsn: 64512, peerAsn: 64513, peerAddress: "10.230.0.1", password: "hunter2" }] },
};
const withMetallb = (): ManifestFile[] => manifestFiles(createDelivery(specOf({ loadBalancer: METALLB })).steps);
const named = (files: readonly ManifestFile[], name: string): ManifestFile | undefined =>
  files.find((file) => file.name === name);

describe("what is put into the cluster", () => {
  it("is Traefik's configuration alone by default", () => {
    const spec = specOf();
    expect(createDelivery(spec)).toEqual({
      steps: [{ kind: "object", key: "traefik-config", object: traefikConfig(spec) }],
      warnings: [],
    });
  });

  it("is nothing without Traefik", () => {
    expect(createDelivery(specOf({ k3s: { disable: ["traefik"] } })).steps).toEqual([]);
  });

  it("is MetalLB, which gives the ingress its address, and then Traefik's configuration", () => {
    expect(createDelivery(specOf({ loadBalancer: METALLB })).steps.map(({ key }) => key)).toEqual([
      "metallb-namespace",
      "metallb",
      "metallb-bgp-password-router",
      "metallb-pool-public",
      "metallb-bgp-peer-router",
      "metallb-bgp",
      "traefik-config",
    ]);
  });
});

describe("files of the auto-deploy folder", () => {
  it("are one a step, and Traefik's has the name that K3s documents", () => {
    expect(withMetallb().map(({ name }) => name)).toEqual([
      "k3s-networking-metallb-namespace.yaml",
      "k3s-networking-metallb.yaml",
      "k3s-networking-metallb-bgp-password-router.yaml",
      "k3s-networking-metallb-pool-public.yaml",
      "k3s-networking-metallb-bgp-peer-router.yaml",
      "k3s-networking-metallb-bgp.yaml",
      "traefik-config.yaml",
    ]);
  });

  it("hold the objects as they are", () => {
    expect(named(withMetallb(), "k3s-networking-metallb-pool-public.yaml")).toEqual({
      kind: "text",
      key: "metallb-pool-public",
      name: "k3s-networking-metallb-pool-public.yaml",
      text: [
        "# Written by k3s-networking: changes made here are overwritten.",
        "apiVersion: metallb.io/v1beta1",
        "kind: IPAddressPool",
        "metadata:",
        "  name: public",
        "  namespace: metallb-system",
        "spec:",
        "  addresses:",
        "    - 10.231.0.0/24",
        "  autoAssign: true",
        "  avoidBuggyIPs: false",
        "",
      ].join("\n"),
    });
  });

  it("hold a Helm release as K3s's Helm controller takes it", () => {
    const file = named(withMetallb(), "k3s-networking-metallb.yaml");
    expect(parse(file?.kind === "text" ? file.text : "")).toEqual({
      apiVersion: "helm.cattle.io/v1",
      kind: "HelmChart",
      metadata: { name: "metallb", namespace: "kube-system" },
      spec: {
        repo: "https://metallb.github.io/metallb",
        chart: "metallb",
        version: "0.16.1",
        targetNamespace: "metallb-system",
        valuesContent:
          "frrk8s:\n  enabled: false\nspeaker:\n  frr:\n    enabled: false\n  memberlist:\n    enabled: false\n",
      },
    });
  });

  it("with a password are an object, the name of the password, and a text without it", () => {
    expect(named(withMetallb(), "k3s-networking-metallb-bgp-password-router.yaml")).toEqual({
      kind: "secret",
      key: "metallb-bgp-password-router",
      name: "k3s-networking-metallb-bgp-password-router.yaml",
      text: [
        "# Written by k3s-networking: changes made here are overwritten.",
        "apiVersion: v1",
        "kind: Secret",
        "metadata:",
        "  name: bgp-password-router",
        "  namespace: metallb-system",
        "type: kubernetes.io/basic-auth",
        "",
      ].join("\n"),
      object: {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "bgp-password-router", namespace: "metallb-system" },
        type: "kubernetes.io/basic-auth",
      },
      secretFrom: { bgpPassword: "router" },
    });
  });

  it("get their password only when they are written, whatever characters it has", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (password) => {
        const file = named(withMetallb(), "k3s-networking-metallb-bgp-password-router.yaml");
        if (file?.kind !== "secret") throw new Error("not a secret");
        expect(parse(secretManifest(file.object, password))).toEqual({ ...file.object, stringData: { password } });
      }),
    );
  });

  it("never have an underscore in their names: K3s takes none", () => {
    fc.assert(
      fc.property(arbitrarySpec(), (spec) => {
        for (const { name } of manifestFiles(createDelivery(spec).steps)) {
          expect(name).toMatch(/^[a-z0-9-]+\.yaml$/);
        }
      }),
      { numRuns: 50 },
    );
    const step = {
      kind: "object",
      key: "a_b",
      object: { apiVersion: "v1", kind: "X", metadata: { name: "x" } },
    } as const;
    expect(() => manifestFiles([step])).toThrow(
      "manifest k3s-networking-a_b.yaml has an underscore in its name, which K3s does not take",
    );
  });

  it("have each their own name", () => {
    fc.assert(
      fc.property(arbitrarySpec(), (spec) => {
        const names = manifestFiles(createDelivery(spec).steps).map(({ name }) => name);
        expect(new Set(names).size).toBe(names.length);
      }),
      { numRuns: 50 },
    );
  });

  it("stay as they are when a pool is added: it brings a file of its own", () => {
    const more = { ...METALLB, pools: [...METALLB.pools, { name: "spare", addresses: ["10.233.0.0/24"] }] };
    const after = manifestFiles(createDelivery(specOf({ loadBalancer: more })).steps);
    const texts = new Map(after.map((file) => [file.name, file]));
    const changed = withMetallb().filter((file) => JSON.stringify(texts.get(file.name)) !== JSON.stringify(file));
    // The advertisement lists the pools.
    expect(changed.map(({ name }) => name)).toEqual(["k3s-networking-metallb-bgp.yaml"]);
    expect(after).toHaveLength(withMetallb().length + 1);
  });
});
