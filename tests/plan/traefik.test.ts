import fc from "fast-check";
import { parse } from "yaml";
import { createPlan } from "../../plan";
import { mergeValues } from "../../plan/helm-values";
import { traefikConfig, traefikValues, traefikWarnings } from "../../plan/traefik";
import { specOf, type Settings } from "../support/stacks";

const values = (traefik: Settings, version = "v1.36.5+k3s1"): unknown =>
  traefikValues(specOf({ k3s: { version }, traefik }));

describe("the HelmChartConfig", () => {
  it("configures the packaged Traefik, whole", () => {
    expect(traefikConfig(specOf({ traefik: { failurePolicy: "abort" } }))).toEqual({
      apiVersion: "helm.cattle.io/v1",
      kind: "HelmChartConfig",
      metadata: { name: "traefik", namespace: "kube-system" },
      spec: {
        valuesContent: [
          "deployment:",
          "  replicas: 1",
          "service:",
          "  spec:",
          "    externalTrafficPolicy: Cluster",
          "ports:",
          "  web:",
          "    http:",
          "      redirections:",
          "        entryPoint:",
          "          to: websecure",
          "          scheme: https",
          "          permanent: true",
          "",
        ].join("\n"),
        failurePolicy: "abort",
      },
    });
  });

  it("holds the values as YAML text, which every Helm controller reads", () => {
    const spec = specOf({ traefik: { replicas: 2, values: { logs: { general: { level: "DEBUG" } } } } });
    expect(parse(traefikConfig(spec)?.spec?.["valuesContent"] as string)).toEqual(traefikValues(spec));
  });

  it("is not there with Traefik disabled", () => {
    expect(traefikConfig(specOf({ k3s: { disable: ["traefik"] } }))).toBeUndefined();
  });
});

describe("HTTP to HTTPS, in the syntax of each chart", () => {
  it.each([
    ["v1.25.2+k3s1", 10, { redirectTo: "websecure" }],
    ["v1.25.15+k3s1", 21, { redirectTo: "websecure" }],
    ["v1.25.15+k3s2", 25, { redirectTo: { port: "websecure" } }],
    ["v1.31.2+k3s1", 27, { redirectTo: { port: "websecure" } }],
    ["v1.32.2+k3s1", 34, { redirections: { entryPoint: { to: "websecure", scheme: "https", permanent: true } } }],
    ["v1.34.3+k3s3", 38, { redirections: { entryPoint: { to: "websecure", scheme: "https", permanent: true } } }],
    [
      "v1.35.2+k3s1",
      39,
      { http: { redirections: { entryPoint: { to: "websecure", scheme: "https", permanent: true } } } },
    ],
    [
      "v1.37.1+k3s1",
      41,
      { http: { redirections: { entryPoint: { to: "websecure", scheme: "https", permanent: true } } } },
    ],
  ])("%s (chart %i)", (version, _chart, web) => {
    expect(values({}, version)).toEqual({
      deployment: { replicas: 1 },
      service: { spec: { externalTrafficPolicy: "Cluster" } },
      ports: { web },
    });
  });

  it("is not there when it is switched off", () => {
    expect(values({ redirectToHttps: false })).toEqual({
      deployment: { replicas: 1 },
      service: { spec: { externalTrafficPolicy: "Cluster" } },
    });
  });
});

describe("port 80 closed", () => {
  it.each([
    ["v1.25.2+k3s1", false],
    ["v1.30.4+k3s1", false],
    ["v1.31.2+k3s1", { default: false }],
    ["v1.36.5+k3s1", { default: false }],
  ])("takes it off Traefik's Service (%s)", (version, expose) => {
    expect(values({ openHttp: false, redirectToHttps: false }, version)).toMatchObject({ ports: { web: { expose } } });
  });

  it("leaves the redirect in place, for whoever exposes it again", () => {
    expect(values({ openHttp: false }, "v1.32.2+k3s1")).toMatchObject({
      ports: {
        web: {
          expose: { default: false },
          redirections: { entryPoint: { to: "websecure", scheme: "https", permanent: true } },
        },
      },
    });
  });
});

describe("trusted proxies", () => {
  const trustedProxies = ["10.0.0.0/8", "192.0.2.7/32"];
  const trust = { forwardedHeaders: { trustedIPs: trustedProxies }, proxyProtocol: { trustedIPs: trustedProxies } };

  it.each(["v1.25.4+k3s1", "v1.32.2+k3s1", "v1.36.5+k3s1", "v1.37.1+k3s1"])(
    "are believed on both entry points (%s)",
    (version) => {
      expect(values({ trustedProxies, redirectToHttps: false }, version)).toEqual({
        deployment: { replicas: 1 },
        service: { spec: { externalTrafficPolicy: "Cluster" } },
        ports: { web: trust, websecure: trust },
      });
    },
  );

  it.each(["v1.25.0+k3s1", "v1.25.3+k3s1"])(
    "are given as flags to a chart that would ignore the values (%s)",
    (version) => {
      expect(values({ trustedProxies, redirectToHttps: false }, version)).toEqual({
        deployment: { replicas: 1 },
        service: { spec: { externalTrafficPolicy: "Cluster" } },
        additionalArguments: [
          "--entrypoints.web.forwardedHeaders.trustedIPs=10.0.0.0/8,192.0.2.7/32",
          "--entrypoints.web.proxyProtocol.trustedIPs=10.0.0.0/8,192.0.2.7/32",
          "--entrypoints.websecure.forwardedHeaders.trustedIPs=10.0.0.0/8,192.0.2.7/32",
          "--entrypoints.websecure.proxyProtocol.trustedIPs=10.0.0.0/8,192.0.2.7/32",
        ],
      });
    },
  );

  it("say nothing when there are none, in any chart", () => {
    expect(values({ redirectToHttps: false }, "v1.25.0+k3s1")).not.toHaveProperty("additionalArguments");
    expect(values({ redirectToHttps: false })).not.toHaveProperty("ports");
  });
});

