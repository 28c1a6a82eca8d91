/**
 * What the documents state about flags, components and defaults, statement by statement, each tested on what the program renders
 * or refuses. A test's name is the statement. Where current K3s has overtaken a statement, the name says so. (Ports and networks are
 * in `ports.test.ts`.)
 */
import { parse } from "yaml";
import { chartFor } from "../../catalogue/traefik-charts";
import { createPlan } from "../../plan";
import { manifestFiles } from "../../plan/delivery";
import { showTemplate } from "../../plan/template";
import type { ClusterPlan } from "../../plan/types";
import { problemsOf, specOf, warningsOf, type Settings } from "../support/stacks";

type Config = Record<string, unknown>;

const SERVERS = ["server-1", "server-2", "server-3"];
const NODES = [
  { pool: "server", role: "server", count: 3 },
  { pool: "agent", role: "agent", count: 2 },
];
const METALLB = {
  type: "metallb",
  pools: [{ name: "public", addresses: ["10.231.0.0/24"] }],
  bgp: { peers: [{ name: "router", myAsn: 64512, peerAsn: 64513, peerAddress: "10.230.0.1" }] },
};

function plan(settings: Settings = {}): ClusterPlan {
  return createPlan(specOf({ nodes: NODES, access: { clients: ["100.64.0.0/16"] }, ...settings }));
}

/** config.yaml of every node, by node name. */
function configs(settings: Settings = {}): Record<string, Config> {
  return Object.fromEntries(
    plan(settings).nodes.map((node) => [node.name, parse(showTemplate(node.config)) as Config]),
  );
}

/** One option of every server: the same value three times, or the test fails. */
function onEveryServer(settings: Settings, option: string): unknown {
  const all = configs(settings);
  const values = SERVERS.map((name) => all[name]?.[option]);
  expect(values).toEqual([values[0], values[0], values[0]]);
  return values[0];
}

function enabled(settings: Settings, component: string): boolean | undefined {
  return plan(settings).components.find(({ name }) => name === component)?.enabled;
}

const codes = (problems: readonly { code: string; path: string }[]): string[] =>
  problems.map(({ code, path }) => `${path}: ${code}`);

/** Message and remedy of what is wrong at one path. */
function advice(settings: Settings, path: string): string {
  return problemsOf({ nodes: NODES, ...settings })
    .filter((problem) => problem.path === path)
    .map(({ code, message, remedy }) => `${code}: ${message}; ${remedy}`)
    .join("\n");
}

const traefikValues = (settings: Settings = {}): Config => {
  const step = plan(settings).delivery.steps.find(({ key }) => key === "traefik-config");
  return parse(step?.kind === "object" ? (step.object.spec?.["valuesContent"] as string) : "") as Config;
};

