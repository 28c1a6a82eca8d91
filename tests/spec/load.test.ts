import { flattenConfig, loadStack } from "../../spec/load";
import { PRIVATE_KEY, load, minimalConfig, problemsOf, publicKey, specOf, warningsOf } from "../support/stacks";

describe("flattenConfig follows Pulumi", () => {
  test("text stays, scalars become text, mappings and lists become JSON", () => {
    const flat = flattenConfig({
      "aws:region": "eu-west-1",
      "a:number": 3,
      "a:boolean": true,
      "a:empty": null,
      "a:list": [1, "2"],
      "a:mapping": { b: { c: false } },
    });
    expect(flat).toEqual({
      "aws:region": "eu-west-1",
      "a:number": "3",
      "a:boolean": "true",
      "a:empty": "",
      "a:list": '[1,"2"]',
      "a:mapping": '{"b":{"c":false}}',
    });
  });

  test("encrypted leaves become a placeholder, at any depth", () => {
    const flat = flattenConfig({
      "a:top": { secure: "v1:x" },
      "a:deep": { b: [{ secure: "v1:y" }, { secure: "v1:z", c: 1 }] },
    });
    expect(flat).toEqual({ "a:top": "[secure]", "a:deep": '{"b":["[secure]",{"secure":"v1:z","c":1}]}' });
  });
});

