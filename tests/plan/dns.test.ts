import fc from "fast-check";
import { dnsSteps } from "../../plan/dns";
import type { ClusterStep, HelmReleasePlan, KubernetesObject } from "../../plan/types";
import type { ClusterSpec } from "../../spec/types";
import { arbitraryExistingSpec, arbitrarySpec, existingSpecOf, specOf, type Settings } from "../support/stacks";

const keys = (steps: readonly ClusterStep[]): string[] => steps.map(({ key }) => key);

function objects(spec: ClusterSpec): Record<string, KubernetesObject> {
  return Object.fromEntries(
    dnsSteps(spec).flatMap((step) => (step.kind === "object" ? [[step.key, step.object] as const] : [])),
  );
}

function release(spec: ClusterSpec): HelmReleasePlan | undefined {
  return dnsSteps(spec).flatMap((step) => (step.kind === "helmRelease" ? [step.release] : []))[0];
}

const CUSTOM = {
  "corp.server": "corp.example:53 {\n  forward . 10.0.0.53\n}",
  "log.override": "log\n",
};

describe("the CoreDNS that K3s packages", () => {
  test("needs nothing put into the cluster", () => {
    expect(dnsSteps(specOf())).toEqual([]);
    expect(dnsSteps(specOf({ dns: "coredns" }))).toEqual([]);
    expect(specOf().k3s.disable).toEqual([]);
  });

  test("imports the stack's files from the ConfigMap that it looks for", () => {
    const spec = specOf({ dns: { type: "coredns", custom: CUSTOM } });
    expect(dnsSteps(spec)).toEqual([
      {
        kind: "object",
        key: "coredns-custom",
        object: {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: "coredns-custom", namespace: "kube-system" },
          data: { "corp.server": "corp.example:53 {\n  forward . 10.0.0.53\n}\n", "log.override": "log\n" },
        },
      },
    ]);
  });
});