describe("Networking, first edition", () => {
  test("Flannel is included by default", () => {
    expect(onEveryServer({}, "flannel-backend")).toBe("vxlan");
    expect(enabled({}, "flannel")).toBe(true);
  });
  test("if you don't want flannel then run the agent with `--no-flannel` option (today: `--flannel-backend=none` on servers; told, and refused until a stack can bring its own CNI)", () => {
    const key = advice({ k3s: { noFlannel: true } }, "k3s.noFlannel");
    const option = advice({ k3s: { extraAgentArgs: ["--no-flannel"] } }, "k3s.extraAgentArgs[0]");
    for (const told of [key, option]) {
      expect(told).toMatch(/^legacy-setting: --no-flannel .*v1\.25.*v1\.26.*--flannel-backend=none/);
    }
  });
  test("In this setup you will still be required to install your own CNI driver", () => {
    expect(onEveryServer({ cni: "none" }, "flannel-backend")).toBe("none");
    expect(plan({ cni: "none" }).delivery.steps.filter(({ kind }) => kind === "helmRelease")).toEqual([]);
    expect(codes(warningsOf({ cni: "none" }))).toContain("cni: own-cni");
    expect(codes(problemsOf({ k3s: { flannelBackend: "none" } }))).toEqual(["k3s.flannelBackend: invalid-value"]);
  });
  test("CoreDNS is deployed on start of the agent (today: of the server)", () => {
    expect(enabled({}, "coredns")).toBe(true);
    expect(onEveryServer({}, "disable")).toBeUndefined();
  });
  test.each(["coredns", "traefik", "servicelb"])(
    "to disable %s run the server with the `--no-deploy` option (today: `--disable`, and the stack is told so for its K3s release)",
    (component) => {
      const key = advice({ k3s: { noDeploy: [component] } }, "k3s.noDeploy");
      const option = advice({ k3s: { extraServerArgs: [`--no-deploy=${component}`] } }, "k3s.extraServerArgs[0]");
      for (const told of [key, option]) {
        expect(told).toMatch(/^legacy-setting: --no-deploy .*v1\.25.*v1\.26.*--disable/);
        expect(told).toContain(`k3s.disable: [${component}]`);
      }
      expect(advice({ k3s: { version: "v1.25.3+k3s1", noDeploy: [component] } }, "k3s.noDeploy")).toMatch(
        /it stops v1\.25\.3\+k3s1 from starting/,
      );
    },
  );
  test("If you don't install CoreDNS you will need to install a cluster DNS provider yourself", () => {
    expect(codes(warningsOf({ k3s: { disable: ["coredns"] } }))).toContain("k3s.disable: no-dns");
  });
  test("Traefik is deployed by default when starting the server", () => {
    expect(enabled({}, "traefik")).toBe(true);
  });
  test("any changes made to traefik.yaml will automatically be deployed (today: K3s overwrites the file, so the program never writes it)", () => {
    const files = manifestFiles(plan({ loadBalancer: METALLB }).delivery.steps).map(({ name }) => name);
    expect(files).toContain("traefik-config.yaml");
    expect(files).not.toContain("traefik.yaml");
  });
  test("k3s includes a basic service load balancer that uses available host ports", () => {
    expect(enabled({}, "servicelb")).toBe(true);
  });
  test("If no port is available the load balancer will stay in Pending (so that two services on one host port are refused)", () => {
    const services = [
      { name: "one", protocol: "tcp", port: 8888, from: ["clients"] },
      { name: "two", protocol: "tcp", port: 8888, from: ["clients"] },
    ];
    const problems = problemsOf({ services, access: { clients: ["100.64.0.0/16"] } });
    expect(problems.map(({ code }) => code)).toContain("host-port-conflict");
  });
  test("To disable the embedded load balancer run the server with the `--no-deploy servicelb` option. This is necessary if you wish to run a different load balancer, such as MetalLB (today: `--disable`, which choosing MetalLB does by itself)", () => {
    expect(onEveryServer({ loadBalancer: METALLB }, "disable")).toEqual(["servicelb"]);
  });
});

