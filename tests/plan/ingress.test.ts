/** The ingress controllers with charts of their own: what is installed, with which values. */
import fc from "fast-check";
import { CHARTS } from "../../catalogue/charts";
import { INGRESS_CONTROLLERS } from "../../catalogue/ingress";
import { INGRESS_PODS } from "../../catalogue/ingress-pods";
import { ingressSteps } from "../../plan/ingress";
import type { HelmReleasePlan } from "../../plan/types";
import { specOf, type Settings } from "../support/stacks";

const WORLD = { access: { clients: ["0.0.0.0/0"] } };
const EDGE = { nodes: [{ pool: "server", role: "server", serviceLb: { enabled: true, pool: "edge" } }] };

/** Every setting that all controllers have, none of them the default. */
const ALL = {
  redirectToHttps: false,
  openHttp: false,
  replicas: 3,
  externalTrafficPolicy: "Local",
  trustedProxies: ["10.0.0.0/8", "192.0.2.7/32"],
  annotations: { "example.com/a": "b" },
  lbPool: "edge",
};

function releaseOf(settings: Settings): HelmReleasePlan {
  const step = ingressSteps(specOf({ ...WORLD, ...settings })).at(-1);
  if (step?.kind !== "helmRelease") throw new Error("no release");
  return step.release;
}

const valuesOf = (settings: Settings): unknown => releaseOf(settings).values;

describe("what is installed", () => {
  it.each([
    ["traefik-chart", "traefik", "traefik-ingress", "https://traefik.github.io/charts", "traefik"],
    ["nginx", "nginx-ingress", "nginx-ingress", "https://helm.nginx.com/stable", "nginx-ingress"],
    ["haproxy", "haproxy-controller", "haproxy", "https://haproxytech.github.io/helm-charts", "kubernetes-ingress"],
  ])("%s: its chart, in a namespace of its own that is made before", (ingress, namespace, name, repository, chart) => {
    const steps = ingressSteps(specOf({ ingress }));
    expect(steps.map(({ kind, key }) => [kind, key])).toEqual([
      ["object", "ingress-namespace"],
      ["helmRelease", "ingress"],
    ]);
    expect(steps[0]).toMatchObject({ object: { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } } });
    expect(steps[1]).toMatchObject({ release: { name, namespace, repository, chart } });
  });

  it("has the chart's version of the catalogue, or the stack's", () => {
    expect(releaseOf({ ingress: "nginx" }).version).toBe(CHARTS.nginx.version);
    expect(releaseOf({ ingress: { type: "haproxy", version: "1.46.0" } }).version).toBe("1.46.0");
  });

  it("is one object for the packaged Traefik, and nothing for none", () => {
    expect(ingressSteps(specOf()).map(({ key }) => key)).toEqual(["traefik-config"]);
    expect(ingressSteps(specOf({ ingress: "none" }))).toEqual([]);
    expect(ingressSteps(specOf({ k3s: { disable: ["traefik"] } }))).toEqual([]);
  });

  it("leaves the packaged Traefik out wherever another one, or none, is chosen", () => {
    for (const ingress of ["traefik-chart", "nginx", "haproxy", "none"]) {
      expect(specOf({ ingress }).k3s.disable).toContain("traefik");
    }
    expect(specOf({ ingress: "traefik" }).k3s.disable).toEqual([]);
  });

  it("has pods where policies look for them", () => {
    for (const ingress of ["traefik-chart", "nginx", "haproxy"] as const) {
      expect(INGRESS_PODS[ingress].namespace).toBe(releaseOf({ ingress }).namespace);
      expect(INGRESS_PODS[ingress].labels).toEqual({
        "app.kubernetes.io/name": INGRESS_CONTROLLERS[ingress].podName,
      });
    }
  });
});

describe("Traefik by its own chart", () => {
  it("gets the settings of the packaged one, in its own major's syntax", () => {
    expect(valuesOf({ ...EDGE, ingress: { type: "traefik-chart", version: "41.3.0" }, traefik: ALL })).toEqual({
      deployment: { replicas: 3 },
      ingressClass: { name: "traefik" },
      service: {
        annotations: { "example.com/a": "b" },
        labels: { "svccontroller.k3s.cattle.io/lbpool": "edge" },
        spec: { externalTrafficPolicy: "Local" },
      },
      ports: {
        web: {
          expose: { default: false },
          forwardedHeaders: { trustedIPs: ["10.0.0.0/8", "192.0.2.7/32"] },
          proxyProtocol: { trustedIPs: ["10.0.0.0/8", "192.0.2.7/32"] },
        },
        websecure: {
          forwardedHeaders: { trustedIPs: ["10.0.0.0/8", "192.0.2.7/32"] },
          proxyProtocol: { trustedIPs: ["10.0.0.0/8", "192.0.2.7/32"] },
        },
      },
    });
  });

  it.each([
    ["34.5.0", { redirections: { entryPoint: { to: "websecure", scheme: "https", permanent: true } } }],
    ["39.0.9", { http: { redirections: { entryPoint: { to: "websecure", scheme: "https", permanent: true } } } }],
  ])("follows the chart's major, not K3s's (%s)", (version, web) => {
    for (const k3s of ["v1.33.0+k3s1", "v1.37.1+k3s1"]) {
      const values = valuesOf({ k3s: { version: k3s }, ingress: { type: "traefik-chart", version } });
      expect(values).toMatchObject({ ports: { web } });
    }
  });
});

