/** The ingress's mistakes and warnings: what the stack says besides the smallest valid one, and the exact problems. */
import type { ProblemCode } from "../../spec/problems";
import type { Settings } from "../support/stacks";

const WORLD = { access: { clients: ["0.0.0.0/0"] } };
const email = "ops@example.com";

type Case = readonly [code: ProblemCode, settings: Settings, problems: readonly string[]];

export const INGRESS_CASES: readonly Case[] = [
  [
    "ingress-conflict",
    { ingress: "traefik", k3s: { disable: ["local-storage", "traefik"] } },
    [
      "k3s.disable[1]: disables the packaged Traefik, which ingress chooses (traefik); allowed: one of the two; remove it, or choose another ingress: traefik-chart, nginx, haproxy or none [ingress-conflict]",
    ],
  ],
  [
    "ingress-version",
    { ingress: { type: "traefik-chart", version: "33.2.1" } },
    [
      'ingress.version: is a version of Traefik\'s chart that the program cannot configure ("33.2.1"); allowed: 34.0.0 or newer; choose one of these, or leave it out [ingress-version]',
    ],
  ],
  [
    "ingress-version",
    { ingress: { type: "nginx", version: "1.4.0" } },
    [
      'ingress.version: is a version of NGINX Ingress Controller\'s chart that the program cannot configure ("1.4.0"); allowed: 2.0.0 or newer, below 3.0.0; choose one of these, or leave it out [ingress-version]',
    ],
  ],
  [
    "ingress-version",
    { ingress: { type: "nginx", version: "3.0.0" } },
    [
      'ingress.version: is a version of NGINX Ingress Controller\'s chart that the program cannot configure ("3.0.0"); allowed: 2.0.0 or newer, below 3.0.0; choose one of these, or leave it out [ingress-version]',
    ],
  ],
  [
    "ingress-version",
    { ingress: { type: "haproxy", version: "1.39.4" } },
    [
      'ingress.version: is a version of HAProxy Kubernetes Ingress Controller\'s chart that the program cannot configure ("1.39.4"); allowed: 1.40.0 or newer, below 2.0.0; choose one of these, or leave it out [ingress-version]',
    ],
  ],
  [
    "chart-version",
    { ingress: { type: "haproxy", version: "newest" } },
    [
      'ingress.version: is not a chart version ("newest"); allowed: a version such as 1.52.1; correct it [chart-version]',
    ],
  ],
  [
    "ingress-private-port",
    {
      ingress: {
        type: "haproxy",
        values: {
          controller: {
            service: { enablePorts: { stat: true, admin: true, http: true }, metrics: { type: "NodePort" } },
          },
        },
      },
    },
    [
      "ingress.values.controller.service.enablePorts.admin: would show HAProxy Kubernetes Ingress Controller's administration port on its Service (true); allowed: false; remove it, and reach it with kubectl port-forward [ingress-private-port]",
      "ingress.values.controller.service.enablePorts.stat: would show HAProxy Kubernetes Ingress Controller's statistics and metrics on its Service (true); allowed: false; remove it, and reach it with kubectl port-forward [ingress-private-port]",
      'ingress.values.controller.service.metrics.type: would show the controller\'s metrics outside the cluster ("NodePort"); allowed: ClusterIP; remove it, and scrape the metrics from inside the cluster [ingress-private-port]',
    ],
  ],
  [
    "ingress-private-port",
    { ingress: { type: "nginx", values: { controller: { hostNetwork: true, healthStatus: true } } } },
    [
      "ingress.values.controller.healthStatus: would show NGINX Ingress Controller's health status to clients (true); allowed: false; remove it, and reach it with kubectl port-forward [ingress-private-port]",
      "ingress.values.controller.hostNetwork: would show NGINX Ingress Controller's status and metrics on every node's address (true); allowed: false; remove it, and reach it with kubectl port-forward [ingress-private-port]",
    ],
  ],
  [
    "ingress-private-port",
    {
      ingress: {
        type: "haproxy",
        values: { controller: { deployment: { useHostNetwork: true }, daemonset: { useHostNetwork: true } } },
      },
    },
    [
      "ingress.values.controller.daemonset.useHostNetwork: would show HAProxy Kubernetes Ingress Controller's statistics on every node's address (true); allowed: false; remove it, and reach it with kubectl port-forward [ingress-private-port]",
      "ingress.values.controller.deployment.useHostNetwork: would show HAProxy Kubernetes Ingress Controller's statistics on every node's address (true); allowed: false; remove it, and reach it with kubectl port-forward [ingress-private-port]",
    ],
  ],
  [
    "traefik-private-entry-point",
    { ingress: "traefik-chart", traefik: { values: { ports: { metrics: { expose: { default: true } } } } } },
    [
      "traefik.values.ports.metrics.expose: would expose Traefik's metrics on its Service (true); allowed: false; remove it, and reach the metrics with kubectl port-forward [traefik-private-entry-point]",
    ],
  ],
  [
    "traefik-private-entry-point",
    { k3s: { version: "v1.28.3+k3s2" }, traefik: { values: { ports: { traefik: { expose: true } } } } },
    [
      "traefik.values.ports.traefik.expose: would expose Traefik's dashboard on its Service (true); allowed: false; remove it, and reach the dashboard with kubectl port-forward [traefik-private-entry-point]",
    ],
  ],
  [
    "traefik-disabled",
    { ingress: "nginx", traefik: { replicas: 2, gatewayApi: true, acme: { email } } },
    [
      "traefik.acme: has no effect with another ingress controller (nginx); allowed: only with ingress traefik or traefik-chart; remove it, use ingress: traefik for its own certificates, or install cert-manager [traefik-disabled]",
      "traefik.gatewayApi: has no effect with another ingress controller (nginx); allowed: only with ingress traefik or traefik-chart; remove it, use ingress: traefik for the Gateway API, or install a controller of it yourself [traefik-disabled]",
      "traefik.replicas: has no effect with another ingress controller (nginx); allowed: only with ingress traefik or traefik-chart; say it under ingress, or remove it [traefik-disabled]",
    ],
  ],
  [
    "no-effect",
    { ingress: { type: "nginx", proxyProtocol: true } },
    [
      "ingress.proxyProtocol: has no effect without proxies to believe it from (true); allowed: only with ingress.trustedProxies; name the proxies' networks, or remove it [no-effect]",
    ],
  ],
  [
    "no-effect",
    { ingress: "traefik-chart", traefik: { failurePolicy: "abort" } },
    [
      'traefik.failurePolicy: has no effect on Traefik\'s own chart ("abort"); allowed: only with ingress: traefik; remove it [no-effect]',
    ],
  ],
  [
    "k3s-too-old",
    { k3s: { version: "v1.32.1+k3s1" }, traefik: { gatewayApi: true } },
    [
      "traefik.gatewayApi: needs a packaged Traefik with the Gateway API, which v1.32.1+k3s1 does not have; allowed: from v1.32.2+k3s1 or v1.33.0+k3s1 on, each in its minor release; raise k3s.version, or leave it out [k3s-too-old]",
    ],
  ],
  [
    "k3s-too-old",
    { k3s: { version: "v1.28.3+k3s1" }, ...WORLD, traefik: { acme: { email } } },
    [
      "traefik.acme: needs a packaged Traefik of chart 25 or newer, which v1.28.3+k3s1 does not have; allowed: from v1.25.15+k3s2, v1.26.10+k3s2, v1.27.7+k3s2, v1.28.3+k3s2 or v1.29.0+k3s1 on, each in its minor release; raise k3s.version, or leave it out [k3s-too-old]",
    ],
  ],
  [
    "k3s-too-old",
    { ingress: { type: "traefik-chart", version: "41.3.0" }, traefik: { gatewayApi: true } },
    [
      "traefik.gatewayApi: needs the definitions of the Gateway API, which Traefik's chart does not bring from 40.2.0 on (41.3.0) and K3s only from v1.37.0+k3s1 on (v1.36.5+k3s1); allowed: one that brings them; use ingress: traefik, raise k3s.version, or take an older chart such as 39.0.9 [k3s-too-old]",
    ],
  ],
  [
    "k3s-version-unsupported",
    { k3s: { version: "v1.20.15+k3s1" } },
    [
      'k3s.version: is older than the program supports ("v1.20.15+k3s1"); allowed: v1.25.0+k3s1 or newer; choose a newer release: K3s upgrades one minor release at a time; before v1.21 it packages Traefik v1, which a newer K3s leaves in place: migrate it first, with Traefik\'s guide and migration tool [k3s-version-unsupported]',
    ],
  ],
  [
    "acme-pods",
    { ...WORLD, traefik: { replicas: 3, acme: { email } } },
    [
      "traefik.replicas: has more pods than share one file of certificates with traefik.acme (3); allowed: 1; set 1, or leave traefik.acme out and get certificates with cert-manager, which serves every pod [acme-pods]",
    ],
  ],
  [
    "acme-pods",
    { ...WORLD, traefik: { values: { deployment: { replicas: 2, kind: "DaemonSet" } }, acme: { email } } },
    [
      'traefik.values.deployment.kind: has more pods than share one file of certificates with traefik.acme ("DaemonSet"); allowed: 1; set 1, or leave traefik.acme out and get certificates with cert-manager, which serves every pod [acme-pods]',
      "traefik.values.deployment.replicas: has more pods than share one file of certificates with traefik.acme (2); allowed: 1; set 1, or leave traefik.acme out and get certificates with cert-manager, which serves every pod [acme-pods]",
    ],
  ],
  [
    "acme-volume",
    { ...WORLD, k3s: { disable: ["local-storage"] }, traefik: { acme: { email } } },
    [
      "traefik.acme.storageClass: names no storage class, and k3s.disable leaves out local-storage, whose class is the cluster's (local-storage); allowed: a class that the cluster has; name the class of your storage, or remove it from k3s.disable [acme-volume]",
    ],
  ],
  [
    "acme-challenge",
    { ...WORLD, traefik: { openHttp: false, acme: { email } } },
    [
      'traefik.acme.challenge: asks port 80, which traefik.openHttp closes ("http"); allowed: http with that port open, or tls; set traefik.acme.challenge: tls, or traefik.openHttp: true [acme-challenge]',
    ],
  ],
  [
    "acme-challenge",
    { traefik: { acme: { email, challenge: "tls" } } },
    [
      'traefik.acme.challenge: reaches nobody: access.clients names no networks, and Let\'s Encrypt asks from addresses that it does not publish ("tls"); allowed: clients that hold 0.0.0.0/0, or a proxy that passes the challenge on; add 0.0.0.0/0 to access.clients, or use cert-manager [acme-challenge]',
    ],
  ],
  [
    "acme-unreachable",
    { access: { clients: ["203.0.114.0/24"] }, traefik: { acme: { email } } },
    [
      'traefik.acme.challenge: may not reach the ingress: access.clients leaves out most of the internet, and Let\'s Encrypt asks from addresses that it does not publish ("http"); advised: an ingress that the whole internet reaches; add 0.0.0.0/0 to access.clients or pass the challenge on from a proxy, or use cert-manager [acme-unreachable]',
    ],
  ],
  [
    "acme-unreachable",
    { ...WORLD, network: { placement: "private" }, traefik: { acme: { email } } },
    [
      'traefik.acme.challenge: may not reach the ingress: nodes of a private placement have no public addresses ("http"); advised: an ingress that the whole internet reaches; add 0.0.0.0/0 to access.clients or pass the challenge on from a proxy, or use cert-manager [acme-unreachable]',
    ],
  ],
  [
    "acme-one-node",
    {
      ...WORLD,
      nodes: [
        { pool: "server", role: "server" },
        { pool: "agent", role: "agent" },
      ],
      traefik: { acme: { email } },
    },
    [
      "traefik.acme.storageClass: keeps certificates on one node's disk (local-path), so that Traefik runs on that node only, and not while it is down; advised: storage that follows the pod; name a class of such storage, or accept it [acme-one-node]",
    ],
  ],
  [
    "ingress-without-clients",
    { ingress: "haproxy" },
    [
      "access.clients: names no networks, so that nobody outside the cluster reaches HAProxy Kubernetes Ingress Controller (an empty list); advised: the users' networks; name them, or set ingress: none [ingress-without-clients]",
    ],
  ],
  [
    "no-load-balancer",
    { ingress: "nginx", loadBalancer: "none" },
    [
      "loadBalancer: leaves NGINX Ingress Controller's Service without an address (none); advised: servicelb or metallb; choose one, set ingress: none, or install a load balancer yourself [no-load-balancer]",
    ],
  ],
  [
    "local-policy-behind-nat",
    { ...WORLD, ingress: { type: "haproxy", externalTrafficPolicy: "Local" } },
    [
      'ingress.externalTrafficPolicy: keeps client addresses behind Elastic IPs ("Local"), for which ServiceLB must not know the nodes\' public addresses: node-external-ip is left out, and Services show private addresses; advised: Cluster, unless client addresses are needed; point DNS at the Elastic IPs yourself, or set Cluster [local-policy-behind-nat]',
    ],
  ],
  [
    "unknown-lb-pool",
    { ...WORLD, ingress: { type: "haproxy", lbPool: "edge" } },
    [
      'ingress.lbPool: is a ServiceLB pool that no enabled node pool has ("edge"); allowed: pools that nodes[].serviceLb.pool names; set serviceLb.pool of a node pool [unknown-lb-pool]',
    ],
  ],
  [
    "duplicate-value",
    { ...WORLD, ingress: { type: "nginx", trustedProxies: ["10.0.0.0/8", "10.0.0.0/8"] } },
    [
      'ingress.trustedProxies[1]: repeats a network ("10.0.0.0/8"); allowed: each once; remove or change one of them [duplicate-value]',
    ],
  ],
  [
    "unsupported-setting",
    { ingress: "ingress-nginx" },
    [
      "ingress: is not supported: ingress-nginx, the Kubernetes project's controller, which ended in March 2026 and gets no security fixes any more (\"ingress-nginx\"); use ingress: nginx (F5's NGINX Ingress Controller, another program) or haproxy [unsupported-setting]",
    ],
  ],
  [
    "unsupported-setting",
    { ingress: { type: "kong" } },
    [
      'ingress.type: is not supported: an ingress controller that the program does not install ("kong"); use ingress: traefik, traefik-chart, nginx or haproxy, or ingress: none and install it yourself [unsupported-setting]',
    ],
  ],
  [
    "unsupported-setting",
    { nginx: {}, k3s: { gatewayApi: true, letsEncrypt: true }, traefik: { acme: { email, challenge: "dns-01" } } },
    [
      "k3s.gatewayApi: is not supported: the Gateway API by this name; use traefik.gatewayApi; NGINX, HAProxy and Cilium serve it by programs of their own, which are not installed [unsupported-setting]",
      "k3s.letsEncrypt: is not supported: Let's Encrypt by this name; use traefik.acme, or install cert-manager, which serves every ingress controller [unsupported-setting]",
      "nginx: is not supported: an ingress controller by this name; use ingress: traefik, traefik-chart, nginx, haproxy or none [unsupported-setting]",
      'traefik.acme.challenge: is not a value of this setting ("dns-01"); allowed: http or tls; choose one of them [invalid-value]',
    ],
  ],
  [
    "unsupported-setting",
    { ingress: { type: "haproxy", gatewayApi: true, acme: { email } } },
    [
      "ingress.acme: is not supported: Let's Encrypt by this name; use traefik.acme, or install cert-manager, which serves every ingress controller [unsupported-setting]",
      "ingress.gatewayApi: is not supported: the Gateway API by this name; use traefik.gatewayApi; NGINX, HAProxy and Cilium serve it by programs of their own, which are not installed [unsupported-setting]",
    ],
  ],
  [
    "invalid-value",
    { ingress: "trafik" },
    [
      'ingress: is not a value of this setting ("trafik"); allowed: traefik, traefik-chart, nginx, haproxy or none; did you mean traefik? [invalid-value]',
    ],
  ],
];