describe("Networking Services", () => {
  test("CoreDNS is deployed automatically on server startup", () => {
    expect(enabled({}, "coredns")).toBe(true);
  });
  test.each(["coredns", "traefik", "local-storage", "metrics-server"])(
    "To disable it, configure all servers in the cluster with the `--disable=%s` option",
    (component) => {
      expect(onEveryServer({ k3s: { disable: [component] } }, "disable")).toEqual([component]);
      expect(enabled({ k3s: { disable: [component] } }, component)).toBe(false);
      const agents = configs({ k3s: { disable: [component] } });
      expect(agents["agent-1"]).not.toHaveProperty("disable");
    },
  );
  test("If you don't install CoreDNS, you will need to install a cluster DNS provider yourself", () => {
    expect(codes(warningsOf())).not.toContain("k3s.disable: no-dns");
    expect(codes(warningsOf({ k3s: { disable: ["coredns"] } }))).toContain("k3s.disable: no-dns");
  });
  test("The Traefik ingress controller will use ports 80 and 443 on the host (i.e. these will not be usable for HostPort or NodePort)", () => {
    for (const port of [80, 443]) {
      const services = [{ name: "own", protocol: "tcp", port, from: ["clients"] }];
      const problems = problemsOf({ services, access: { clients: ["100.64.0.0/16"] } });
      expect(problems.map(({ code }) => code)).toContain("host-port-conflict");
    }
  });
  test("The traefik.yaml file should not be edited manually. Instead you can customize Traefik by creating an additional HelmChartConfig manifest in /var/lib/rancher/k3s/server/manifests", () => {
    const [file] = manifestFiles(plan({ traefik: { replicas: 2 } }).delivery.steps);
    expect(file?.name).toBe("traefik-config.yaml");
    expect(parse(file?.kind === "text" ? file.text : "")).toMatchObject({
      apiVersion: "helm.cattle.io/v1",
      kind: "HelmChartConfig",
      metadata: { name: "traefik", namespace: "kube-system" },
    });
    expect(traefikValues({ traefik: { replicas: 2 } })).toMatchObject({ deployment: { replicas: 2 } });
  });
  test("For more information on the possible configuration values, refer to the official Traefik Helm Configuration Parameters (any of them may be given)", () => {
    const values = { logs: { access: { enabled: true } } };
    expect(traefikValues({ traefik: { values } })).toMatchObject(values);
  });
  test("K3s versions 1.20 and earlier will install Traefik v1 (those are refused)", () => {
    expect(codes(problemsOf({ k3s: { version: "v1.20.15+k3s1" } }))).toEqual(["k3s.version: k3s-version-unsupported"]);
  });
  test("K3s versions 1.21 and later will install Traefik v2 (today: v3 from 1.32.2 on; the values follow the chart of the release)", () => {
    // Traefik v3 came with chart 28.
    expect(chartFor("v1.31.14+k3s1").major).toBeLessThan(28);
    expect(chartFor("v1.32.2+k3s1").major).toBeGreaterThanOrEqual(28);
    expect(traefikValues({ k3s: { version: "v1.31.14+k3s1" } })["ports"]).toEqual({
      web: { redirectTo: { port: "websecure" } },
    });
    expect(traefikValues({ k3s: { version: "v1.36.5+k3s1" } })["ports"]).toEqual({
      web: { http: { redirections: { entryPoint: { to: "websecure", scheme: "https", permanent: true } } } },
    });
  });
  test("Any service load balancer (LB) can be used in your K3s cluster. By default, K3s provides a load balancer known as ServiceLB", () => {
    expect(enabled({}, "servicelb")).toBe(true);
    expect(enabled({ loadBalancer: METALLB }, "metallb")).toBe(true);
    expect(enabled({ loadBalancer: METALLB }, "servicelb")).toBe(false);
  });
  test("these services will remain pending until one is installed", () => {
    expect(warningsOf({ loadBalancer: "none" }).map(({ code }) => code)).toContain("no-load-balancer");
  });
  test("The ServiceLB controller watches Services with the spec.type field set to LoadBalancer (so that Traefik's Service keeps that type)", () => {
    const service = traefikValues()["service"] as Config;
    expect(service).toEqual({ spec: { externalTrafficPolicy: "Cluster" } });
  });
  test("If the ServiceLB Pod runs on a node that has an external IP configured, the node's external IP is populated into the Service's status", () => {
    expect(configs()["agent-1"]?.["node-external-ip"]).toBe("${agent-1:shared:public}");
  });
  test("Otherwise, the node's internal IP is used", () => {
    const network = { availabilityZones: ["eu-west-1a"], placement: "private" };
    expect(configs({ network })["agent-1"]).not.toHaveProperty("node-external-ip");
    expect(configs({ network })["agent-1"]?.["node-ip"]).toBe("${agent-1:shared:private}");
  });
  test("It is possible to expose multiple Services on the same node, as long as they use different ports", () => {
    const services = [
      { name: "one", protocol: "tcp", port: 8888, from: ["clients"] },
      { name: "two", protocol: "tcp", port: 8889, from: ["clients"] },
    ];
    expect(problemsOf({ services, access: { clients: ["100.64.0.0/16"] } })).toEqual([]);
  });

  describe("Controlling ServiceLB Node Selection", () => {
    const labels = (nodes: readonly Settings[]): Record<string, unknown> =>
      Object.fromEntries(Object.entries(configs({ nodes })).map(([name, config]) => [name, config["node-label"]]));
    const server = { pool: "server", role: "server" };

    test("By default no node is labelled, and ServiceLB uses every one", () => {
      expect(labels([server, { pool: "agent", role: "agent" }])).toEqual({
        "server-1": undefined,
        "agent-1": undefined,
      });
    });
    test("Add the label svccontroller.k3s.cattle.io/enablelb to the nodes that should host ServiceLB Pods. Nodes that remain unlabeled will be excluded from ServiceLB", () => {
      expect(labels([server, { pool: "edge", role: "agent", count: 2, serviceLb: { enabled: true } }])).toEqual({
        "server-1": undefined,
        "edge-1": ["svccontroller.k3s.cattle.io/enablelb=true"],
        "edge-2": ["svccontroller.k3s.cattle.io/enablelb=true"],
      });
    });
    test("Label Node A and Node B with lbpool=pool1 and enablelb=true, Node C and Node D with lbpool=pool2 and enablelb=true", () => {
      const pool = (name: string, lb: string): Settings => ({
        pool: name,
        role: "agent",
        count: 2,
        serviceLb: { enabled: true, pool: lb },
      });
      const of = (lb: string): string[] => [
        "svccontroller.k3s.cattle.io/enablelb=true",
        `svccontroller.k3s.cattle.io/lbpool=${lb}`,
      ];
      expect(labels([server, pool("ab", "pool1"), pool("cd", "pool2")])).toEqual({
        "server-1": undefined,
        "ab-1": of("pool1"),
        "ab-2": of("pool1"),
        "cd-1": of("pool2"),
        "cd-2": of("pool2"),
      });
    });
    test("Create one LoadBalancer Service on port 443 with label svccontroller.k3s.cattle.io/lbpool=pool1 (Traefik's Service)", () => {
      const nodes = [server, { pool: "ab", role: "agent", serviceLb: { enabled: true, pool: "pool1" } }];
      expect(traefikValues({ nodes, traefik: { lbPool: "pool1" } })).toMatchObject({
        service: { labels: { "svccontroller.k3s.cattle.io/lbpool": "pool1" } },
      });
    });
  });

  test("To disable the embedded LB, configure all servers in the cluster with the `--disable=servicelb` option", () => {
    expect(onEveryServer({ loadBalancer: "none" }, "disable")).toEqual(["servicelb"]);
  });
  test("This is necessary if you wish to run a different LB, such as MetalLB (so that ServiceLB disabled and chosen at once is refused)", () => {
    const problems = problemsOf({ k3s: { disable: ["servicelb"] }, loadBalancer: "servicelb" });
    expect(problems.map(({ code }) => code)).toEqual(["load-balancer-conflict"]);
  });
  test("Nodes Without a Hostname: you can run K3s with the `--node-name` flag (every node is)", () => {
    for (const [name, config] of Object.entries(configs())) {
      expect(config["node-name"]).toBe(name);
    }
  });
});