describe("loadStack", () => {
  test("the smallest stack, with every default", () => {
    const ingress = {
      redirectToHttps: true,
      openHttp: true,
      replicas: 1,
      externalTrafficPolicy: "Cluster",
      trustedProxies: [],
      annotations: {},
      values: {},
    };
    expect(specOf()).toEqual({
      stack: "test",
      target: "aws",
      region: "eu-west-1",
      layout: "shared",
      network: {
        vpcCidr: "10.0.0.0/16",
        availabilityZones: ["eu-west-1a"],
        placement: "public",
        egress: "https",
        natGateways: "none",
        isolated: false,
        mtu: 9001,
      },
      ipFamilies: ["ipv4"],
      cni: { type: "flannel" },
      networkPolicy: { defaultDeny: [], allowIngress: true },
      dns: { type: "coredns", custom: {}, nodeLocalCache: false },
      serviceMesh: { type: "none" },
      access: {
        admin: ["10.200.0.0/24"],
        clients: [],
        ssh: { user: "ubuntu", publicKey: publicKey(), hasPrivateKey: false, hostKeys: {} },
      },
      nodes: [
        {
          pool: "server",
          role: "server",
          count: 1,
          instanceType: "t3.medium",
          arch: "amd64",
          diskGiB: 20,
          labels: {},
          taints: [],
          namePrefix: "server",
        },
      ],
      k3s: {
        version: "v1.36.5+k3s1",
        disable: [],
        flannelBackend: "vxlan",
        clusterCidr: "10.42.0.0/16",
        serviceCidr: "10.43.0.0/16",
        clusterDns: "10.43.0.10",
        clusterCidr6: "fd00:10:42::/56",
        serviceCidr6: "fd00:10:43::/112",
        clusterDns6: "fd00:10:43::a",
        flannelIpv6Masq: false,
        clusterDomain: "cluster.local",
        nodePortRange: { from: 30000, to: 32767 },
        disableNetworkPolicy: false,
        disableKubeProxy: false,
        egressSelectorMode: "agent",
        embeddedRegistry: false,
        secretsEncryption: false,
        tlsSans: [],
        etcdExposeMetrics: false,
        bootstrapServer: "server-1",
        extraServerArgs: [],
        extraAgentArgs: [],
      },
      api: { endpoint: { kind: "firstServer" } },
      ingress: { type: "traefik", ...ingress },
      traefik: { ...ingress, gatewayApi: false, failurePolicy: "reinstall" },
      loadBalancer: { type: "servicelb", nlb: false },
      services: [],
      delivery: "api",
      tags: {},
    });
  });

  test("its warnings, in order", () => {
    expect(warningsOf().map(({ code, path }) => [code, path])).toEqual([
      ["ingress-without-clients", "access.clients"],
      ["host-key-first-contact", "access.ssh.hostKeys"],
    ]);
  });

  test("a stack with nothing to say against it has no warning", () => {
    const said = { access: { clients: ["10.210.0.0/16"], ssh: { hostKeys: { "server-1": publicKey("b") } } } };
    expect(warningsOf(said)).toEqual([]);
  });

  test("settings of other namespaces are ignored", () => {
    const others = { "aws:profile": "x", "pulumi:tags": "{", "kubernetes:layout": "y", "networking:layout": "z" };
    const config = { ...flattenConfig(minimalConfig()), ...others };
    expect(loadStack("test", config).spec).toEqual(specOf());
  });

  test.each([
    [
      "layout",
      'has no namespace ("layout"); allowed: k3s-networking:NAME, or a setting of a provider such as aws:region; did you mean k3s-networking:layout? [unknown-key]',
    ],
    [
      "region",
      'has no namespace ("region"); allowed: k3s-networking:NAME, or a setting of a provider such as aws:region; did you mean aws:region? [unknown-key]',
    ],
    [
      "zzzzzzzz",
      'has no namespace ("zzzzzzzz"); allowed: k3s-networking:NAME, or a setting of a provider such as aws:region; remove it [unknown-key]',
    ],
    [
      "__proto__",
      'has no namespace ("__proto__"); allowed: k3s-networking:NAME, or a setting of a provider such as aws:region; remove it [unknown-key]',
    ],
    [
      "k3s-netwrking:layout",
      'is in a namespace that nobody reads ("k3s-netwrking"); allowed: k3s-networking:NAME, or a setting of a provider such as aws:region; did you mean k3s-networking:layout? [unknown-key]',
    ],
    [
      "K3s_Networking:laoyut",
      'is in a namespace that nobody reads ("K3s_Networking"); allowed: k3s-networking:NAME, or a setting of a provider such as aws:region; did you mean k3s-networking:layout? [unknown-key]',
    ],
    [
      "k3s-network:region",
      'is in a namespace that nobody reads ("k3s-network"); allowed: k3s-networking:NAME, or a setting of a provider such as aws:region; did you mean aws:region? [unknown-key]',
    ],
    [
      "k3snetworking:zzzzzzzz",
      'is in a namespace that nobody reads ("k3snetworking"); allowed: k3s-networking:NAME, or a setting of a provider such as aws:region; remove it [unknown-key]',
    ],
  ])("a setting that the program would not read: %s", (key, told) => {
    const config = new Map([...Object.entries(flattenConfig(minimalConfig())), [key, "shared"]]);
    expect(() => loadStack("test", Object.fromEntries(config))).toThrow(
      new Error(`stack test has 1 problem:\n  ${key}: ${told}`),
    );
  });

  test("such a key is shown on one line", () => {
    const config = { ...flattenConfig(minimalConfig()), "lay\nout": "shared" };
    expect(() => loadStack("test", config)).toThrow(
      '["lay\\nout"]: has no namespace ("lay\\nout"); allowed: k3s-networking:NAME, or a setting of a provider such as aws:region; did you mean k3s-networking:layout? [unknown-key]',
    );
  });

  test("keys that other programs lose are kept where this one does not", () => {
    const labels = { constructor: "a", prototype: "b", toString: "c" };
    const values = { deployment: { podAnnotations: { constructor: "a", prototype: "b" } } };
    const spec = specOf({ nodes: [{ pool: "server", role: "server", labels }], tags: labels, traefik: { values } });
    expect(Object.entries(spec.nodes[0]?.labels ?? {})).toEqual(Object.entries(labels));
    expect(Object.entries(spec.tags)).toEqual(Object.entries(labels));
    expect(JSON.stringify(spec.traefik.values)).toBe(JSON.stringify(values));
  });

  test("the region is the AWS provider's setting, not one of its own", () => {
    const config = { ...flattenConfig(minimalConfig()), "k3s-networking:region": "eu-west-1" };
    expect(() => loadStack("test", config)).toThrow(
      'k3s-networking:region: is not a setting of the program ("k3s-networking:region"); allowed: aws:region; write aws:region instead [unknown-key]',
    );
  });

  test("plain words of the load balancer and of services are read as such", () => {
    const spec = specOf({ loadBalancer: "none", services: ["redis", "kafka"] });
    expect(spec.loadBalancer).toEqual({ type: "none" });
    expect(spec.services).toEqual([
      { kind: "catalogue", name: "redis", from: ["nodes"] },
      { kind: "catalogue", name: "kafka", from: ["nodes"] },
    ]);
  });

  test("secrets travel beside the spec, which knows only that they are given", () => {
    const bastion = {
      host: "b.example.com",
      user: "ops",
      hostKey: publicKey("c"),
      cidr: "10.9.0.1/32",
      privateKey: PRIVATE_KEY,
    };
    const peer = { myAsn: 64512, peerAsn: 64513, peerAddress: "10.230.0.1" };
    const { spec, secrets } = load(
      minimalConfig({
        access: { ssh: { privateKey: PRIVATE_KEY, bastion } },
        loadBalancer: {
          type: "metallb",
          pools: [{ name: "p", addresses: ["10.231.0.0/24"] }],
          bgp: {
            peers: [
              { ...peer, name: "a", password: "pass-a" },
              { ...peer, name: "b" },
            ],
          },
        },
      }),
    );
    expect(secrets).toEqual({ privateKey: PRIVATE_KEY, bastionPrivateKey: PRIVATE_KEY, bgpPasswords: { a: "pass-a" } });
    expect(JSON.stringify(spec)).not.toMatch(/PRIVATE KEY|pass-a/);
    expect(spec.access.ssh.hasPrivateKey).toBe(true);
    expect(spec.access.ssh.bastion).toEqual({
      host: "b.example.com",
      port: 22,
      user: "ops",
      hostKey: publicKey("c"),
      cidr: "10.9.0.1/32",
      hasPrivateKey: true,
    });
    expect(spec.loadBalancer).toMatchObject({
      bgp: { peers: [{ hasPassword: true, peerPort: 179 }, { hasPassword: false }] },
    });
  });

  test("encrypted secrets of a stack file need no key", () => {
    const { spec } = load(minimalConfig({ access: { ssh: { privateKey: { secure: "v1:abc" } } } }));
    expect(spec.access.ssh.hasPrivateKey).toBe(true);
  });

  test("no secrets", () => {
    expect(load(minimalConfig()).secrets).toEqual({ bgpPasswords: {} });
  });
});