describe("Traefik's Service", () => {
  it("has the stack's annotations, policy and ServiceLB pool", () => {
    const spec = specOf({
      nodes: [{ pool: "server", role: "server", serviceLb: { enabled: true, pool: "edge" } }],
      traefik: { annotations: { "example.com/a": "b" }, externalTrafficPolicy: "Local", lbPool: "edge", replicas: 3 },
    });
    expect(traefikValues(spec)).toMatchObject({
      deployment: { replicas: 3 },
      service: {
        annotations: { "example.com/a": "b" },
        labels: { "svccontroller.k3s.cattle.io/lbpool": "edge" },
        spec: { externalTrafficPolicy: "Local" },
      },
    });
  });

  it("never has the keys that chart 40 refuses outside service.spec", () => {
    const spec = specOf({ k3s: { version: "v1.37.1+k3s1" }, traefik: { annotations: { a: "b" } } });
    expect(Object.keys(traefikValues(spec)["service"] as object)).toEqual(["annotations", "spec"]);
  });
});

describe("values of the stack's own", () => {
  it("come last, key by key; lists replace", () => {
    const own = {
      deployment: { replicas: 5, podAnnotations: { a: "b" } },
      ports: { web: { forwardedHeaders: { trustedIPs: ["172.16.0.0/12"] } } },
      providers: { kubernetesCRD: { enabled: false } },
    };
    expect(values({ trustedProxies: ["10.0.0.0/8"], redirectToHttps: false, values: own })).toEqual({
      deployment: { replicas: 5, podAnnotations: { a: "b" } },
      service: { spec: { externalTrafficPolicy: "Cluster" } },
      ports: {
        web: { forwardedHeaders: { trustedIPs: ["172.16.0.0/12"] }, proxyProtocol: { trustedIPs: ["10.0.0.0/8"] } },
        websecure: { forwardedHeaders: { trustedIPs: ["10.0.0.0/8"] }, proxyProtocol: { trustedIPs: ["10.0.0.0/8"] } },
      },
      providers: { kubernetesCRD: { enabled: false } },
    });
  });

  it("may be null, which takes a default away", () => {
    expect(mergeValues({ a: { b: 1, c: 2 } }, { a: { b: null } })).toEqual({ a: { b: null, c: 2 } });
  });

  it("replace a scalar by a mapping, and the other way round", () => {
    expect(mergeValues({ a: 1, b: { c: 2 } }, { a: { x: 1 }, b: 3 })).toEqual({ a: { x: 1 }, b: 3 });
  });

  const tree = fc.dictionary(
    fc.string(),
    fc.oneof(fc.integer(), fc.array(fc.integer()), fc.dictionary(fc.string(), fc.integer())),
  );

  it("merged twice change nothing more, and merged into nothing stay as they are", () => {
    fc.assert(
      fc.property(tree, tree, (base, over) => {
        const once = mergeValues(base, over);
        expect(mergeValues(once, over)).toEqual(once);
        expect(mergeValues({}, over)).toEqual(over);
        expect(mergeValues(base, {})).toEqual(base);
      }),
    );
  });
});

describe("a K3s release newer than the chart table", () => {
  const newer = { k3s: { version: "v1.99.0+k3s1" } };
  const warning = {
    code: "traefik-chart-unknown",
    path: "k3s.version",
    message:
      "is newer than the table of Traefik charts (v1.99.0+k3s1); Traefik's values are written for chart 41, the newest one known",
    remedy: "compare the Traefik chart in the release's notes, and correct differences through traefik.values",
  };

  it("gets the newest syntax, and a warning", () => {
    expect(traefikWarnings(specOf(newer))).toEqual([warning]);
    expect(traefikValues(specOf(newer))).toEqual(values({}, "v1.37.1+k3s1"));
    expect(createPlan(specOf(newer)).warnings).toContainEqual(warning);
  });

  it("says nothing of Traefik's own chart, which is warned about by its own version", () => {
    const own = (version: string) => specOf({ ...newer, ingress: { type: "traefik-chart", version } });
    expect(traefikWarnings(own("41.3.0"))).toEqual([]);
    expect(traefikWarnings(own("42.0.0"))).toEqual([
      {
        code: "traefik-chart-unknown",
        path: "ingress.version",
        message:
          "is newer than the charts that the program knows (42.0.0); Traefik's values are written for chart 41, the newest one known",
        remedy: "compare the chart's release notes, and correct differences through traefik.values",
      },
    ]);
  });

  it("gets no warning without Traefik", () => {
    expect(traefikWarnings(specOf({ k3s: { version: "v1.99.0+k3s1", disable: ["traefik"] } }))).toEqual([]);
  });

  it("is the only one warned about", () => {
    expect(traefikWarnings(specOf())).toEqual([]);
  });
});