describe("K3S Networking", () => {
  test("K3S networking default add-ons: Flannel, CoreDNS, Traefik, Klipper Load Balancer", () => {
    for (const component of ["flannel", "coredns", "traefik", "servicelb"]) {
      expect(enabled({}, component)).toBe(true);
    }
  });
  test("K3S run by default with flannel as the CNI, using VXLAN as the default backend", () => {
    expect(onEveryServer({}, "flannel-backend")).toBe("vxlan");
  });
  test.each([
    ["cluster-cidr", "10.42.0.0/16"],
    ["service-cidr", "10.43.0.0/16"],
    ["flannel-backend", "vxlan"],
    ["cluster-dns", "10.43.0.10"],
    ["cluster-domain", "cluster.local"],
  ])("`--%s value`: default value %s", (option, value) => {
    expect(onEveryServer({}, option)).toBe(value);
  });
  test.each([
    ["cluster-cidr", "clusterCidr", "10.64.0.0/14"],
    ["service-cidr", "serviceCidr", "10.80.0.0/16"],
    ["flannel-backend", "flannelBackend", "host-gw"],
    ["cluster-domain", "clusterDomain", "k8s.example.com"],
  ])("`--%s value` can be provided", (option, setting, value) => {
    expect(onEveryServer({ k3s: { [setting]: value } }, option)).toBe(value);
  });
  test("`--flannel-backend`: 'none' to disable or 'vxlan', 'ipsec', 'host-gw', or 'wireguard' (today: vxlan, host-gw, wireguard-native)", () => {
    for (const backend of ["vxlan", "host-gw", "wireguard-native"]) {
      expect(onEveryServer({ k3s: { flannelBackend: backend } }, "flannel-backend")).toBe(backend);
    }
    expect(advice({ k3s: { flannelBackend: "wireguard" } }, "k3s.flannelBackend")).toMatch(
      /^legacy-setting: .*v1\.27.*wireguard-native/s,
    );
    expect(advice({ k3s: { flannelBackend: "ipsec" } }, "k3s.flannelBackend")).toMatch(
      /^legacy-setting: .*v1\.27.*wireguard-native/s,
    );
  });
  test("By default, flannel will have a 10.42.X.0/24 subnet allocated to each node (so that more nodes than /24s are refused)", () => {
    const nodes = [NODES[0], { pool: "agent", role: "agent", count: 6 }];
    expect(codes(problemsOf({ nodes, k3s: { clusterCidr: "10.64.0.0/21" } }))).toEqual([
      "k3s.clusterCidr: cluster-cidr-too-small",
    ]);
  });
  test("`--cluster-dns`: Cluster IP for coredns service. Should be in your service-cidr range", () => {
    expect(onEveryServer({ k3s: { serviceCidr: "10.80.0.0/16" } }, "cluster-dns")).toBe("10.80.0.10");
    expect(codes(problemsOf({ k3s: { clusterDns: "10.44.0.10" } }))).toEqual(["k3s.clusterDns: cluster-dns-address"]);
  });
  test("To disable embedded Traefik, install K3s with `--disable traefik` option", () => {
    expect(onEveryServer({ k3s: { disable: ["traefik"] } }, "disable")).toEqual(["traefik"]);
    expect(plan({ k3s: { disable: ["traefik"] } }).delivery.steps).toEqual([]);
  });
  test("Metal LB load balancer will be used so it is needed to disable Klipper-LB first: configure all servers in the cluster with the `--disable servicelb` option", () => {
    expect(onEveryServer({ loadBalancer: METALLB }, "disable")).toEqual(["servicelb"]);
    expect(plan({ loadBalancer: METALLB }).delivery.steps.map(({ key }) => key)).toContain("metallb");
  });
});