describe("derived defaults", () => {
  test("the cluster DNS is the tenth address of the service network", () => {
    expect(specOf({ k3s: { serviceCidr: "10.96.0.0/20" } }).k3s.clusterDns).toBe("10.96.0.10");
    expect(specOf({ k3s: { clusterDns: "10.43.0.53" } }).k3s.clusterDns).toBe("10.43.0.53");
  });

  test("private nodes of a created VPC get one NAT gateway, those of a reused one none", () => {
    expect(specOf({ network: { placement: "private" } }).network.natGateways).toBe("one");
    expect(specOf({ network: { placement: "private", natGateways: "perZone" } }).network.natGateways).toBe("perZone");
    const externalSubnets = [{ id: "subnet-0a", cidr: "10.40.0.0/24", availabilityZone: "eu-west-1a" }];
    const vpc = { id: "vpc-0a", cidr: "10.40.0.0/16", externalSubnets };
    expect(specOf({ network: { placement: "private", vpc } }).network.natGateways).toBe("none");
  });

  test("servicelb is disabled by any other load balancer, and the list is sorted without repeats", () => {
    expect(specOf({ loadBalancer: "none" }).k3s.disable).toEqual(["servicelb"]);
    const disable = ["traefik", "local-storage", "traefik", "servicelb"];
    expect(specOf({ loadBalancer: "none", k3s: { disable } }).k3s.disable).toEqual([
      "local-storage",
      "servicelb",
      "traefik",
    ]);
  });

  test("the bootstrap server is the first server, or the one named", () => {
    const nodes = [
      { pool: "agent", role: "agent" },
      { pool: "cp", role: "server", count: 3, namePrefix: "control" },
    ];
    expect(specOf({ nodes }).k3s.bootstrapServer).toBe("control-1");
    expect(specOf({ nodes, k3s: { bootstrapServer: "control-3" } }).k3s.bootstrapServer).toBe("control-3");
  });

  test("NodePorts, API endpoints, sources and ports of services", () => {
    expect(specOf({ k3s: { nodePortRange: "31000-31999" } }).k3s.nodePortRange).toEqual({ from: 31000, to: 31999 });
    expect(specOf({ api: { endpoint: "nlb" } }).api.endpoint).toEqual({ kind: "nlb" });
    expect(specOf({ api: { endpoint: "k3s.example.com" } }).api.endpoint).toEqual({
      kind: "address",
      address: "k3s.example.com",
    });
    const services = [
      "statsd",
      { name: "a", protocol: "tcp", port: 7000, from: "admin" },
      { name: "b", protocol: "udp", port: "7000-7003", from: ["10.0.0.0/8", "agents"] },
    ];
    expect(specOf({ services, access: { clients: ["10.1.0.0/16"] } }).services).toEqual([
      { kind: "catalogue", name: "statsd", from: ["clients"] },
      { kind: "custom", name: "a", protocol: "tcp", ports: { from: 7000, to: 7000 }, from: ["admin"] },
      {
        kind: "custom",
        name: "b",
        protocol: "udp",
        ports: { from: 7000, to: 7003 },
        from: [{ cidr: "10.0.0.0/8" }, "agents"],
      },
    ]);
  });
});