describe("NGINX", () => {
  it("gets every setting", () => {
    expect(valuesOf({ ...EDGE, ingress: { type: "nginx", ...ALL } })).toEqual({
      controller: {
        replicaCount: 3,
        ingressClass: { setAsDefaultIngress: true },
        config: {
          entries: {
            "ssl-redirect": "False",
            "real-ip-header": "X-Forwarded-For",
            "real-ip-recursive": "True",
            "set-real-ip-from": "10.0.0.0/8,192.0.2.7/32",
          },
        },
        telemetryReporting: { enable: false },
        service: {
          annotations: { "example.com/a": "b" },
          extraLabels: { "svccontroller.k3s.cattle.io/lbpool": "edge" },
          externalTrafficPolicy: "Local",
          httpPort: { enable: false },
        },
      },
    });
  });

  it("has the defaults of every controller when a stack says nothing", () => {
    expect(valuesOf({ ingress: "nginx" })).toEqual({
      controller: {
        replicaCount: 1,
        ingressClass: { setAsDefaultIngress: true },
        config: { entries: { "ssl-redirect": "True" } },
        telemetryReporting: { enable: false },
        service: { externalTrafficPolicy: "Cluster", httpPort: { enable: true } },
      },
    });
  });

  it("takes the client's address from the PROXY protocol instead, when told so", () => {
    const ingress = { type: "nginx", trustedProxies: ["10.0.0.0/8"], proxyProtocol: true };
    expect(valuesOf({ ingress })).toMatchObject({
      controller: {
        config: {
          entries: {
            "ssl-redirect": "True",
            "proxy-protocol": "True",
            "real-ip-header": "proxy_protocol",
            "set-real-ip-from": "10.0.0.0/8",
          },
        },
      },
    });
  });
});

describe("HAProxy", () => {
  it("gets every setting", () => {
    expect(valuesOf({ ...EDGE, ingress: { type: "haproxy", ...ALL } })).toEqual({
      controller: {
        replicaCount: 3,
        ingressClassResource: { default: true },
        config: {
          "ssl-redirect": "false",
          "frontend-config-snippet":
            "http-request set-src hdr_ip(X-Forwarded-For,-1) if { src 10.0.0.0/8 192.0.2.7/32 } { req.hdr_cnt(X-Forwarded-For) gt 0 }\n",
        },
        pprof: { enabled: false },
        service: {
          type: "LoadBalancer",
          annotations: { "example.com/a": "b" },
          labels: { "svccontroller.k3s.cattle.io/lbpool": "edge" },
          externalTrafficPolicy: "Local",
          enablePorts: { http: false, https: true, quic: false, stat: false, admin: false },
        },
      },
    });
  });

  it("redirects to the port that clients see, for good", () => {
    expect(valuesOf({ ingress: "haproxy" })).toEqual({
      controller: {
        replicaCount: 1,
        ingressClassResource: { default: true },
        config: { "ssl-redirect": "true", "ssl-redirect-code": "301", "ssl-redirect-port": "443" },
        pprof: { enabled: false },
        service: {
          type: "LoadBalancer",
          externalTrafficPolicy: "Cluster",
          enablePorts: { http: true, https: true, quic: false, stat: false, admin: false },
        },
      },
    });
  });

  it("takes the client's address from the PROXY protocol instead, when told so", () => {
    const ingress = { type: "haproxy", trustedProxies: ["10.0.0.0/8", "192.0.2.7/32"], proxyProtocol: true };
    expect(valuesOf({ ingress })).toMatchObject({
      controller: { config: { "proxy-protocol": "10.0.0.0/8,192.0.2.7/32" } },
    });
  });
});

describe("every controller", () => {
  const controllers = ["traefik-chart", "nginx", "haproxy"] as const;

  it.each([
    ["traefik-chart", { traefik: { values: { deployment: { replicas: 5 } } } }, { deployment: { replicas: 5 } }],
    [
      "nginx",
      { ingress: { type: "nginx", values: { controller: { replicaCount: 5 } } } },
      { controller: { replicaCount: 5, ingressClass: { setAsDefaultIngress: true } } },
    ],
    [
      "haproxy",
      { ingress: { type: "haproxy", values: { controller: { replicaCount: 5 } } } },
      { controller: { replicaCount: 5, pprof: { enabled: false } } },
    ],
  ])("%s: the stack's own values come last, key by key", (ingress, settings, values) => {
    expect(valuesOf({ ingress, ...settings })).toMatchObject(values);
  });

  it.each(controllers)("%s: its Service has both families where the cluster has both", (ingress) => {
    const families = { ipFamilies: ["ipv4", "ipv6"] };
    const text = (settings: Settings): string => JSON.stringify(valuesOf({ ingress, ...settings }));
    expect(text(families)).toContain('"ipFamilyPolicy":"PreferDualStack"');
    expect(text({})).not.toContain("ipFamilyPolicy");
  });

  it("shows its Service HTTP exactly where it is open", () => {
    const open: Readonly<Record<(typeof controllers)[number], (values: never) => unknown>> = {
      "traefik-chart": (values: { ports?: { web?: { expose?: unknown } } }) => values.ports?.web?.expose === undefined,
      nginx: (values: { controller: { service: { httpPort: { enable: boolean } } } }) =>
        values.controller.service.httpPort.enable,
      haproxy: (values: { controller: { service: { enablePorts: { http: boolean } } } }) =>
        values.controller.service.enablePorts.http,
    };
    fc.assert(
      fc.property(fc.constantFrom(...controllers), fc.boolean(), fc.boolean(), (type, openHttp, redirectToHttps) => {
        const own = { openHttp, redirectToHttps };
        const settings = type === "traefik-chart" ? { ingress: type, traefik: own } : { ingress: { type, ...own } };
        expect(open[type](valuesOf(settings) as never)).toBe(openHttp);
      }),
    );
  });
});