describe("Kubernetes Networking: the default resource setup", () => {
  test("CNI Controller: default Flannel, VXLAN as default", () => {
    expect(onEveryServer({}, "flannel-backend")).toBe("vxlan");
  });
  test.each([
    ["calico", "tigera-operator"],
    ["cilium", "cilium"],
  ])("CNI Controller: alternative options, %s", (cni, chart) => {
    expect(onEveryServer({ cni }, "flannel-backend")).toBe("none");
    const charts = plan({ cni }).delivery.steps.flatMap((step) =>
      step.kind === "helmRelease" ? [step.release.chart] : [],
    );
    expect(charts).toContain(chart);
    expect(codes(problemsOf({ k3s: { flannelBackend: cni } }))).toEqual(["k3s.flannelBackend: invalid-value"]);
  });
  test("Ingress Controller: default Traefik", () => {
    expect(enabled({}, "traefik")).toBe(true);
  });
  test.each([
    ["nginx", "nginx-ingress"],
    ["haproxy", "kubernetes-ingress"],
  ])("Ingress Controller: alternative options, %s", (ingress, chart) => {
    expect(onEveryServer({ ingress }, "disable")).toEqual(["traefik"]);
    const charts = plan({ ingress }).delivery.steps.flatMap((step) =>
      step.kind === "helmRelease" ? [step.release.chart] : [],
    );
    expect(charts).toEqual([chart]);
  });
  test("DNS Resolution: default CoreDNS", () => {
    expect(enabled({}, "coredns")).toBe(true);
  });
  test("DNS Resolution: alternative options, kube-dns (refused by name: kubeadm dropped it in Kubernetes 1.21; CoreDNS by its own chart takes the packaged one's place)", () => {
    expect(codes(problemsOf({ dns: "kube-dns" }))).toEqual(["dns: unsupported-setting"]);
    expect(onEveryServer({ dns: "coredns-chart" }, "disable")).toEqual(["coredns"]);
    expect(plan({ dns: "coredns-chart" }).delivery.steps.map(({ key }) => key)).toContain("coredns");
  });
  test("Service Load Balancer: default Klipper-LB, which automatically handles all service with type LoadBalancer", () => {
    expect(enabled({}, "servicelb")).toBe(true);
    expect(onEveryServer({}, "disable")).toBeUndefined();
  });
  test("Service Load Balancer: alternative options, MetalLB", () => {
    expect(enabled({ loadBalancer: METALLB }, "metallb")).toBe(true);
  });
  test("Service Load Balancer: alternative options, Cilium LB", () => {
    const { pools, bgp } = METALLB;
    const cilium = { cni: "cilium", loadBalancer: { type: "cilium", pools, bgp } };
    expect(onEveryServer(cilium, "disable")).toEqual(["servicelb"]);
    expect(plan(cilium).delivery.steps.map(({ key }) => key)).toContain("cilium-pool-public");
  });
  test("Service Networking: default ClusterIP provides stable virtual IPs (from the service network)", () => {
    expect(onEveryServer({}, "service-cidr")).toBe("10.43.0.0/16");
  });
  test("Service Networking: alternative options, Service mesh (Istio in ambient mode)", () => {
    const keys = plan({ serviceMesh: "istio" }).delivery.steps.map(({ key }) => key);
    expect(keys.slice(-4)).toEqual(["istio-base", "istiod", "istio-cni", "ztunnel"]);
  });
  test("Traffic Proxy / Forwarding: default kube-proxy", () => {
    expect(enabled({}, "kube-proxy")).toBe(true);
    expect(onEveryServer({}, "disable-kube-proxy")).toBeUndefined();
  });
  test.each(["cilium", "calico"])("Traffic Proxy / Forwarding: alternative options, %s (eBPF)", (type) => {
    const replaced = { cni: { type, replaceKubeProxy: true }, api: { endpoint: "nlb" } };
    expect(onEveryServer(replaced, "disable-kube-proxy")).toBe(true);
    expect(codes(warningsOf(replaced))).not.toContain("k3s.disableKubeProxy: no-service-proxy");
  });
  test("Traffic Proxy / Forwarding: the operator's own (kube-proxy goes off on every server, with a warning)", () => {
    expect(onEveryServer({ k3s: { disableKubeProxy: true } }, "disable-kube-proxy")).toBe(true);
    expect(codes(warningsOf({ k3s: { disableKubeProxy: true } }))).toContain("k3s.disableKubeProxy: no-service-proxy");
  });
  test("Network Policy: default not enabled (today: K3s's controller is on unless `--disable-network-policy` is given on every server)", () => {
    expect(enabled({}, "network-policy")).toBe(true);
    expect(onEveryServer({}, "disable-network-policy")).toBeUndefined();
    expect(onEveryServer({ k3s: { disableNetworkPolicy: true } }, "disable-network-policy")).toBe(true);
  });
  test("Network Policy: default not enabled (no policy is there by default; K3s's controller, Calico and Cilium enforce those that the stack asks for)", () => {
    const denies = (settings: Settings): string[] =>
      plan(settings)
        .delivery.steps.map(({ key }) => key)
        .filter((key) => key.endsWith("-default-deny"));
    expect(denies({})).toEqual([]);
    for (const cni of ["flannel", "calico", "cilium"]) {
      expect([cni, denies({ cni, networkPolicy: { defaultDeny: ["apps"] } })]).toEqual([
        cni,
        ["network-policy-apps-default-deny"],
      ]);
    }
  });
});