describe("what is allowed, next to what is not", () => {
  const custom = { name: "game", protocol: "tcp", port: 7100, from: ["0.0.0.0/0"] };
  const server = { pool: "server", role: "server" };
  const pools = [
    { ...server, serviceLb: { pool: "one" } },
    { pool: "agent", role: "agent", serviceLb: { pool: "two" } },
  ];
  test.each([
    ["the VXLAN port number over TCP", { services: [{ ...custom, port: 8472 }] }],
    ["the VXLAN port between nodes", { services: [{ ...custom, protocol: "udp", port: 8472, from: ["nodes"] }] }],
    ["Longhorn's engine ports without Longhorn", { services: [{ ...custom, port: 12000 }] }],
    [
      "one port in ServiceLB pools that share no node",
      {
        nodes: pools,
        services: [
          { ...custom, lbPool: "one" },
          { ...custom, name: "b", lbPool: "two" },
        ],
      },
    ],
    [
      "HTTPS on a pool that Traefik does not use",
      { nodes: pools, traefik: { lbPool: "one" }, services: [{ ...custom, port: 443, lbPool: "two" }] },
    ],
    ["HTTPS while Traefik is disabled", { k3s: { disable: ["traefik"] }, services: [{ ...custom, port: 443 }] }],
    [
      "Traefik's private ports while it is disabled",
      { k3s: { disable: ["traefik"] }, services: [{ ...custom, port: 8080 }] },
    ],
    ["one port over TCP and UDP", { services: [custom, { ...custom, name: "b", protocol: "udp" }] }],
    [
      "NodePorts beside Longhorn, past its last port",
      {
        k3s: { nodePortRange: "30001-32767" },
        services: ["longhorn", { name: "nodeports", from: ["admin"] }],
      },
    ],
    [
      "host-gw with all nodes in the first of two zones",
      {
        network: { availabilityZones: ["eu-west-1a", "eu-west-1b"] },
        k3s: { flannelBackend: "host-gw" },
      },
    ],
    ["an address as the API's endpoint", { api: { endpoint: "10.200.0.9" } }],
    [
      "59 nodes in a /26",
      { network: { vpcCidr: "10.0.0.0/22", placement: "private" }, nodes: [{ ...server, count: 59 }] },
    ],
    [
      "51 nodes and a load balancer in a /26",
      {
        network: { vpcCidr: "10.0.0.0/22", placement: "private" },
        nodes: [{ ...server, count: 51 }],
        api: { endpoint: "nlb" },
      },
    ],
    ["user names that systems have", { access: { ssh: { user: "_ec2-user.Name_9" } } }],
    ["as many nodes as /24s", { k3s: { clusterCidr: "10.42.0.0/24" } }],
    [
      "labels that a kubelet may set",
      {
        nodes: [
          { ...server, labels: { "node.kubernetes.io/pool": "a", "topology.kubernetes.io/zone": "z", rack: "" } },
        ],
      },
    ],
    [
      "Traefik's entry points kept closed by hand",
      {
        traefik: {
          values: { ports: { traefik: { expose: { default: false } }, metrics: { expose: { default: false } } } },
        },
      },
    ],
    [
      "Traefik's defaults written out while it is disabled",
      { k3s: { disable: ["traefik"] }, traefik: { replicas: 1, values: {} } },
    ],
    [
      "options that the program leaves alone",
      { k3s: { extraServerArgs: ["--kube-apiserver-arg=audit-log-maxage=7", "--kubelet-arg=max-pods=60", "--debug"] } },
    ],
    [
      "runtimes and the registry in a release that has them",
      { k3s: { version: "v1.29.3+k3s1", embeddedRegistry: true, disable: ["runtimes"] } },
    ],
    [
      "ServiceLB with one pool ruled out",
      { nodes: [server, { pool: "agent", role: "agent", serviceLb: { enabled: false } }] },
    ],
    ["an empty pool", { nodes: [server, { pool: "spare", role: "agent", count: 0 }] }],
  ])("%s", (_, said) => {
    expect(problemsOf(said)).toEqual([]);
  });

  test("MetalLB gives each Service an address of its own: two on one port", () => {
    const loadBalancer = {
      type: "metallb",
      pools: [{ name: "p", addresses: ["10.231.0.0/24"] }],
      bgp: { peers: [{ name: "r", myAsn: 64512, peerAsn: 64513, peerAddress: "10.230.0.1" }] },
    };
    expect(problemsOf({ loadBalancer, services: [custom, { ...custom, name: "b" }] })).toEqual([]);
  });
});