describe("CoreDNS by its own chart", () => {
  const chart = (over: Settings = {}, stack: Settings = {}): ClusterSpec =>
    specOf({ dns: { type: "coredns-chart", ...over }, ...stack });

  test("stands in the packaged one's place: on every server that one is disabled, and nobody is warned of a cluster without DNS", () => {
    expect(chart().k3s.disable).toEqual(["coredns"]);
    expect(keys(dnsSteps(chart()))).toEqual(["coredns"]);
  });

  test("answers at the cluster DNS address by the Service and the labels that K3s and its neighbours know", () => {
    expect(release(chart())).toEqual({
      name: "coredns",
      namespace: "kube-system",
      chart: "coredns",
      repository: "https://coredns.github.io/helm",
      version: "1.46.2",
      values: {
        k8sAppLabelOverride: "kube-dns",
        replicaCount: 2,
        serviceAccount: { create: true },
        service: { name: "kube-dns", clusterIP: "10.43.0.10" },
        priorityClassName: "system-cluster-critical",
        tolerations: [
          { key: "CriticalAddonsOnly", operator: "Exists" },
          { key: "node-role.kubernetes.io/control-plane", operator: "Exists", effect: "NoSchedule" },
        ],
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: "kubernetes.io/hostname",
            whenUnsatisfiable: "ScheduleAnyway",
            labelSelector: { matchLabels: { "k8s-app": "kube-dns" } },
          },
        ],
        servers: [
          {
            zones: [{ zone: ".", use_tcp: true }],
            port: 53,
            plugins: [
              { name: "errors" },
              { name: "health", configBlock: "lameduck 10s" },
              { name: "ready" },
              {
                name: "kubernetes",
                parameters: "cluster.local in-addr.arpa ip6.arpa",
                configBlock: "pods insecure\nfallthrough in-addr.arpa ip6.arpa\nttl 30",
              },
              { name: "prometheus", parameters: ":9153" },
              { name: "forward", parameters: ". /etc/resolv.conf" },
              { name: "cache", parameters: "30" },
              { name: "loop" },
              { name: "reload" },
              { name: "loadbalance" },
            ],
          },
        ],
      },
    });
  });

  test("follows the stack's address, domain, number and version; own values win", () => {
    const { version, values = {} } =
      release(
        chart(
          { version: "1.45.0", replicas: 3, values: { replicaCount: 4, service: { annotations: { a: "b" } } } },
          { k3s: { serviceCidr: "10.80.0.0/16", clusterDns: "10.80.0.53", clusterDomain: "corp.local" } },
        ),
      ) ?? {};
    expect(version).toBe("1.45.0");
    expect(values["replicaCount"]).toBe(4);
    expect(values["service"]).toEqual({ name: "kube-dns", clusterIP: "10.80.0.53", annotations: { a: "b" } });
    expect(JSON.stringify(values["servers"])).toContain('"corp.local in-addr.arpa ip6.arpa"');
  });

  test("imports the stack's files from its own ConfigMap, each kind where it belongs", () => {
    const values = release(chart({ custom: CUSTOM }))?.values ?? {};
    expect(values["zoneFiles"]).toEqual([
      { filename: "corp.server", contents: "corp.example:53 {\n  forward . 10.0.0.53\n}\n" },
      { filename: "log.override", contents: "log\n" },
    ]);
    expect(values["extraConfig"]).toEqual({ import: { parameters: "/etc/coredns/*.server" } });
    const [block] = values["servers"] as { plugins: object[] }[];
    expect(block?.plugins.at(-1)).toEqual({ name: "import", parameters: "/etc/coredns/*.override" });
    expect(release(chart({ custom: { "log.override": "log" } }))?.values).not.toHaveProperty("extraConfig");
  });

  test("has an address of each family with dual stack", () => {
    const spec = existingSpecOf({
      dns: "coredns-chart",
      ipFamilies: ["ipv4", "ipv6"],
      nodes: [
        {
          name: "server-1",
          role: "server",
          address: "10.1.0.11",
          external: { address: "10.1.0.11", address6: "2001:db8::11" },
          hostKey: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"b".repeat(43)}`,
        },
      ],
    });
    const { service } = (release(spec)?.values ?? {}) as { service: Record<string, unknown> };
    expect(service["clusterIP"]).toBe("10.43.0.10");
    expect(service["clusterIPs"]).toEqual(["10.43.0.10", spec.k3s.clusterDns6]);
    expect(service["ipFamilyPolicy"]).toBe("PreferDualStack");
  });
});

const COREFILE = `cluster.local:53 {
  errors
  cache {
    success 9984 30
    denial 9984 5
  }
  reload
  loop
  bind 169.254.20.10 10.43.0.10
  forward . __PILLAR__CLUSTER__DNS__ {
    force_tcp
  }
  prometheus :9253
  health 169.254.20.10:8080
}
.:53 {
  errors
  cache 30
  reload
  loop
  bind 169.254.20.10 10.43.0.10
  forward . __PILLAR__CLUSTER__DNS__ {
    force_tcp
  }
  prometheus :9253
}
`;

describe("NodeLocal DNSCache beside kube-proxy", () => {
  const spec = specOf({ dns: { type: "coredns", nodeLocalCache: true } });

  test("is put in place after CoreDNS's second Service, which it asks", () => {
    expect(keys(dnsSteps(spec))).toEqual([
      "node-local-dns-account",
      "node-local-dns-upstream",
      "node-local-dns-config",
      "node-local-dns",
    ]);
    expect(objects(spec)["node-local-dns-account"]).toEqual({
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "node-local-dns", namespace: "kube-system" },
    });
    expect(objects(spec)["node-local-dns-upstream"]).toEqual({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "kube-dns-upstream", namespace: "kube-system", labels: { "k8s-app": "kube-dns" } },
      spec: {
        selector: { "k8s-app": "kube-dns" },
        ports: [
          { name: "dns", protocol: "UDP", port: 53, targetPort: 53 },
          { name: "dns-tcp", protocol: "TCP", port: 53, targetPort: 53 },
        ],
      },
    });
  });

  test("listens at the cluster DNS address itself, and asks CoreDNS about every name", () => {
    expect(objects(spec)["node-local-dns-config"]).toEqual({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "node-local-dns", namespace: "kube-system" },
      data: { Corefile: COREFILE },
    });
  });

  test("runs on every node, in the host's network, where it makes its interface and its rules", () => {
    expect(objects(spec)["node-local-dns"]).toEqual({
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: "node-local-dns", namespace: "kube-system", labels: { "k8s-app": "node-local-dns" } },
      spec: {
        updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "10%" } },
        selector: { matchLabels: { "k8s-app": "node-local-dns" } },
        template: {
          metadata: {
            labels: { "k8s-app": "node-local-dns" },
            annotations: { "prometheus.io/port": "9253", "prometheus.io/scrape": "true" },
          },
          spec: {
            priorityClassName: "system-node-critical",
            serviceAccountName: "node-local-dns",
            hostNetwork: true,
            dnsPolicy: "Default",
            tolerations: [
              { key: "CriticalAddonsOnly", operator: "Exists" },
              { operator: "Exists", effect: "NoExecute" },
              { operator: "Exists", effect: "NoSchedule" },
            ],
            containers: [
              {
                name: "node-cache",
                image: "registry.k8s.io/dns/k8s-dns-node-cache:1.26.7",
                resources: { requests: { cpu: "25m", memory: "5Mi" } },
                args: [
                  ...["-localip", "169.254.20.10,10.43.0.10"],
                  ...["-conf", "/etc/Corefile"],
                  ...["-upstreamsvc", "kube-dns-upstream"],
                  ...["-pidfile", "/tmp/node-cache.pid"],
                ],
                securityContext: { capabilities: { add: ["NET_ADMIN"] } },
                ports: [
                  { name: "dns", protocol: "UDP", containerPort: 53 },
                  { name: "dns-tcp", protocol: "TCP", containerPort: 53 },
                  { name: "metrics", protocol: "TCP", containerPort: 9253 },
                ],
                livenessProbe: {
                  httpGet: { host: "169.254.20.10", path: "/health", port: 8080 },
                  initialDelaySeconds: 60,
                  timeoutSeconds: 5,
                },
                volumeMounts: [
                  { name: "config", mountPath: "/etc/coredns" },
                  { name: "xtables-lock", mountPath: "/run/xtables.lock" },
                ],
              },
            ],
            volumes: [
              {
                name: "config",
                configMap: { name: "node-local-dns", items: [{ key: "Corefile", path: "Corefile.base" }] },
              },
              { name: "xtables-lock", hostPath: { path: "/run/xtables.lock", type: "FileOrCreate" } },
            ],
          },
        },
      },
    });
  });
});

describe("NodeLocal DNSCache with eBPF in kube-proxy's place", () => {
  const cilium = (type: string): ClusterSpec =>
    specOf({ dns: { type, nodeLocalCache: true }, cni: { type: "cilium", replaceKubeProxy: true } });

  test("is an ordinary pod with Cilium, to which a policy leads the node's pods", () => {
    const spec = cilium("coredns");
    expect(keys(dnsSteps(spec)).slice(-2)).toEqual(["node-local-dns", "node-local-dns-redirect"]);
    expect(objects(spec)["node-local-dns-redirect"]).toEqual({
      apiVersion: "cilium.io/v2",
      kind: "CiliumLocalRedirectPolicy",
      metadata: { name: "node-local-dns", namespace: "kube-system" },
      spec: {
        redirectFrontend: { serviceMatcher: { serviceName: "kube-dns", namespace: "kube-system" } },
        redirectBackend: {
          localEndpointSelector: { matchLabels: { "k8s-app": "node-local-dns" } },
          toPorts: [
            { name: "dns", protocol: "UDP", port: "53" },
            { name: "dns-tcp", protocol: "TCP", port: "53" },
          ],
        },
      },
    });
    const text = JSON.stringify(dnsSteps(spec));
    for (const own of ["hostNetwork", "NET_ADMIN", "xtables", "bind", "169.254.20.10:8080", "-pidfile"]) {
      expect([own, text.includes(own)]).toEqual([own, false]);
    }
    for (const flag of ["-skipteardown=true", "-setupinterface=false", "-setupiptables=false"]) {
      expect(text).toContain(flag);
    }
  });

  test("has ports by the names of kube-dns's Service, whose chart makes others than K3s", () => {
    const { spec = {} } = objects(cilium("coredns-chart"))["node-local-dns-redirect"] ?? {};
    expect(spec["redirectBackend"]).toMatchObject({
      toPorts: [
        { name: "udp-53", protocol: "UDP" },
        { name: "tcp-53", protocol: "TCP" },
      ],
    });
  });

  test("is left the Service's address by Calico's eBPF, which an annotation tells", () => {
    const calico = (nodeLocalCache: boolean): unknown =>
      release(
        specOf({
          dns: { type: "coredns-chart", nodeLocalCache },
          cni: { type: "calico", replaceKubeProxy: true },
        }),
      )?.values["service"];
    expect(calico(true)).toEqual({
      name: "kube-dns",
      clusterIP: "10.43.0.10",
      annotations: { "projectcalico.org/natExcludeService": "true" },
    });
    expect(calico(false)).toEqual({ name: "kube-dns", clusterIP: "10.43.0.10" });
  });
});

describe("in any stack", () => {
  test("nothing is put into the cluster for a DNS that the stack leaves to K3s or to its operator", () => {
    fc.assert(
      fc.property(fc.oneof(arbitrarySpec(), arbitraryExistingSpec()), (spec) => {
        expect(dnsSteps(spec)).toEqual([]);
        expect(spec.k3s.disable.includes("coredns")).toBe(spec.dns.type === "none");
      }),
      { numRuns: 40 },
    );
  });

  test("exactly one CoreDNS answers at the cluster DNS address, whatever is chosen", () => {
    const types = fc.constantFrom("coredns", "coredns-chart");
    fc.assert(
      fc.property(types, fc.boolean(), (type, nodeLocalCache) => {
        const spec = specOf({ dns: { type, nodeLocalCache } });
        const packaged = spec.k3s.disable.includes("coredns") ? 0 : 1;
        const releases = dnsSteps(spec).filter(({ kind }) => kind === "helmRelease").length;
        expect(packaged + releases).toBe(1);
      }),
    );
  });
});