describe("Networking Guide", () => {
  test("K3s requires a default route to auto-detect the node's primary IP (nothing is left to detection: every node is given its address)", () => {
    for (const layout of ["shared", "segregated"]) {
      const network = layout === "shared" ? "shared" : "backplane";
      for (const [name, config] of Object.entries(configs({ layout }))) {
        expect(config["node-ip"]).toBe(`\${${name}:${network}:private}`);
      }
    }
  });
  test.each([
    ["Pod", "cluster-cidr", "10.42.0.0/16"],
    ["Service", "service-cidr", "10.43.0.0/16"],
  ])("The cluster uses the following network ranges: %s %s %s", (_network, option, cidr) => {
    expect(onEveryServer({}, option)).toBe(cidr);
  });
  test("The overlay network traffic is handled by Flannel VXLAN", () => {
    expect(onEveryServer({}, "flannel-backend")).toBe("vxlan");
  });
  test("Spegel registry mirror (off by default; its option is on every server, and its registries.yaml on every node)", () => {
    const k3s = { embeddedRegistry: true };
    expect(onEveryServer({}, "embedded-registry")).toBeUndefined();
    expect(onEveryServer({ k3s }, "embedded-registry")).toBe(true);
    for (const node of plan({ k3s }).nodes) {
      expect(showTemplate(node.hostDocument)).toMatch(
        /\n--- \/etc\/rancher\/k3s\/registries\.yaml 0600\nmirrors:\n {2}"\*": \{\}\n$/,
      );
    }
  });
  test("80 TCP HTTP ingress (Optional, redirects to HTTPS)", () => {
    expect(traefikValues()).toMatchObject({
      ports: { web: { http: { redirections: { entryPoint: { to: "websecure", scheme: "https" } } } } },
    });
    expect(traefikValues({ traefik: { openHttp: false } })).toMatchObject({
      ports: { web: { expose: { default: false } } },
    });
  });
  test("443 TCP HTTPS ingress (Required, all services): its entry point is never taken off", () => {
    expect(traefikValues({ traefik: { openHttp: false } })["ports"]).not.toHaveProperty("websecure");
  });
  test("Configuring Segregated Networks: cluster traffic has an interface of its own, and the API advertises that one", () => {
    const server = configs({ layout: "segregated" })["server-2"];
    expect(server).toMatchObject({
      "node-ip": "${server-2:backplane:private}",
      "advertise-address": "${server-2:backplane:private}",
      "node-external-ip": "${server-2:external:public}",
    });
  });
  test("Shared Interface Setup: all traffic shares one interface", () => {
    const server = configs({ layout: "shared" })["server-2"];
    expect(server).toMatchObject({
      "node-ip": "${server-2:shared:private}",
      "advertise-address": "${server-2:shared:private}",
    });
  });
});
