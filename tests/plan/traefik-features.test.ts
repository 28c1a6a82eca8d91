/** Traefik's Gateway API and Let's Encrypt, in the syntax of each chart. */
import { parse } from "yaml";
import { traefikConfig, traefikValues } from "../../plan/traefik";
import { specOf, type Settings } from "../support/stacks";

const EMAIL = "ops@example.com";
const spec = (traefik: Settings, over: Settings = {}) =>
  specOf({ access: { clients: ["0.0.0.0/0"] }, traefik: { redirectToHttps: false, ...traefik }, ...over });
const packaged = (version: string, traefik: Settings): unknown => traefikValues(spec(traefik, { k3s: { version } }));
const common = {
  deployment: { replicas: 1 },
  service: { spec: { externalTrafficPolicy: "Cluster" } },
};
const kept = {
  persistence: { enabled: true, size: "128Mi" },
  podSecurityContext: { fsGroup: 65532, fsGroupChangePolicy: "OnRootMismatch" },
};
const resolver = { email: EMAIL, storage: "/data/acme.json", httpChallenge: { entryPoint: "web" } };

describe("the Gateway API", () => {
  it.each(["v1.32.2+k3s1", "v1.36.5+k3s1", "v1.37.1+k3s1"])(
    "is served without a Gateway of the chart's own, on the standard channel (%s)",
    (version) => {
      expect(packaged(version, { gatewayApi: true })).toEqual({
        ...common,
        providers: { kubernetesGateway: { enabled: true } },
        gateway: { enabled: false },
      });
    },
  );

  it("is served by Traefik's own chart where its definitions are", () => {
    const both = [
      { ingress: { type: "traefik-chart", version: "39.0.9" } },
      { ingress: { type: "traefik-chart", version: "41.3.0" }, k3s: { version: "v1.37.0+k3s1" } },
    ];
    for (const over of both) {
      expect(traefikValues(spec({ gatewayApi: true }, over))).toMatchObject({
        providers: { kubernetesGateway: { enabled: true } },
      });
    }
  });
});

describe("Let's Encrypt", () => {
  it.each([
    ["v1.28.3+k3s2", 25],
    ["v1.30.6+k3s1", 27],
  ])(
    "by an older chart: its own word for resolvers, and a strategy without rolling parts (%s, chart %i)",
    (version) => {
      expect(packaged(version, { acme: { email: EMAIL } })).toEqual({
        ...common,
        certResolvers: { letsencrypt: resolver },
        ports: { websecure: { tls: { certResolver: "letsencrypt" } } },
        ...kept,
        updateStrategy: { type: "Recreate", rollingUpdate: null },
      });
    },
  );

  it.each([
    ["v1.33.0+k3s1", 34, { tls: { certResolver: "letsencrypt" } }],
    ["v1.34.3+k3s3", 38, { tls: { certResolver: "letsencrypt" } }],
    ["v1.35.2+k3s1", 39, { http: { tls: { certResolver: "letsencrypt" } } }],
    ["v1.37.1+k3s1", 41, { http: { tls: { certResolver: "letsencrypt" } } }],
  ])("by Traefik v3's charts (%s, chart %i)", (version, _chart, websecure) => {
    expect(packaged(version, { acme: { email: EMAIL } })).toEqual({
      ...common,
      certificatesResolvers: { letsencrypt: { acme: resolver } },
      ports: { websecure },
      ...kept,
      updateStrategy: { type: "Recreate" },
    });
  });

  it("asks the way, the environment and the storage that the stack says", () => {
    const acme = {
      email: EMAIL,
      challenge: "tls",
      staging: true,
      storageSize: "1Gi",
      storageClass: "longhorn",
    };
    expect(traefikValues(spec({ openHttp: false, acme }))).toMatchObject({
      certificatesResolvers: {
        letsencrypt: {
          acme: {
            email: EMAIL,
            storage: "/data/acme.json",
            caServer: "https://acme-staging-v02.api.letsencrypt.org/directory",
            tlsChallenge: true,
          },
        },
      },
      persistence: { enabled: true, size: "1Gi", storageClass: "longhorn" },
    });
  });

  it("stands beside the redirect, which Traefik asks after the challenge", () => {
    expect(traefikValues(spec({ redirectToHttps: true, acme: { email: EMAIL } }))).toMatchObject({
      ports: {
        web: { http: { redirections: { entryPoint: { to: "websecure" } } } },
        websecure: { http: { tls: { certResolver: "letsencrypt" } } },
      },
    });
  });

  it("reaches the packaged chart as text, with what takes a default away", () => {
    const config = traefikConfig(spec({ acme: { email: EMAIL } }, { k3s: { version: "v1.30.6+k3s1" } }));
    expect(parse(config?.spec?.["valuesContent"] as string)).toMatchObject({
      updateStrategy: { type: "Recreate", rollingUpdate: null },
    });
  });
});

it("makes no values without Traefik", () => {
  expect(traefikValues(specOf({ ingress: "nginx" }))).toEqual({});
});
