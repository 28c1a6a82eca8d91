/** Stack files in an editor: the real YAML language server with `stacks/stack.schema.json`, which each file's first line names. */
import fc from "fast-check";
import { stringify } from "yaml";
import { stackNames } from "../../review/stack-file";
import { arbitraryConfig, existingStack, type StackConfig } from "../support/stacks";
import { LanguageServer, marked, stackText } from "./language-server";

const MODELINE = "# yaml-language-server: $schema=./stack.schema.json\n";
/** Settings of layers that neither stack gives. */
const LAYERS = ["cni", "networkPolicy", "ingress", "dns", "serviceMesh"].map((name) => `k3s-networking:${name}`);
const AWS = stackText("dev-shared");
const HOSTS = stackText("onprem-segregated");

let server: LanguageServer;
beforeAll(async () => {
  server = await LanguageServer.start();
});
afterAll(async () => {
  await server.stop();
});

let files = 0;
const newName = (): string => `Pulumi.of-a-test-${++files}.yaml`;

/** Opens a text as a file of its own. */
function show(text: string): string {
  const name = newName();
  server.show(name, text);
  return name;
}

/** A text with one part replaced, which must be there. */
function changed(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`no "${from}" in the text`);
  return text.replace(from, to);
}

/** What is wrong with a text: the words that are underlined, and what is said of them. */
async function wrong(text: string): Promise<[string, string][]> {
  const lines = text.split("\n");
  const found = await server.open(newName(), text);
  return found.map(({ message, range: { start, end } }) => {
    const line = lines[start.line] ?? "";
    return [
      start.line === end.line ? line.slice(start.character, end.character) : line.slice(start.character),
      message,
    ];
  });
}

/** Labels that are offered at the mark `|` of a text. */
async function offered(text: string): Promise<string[]> {
  const at = marked(text);
  const name = show(at.text);
  return (await server.complete(name, at.position)).map(({ label }) => label);
}

/** What is said of the word that the mark `|` stands in. */
async function said(text: string): Promise<string> {
  const at = marked(text);
  const name = show(at.text);
  return server.hover(name, at.position);
}

describe("nothing is wrong", () => {
  test.each(stackNames())("with %s", async (name) => {
    expect(stackText(name).startsWith(MODELINE)).toBe(true);
    expect(await wrong(stackText(name))).toEqual([]);
  });

  test("with encrypted secrets, keys of other providers, and what Pulumi itself keeps in the file", async () => {
    const ssh = "      user: ubuntu\n      privateKey:\n        secure: AAABAKq1\n";
    const others = [
      "config:",
      "  aws:profile: production",
      "  aws:secretKey:",
      "    secure: AAABAKq2",
      "  kubernetes:context: admin",
      "  pulumi:tags:",
      "    team: platform",
      "  other:list:",
      "    - secure: AAABAKq3",
      "",
    ].join("\n");
    const own =
      "secretsprovider: awskms://alias/pulumi\nencryptedkey: QUJD\nencryptionsalt: v1:abc\nenvironment:\n  - platform/prod\n";
    const text = changed(changed(AWS, "      user: ubuntu\n", ssh), "config:\n", others);
    expect(await wrong(`${text}${own}`)).toEqual([]);
    const hosts = changed(HOSTS, "      user: ops\n", "      user: ops\n      privateKey: { secure: AAABAKq1 }\n");
    expect(await wrong(hosts)).toEqual([]);
    const peers =
      "    bgp:\n      peers:\n        - { name: r, myAsn: 64512, peerAsn: 64513, peerAddress: 10.0.0.1, password: { secure: A } }\n";
    expect(await wrong(changed(HOSTS, "    l2: {}\n", peers))).toEqual([]);
  });

  test("with anchors beside config, and aliases and merge keys in it", async () => {
    const pool = "agents: &agents { role: agent, instanceType: t4g.small, arch: arm64 }\n";
    const text = changed(
      AWS,
      "k3s-networking:nodes:\n",
      "k3s-networking:nodes:\n    - { <<: *agents, pool: worker }\n",
    );
    expect(await wrong(changed(text, "\nconfig:\n", `\n${pool}config:\n`))).toEqual([]);
  });

  test.each([
    "cni: cilium",
    "cni: { type: calico, encapsulation: ipip, mtu: 1400 }",
    "ingress: nginx",
    "ingress: { type: haproxy, replicas: 2 }",
    "dns: coredns-chart",
    "dns: { type: coredns, nodeLocalCache: true }",
    "serviceMesh: istio",
    "serviceMesh: { type: istio, namespaces: [apps] }",
    "networkPolicy: { defaultDeny: [apps] }",
    "ipFamilies: [ipv4, ipv6]",
  ])("with a layer chosen, as a word or as a mapping: %s", async (setting) => {
    expect(await wrong(`${AWS.trimEnd()}\n  k3s-networking:${setting}\n`)).toEqual([]);
  });

  test("with random valid stacks, and a key that no setting has is found in each", async () => {
    const configs = [...fc.sample(arbitraryConfig(), 30), ...fc.sample(existingStack(), 30)];
    const text = (config: StackConfig): string => MODELINE + stringify({ config });
    const found = await Promise.all(configs.map(async (config) => ({ config, found: await wrong(text(config)) })));
    expect(found.filter((one) => one.found.length > 0)).toEqual([]);
    const misspelt = (config: StackConfig): StackConfig => ({
      ...config,
      "k3s-networking:access": { ...(config["k3s-networking:access"] as object), adnim: [] },
    });
    const typos = await Promise.all(configs.map(async (config) => wrong(text(misspelt(config)))));
    expect(typos).toEqual(configs.map(() => [["adnim", "Property adnim is not allowed."]]));
  });
});

describe("a mistake is underlined, and told", () => {
  test.each<[string, string, string, string, [string, string][]]>([
    ["a typo in a mapping", AWS, "vpcCidr", "vpcCdir", [["vpcCdir", "Property vpcCdir is not allowed."]]],
    [
      "a typo in a list",
      AWS,
      "instanceType: t4g.small",
      "instancetype: t4g.small",
      [["instancetype", "Property instancetype is not allowed."]],
    ],
    [
      "a typo on the first level",
      HOSTS,
      "k3s-networking:hostFirewall",
      "k3s-networking:hostFirewal",
      [["k3s-networking:hostFirewal", "Property k3s-networking:hostFirewal is not allowed."]],
    ],
    [
      "a typo of what must be there",
      AWS,
      "k3s-networking:layout",
      "k3s-networking:layuot",
      [
        ["config", 'Missing property "k3s-networking:layout".'],
        ["k3s-networking:layuot", "Property k3s-networking:layuot is not allowed."],
      ],
    ],
    [
      "two letters of the namespace in each other's place",
      AWS,
      "k3s-networking:delivery",
      "k3s-netwroking:delivery",
      [["k3s-netwroking:delivery", "A namespace that nobody reads; the program's is k3s-networking."]],
    ],
    [
      "a letter too few in the namespace",
      AWS,
      "k3s-networking:delivery",
      "k3s-netwrking:delivery",
      [["k3s-netwrking:delivery", "A namespace that nobody reads; the program's is k3s-networking."]],
    ],
    [
      "no namespace",
      AWS,
      "k3s-networking:delivery",
      "delivery",
      [["delivery", "A key without a namespace; the program's are k3s-networking:NAME."]],
    ],
    [
      "a typo of the one key that must be there",
      AWS,
      "\nconfig:\n",
      "\nconfg:\n",
      [["c", 'Missing property "config".']],
    ],
    [
      "a word that is no value",
      AWS,
      "placement: public",
      "placement: pubic",
      [["pubic", 'Value is not accepted. Valid values: "public", "private".']],
    ],
    [
      "a target that is none",
      AWS,
      "target: aws",
      "target: awz",
      [["awz", 'Value is not accepted. Valid values: "aws", "existing".']],
    ],
    [
      "a setting of the other target",
      AWS,
      "k3s-networking:tags",
      "k3s-networking:pools",
      [["k3s-networking:pools", "A setting of target existing; the target here is aws."]],
    ],
    [
      "the region of hosts that are there",
      HOSTS,
      "config:\n",
      "config:\n  aws:region: eu-west-1\n",
      [["aws:region", "A setting of target aws; the target here is existing."]],
    ],
    [
      "a network that is none",
      AWS,
      "10.10.0.0/16",
      "10.10.0.0",
      [["10.10.0.0", "Value is not a network; it looks like 10.0.0.0/16 or fd00::/64."]],
    ],
    [
      "a form that the schema says",
      AWS,
      "region: eu-west-1",
      "region: Ireland",
      [["Ireland", "Value is not an AWS region; it looks like eu-west-1."]],
    ],
    [
      "a CNI that is none",
      AWS,
      "k3s-networking:delivery: manifests",
      "k3s-networking:cni: clium",
      [["clium", 'Value is not accepted. Valid values: "flannel", "calico", "cilium", "none".']],
    ],
    [
      "a load balancer that needs settings, as a word",
      AWS,
      "k3s-networking:loadBalancer: servicelb",
      "k3s-networking:loadBalancer: metallb",
      [["metallb", 'Value is not accepted. Valid values: "servicelb", "none", "aws".']],
    ],
    ["a word for a number", AWS, "count: 1", "count: one", [["one", 'Incorrect type. Expected "integer".']]],
    [
      "a source that is none",
      HOSTS,
      "from: [nodes, clients]",
      "from: [nodes, client]",
      [
        [
          "client",
          "Value is neither nodes, servers, agents, clients, admin nor a network such as 10.0.0.0/16 or fd00::/64.",
        ],
      ],
    ],
    [
      "an encrypted value that is no secret",
      AWS,
      "delivery: manifests",
      "delivery: { secure: AAABAKq1 }",
      [
        ["{ secure: AAABAKq1 }", 'Incorrect type. Expected "string".'],
        ["{ secure: AAABAKq1 }", 'Value is not accepted. Valid values: "api", "manifests".'],
      ],
    ],
  ])("%s", async (_, text, from, to, expected) => {
    expect(await wrong(changed(text, from, to))).toEqual(expected);
  });
});

describe("completion", () => {
  test.each<[string, string, string, string, string[]]>([
    [
      "settings that are not there yet",
      AWS,
      "  k3s-networking:delivery: manifests",
      "  |",
      [
        "k3s-networking:ipFamilies",
        "k3s-networking:api",
        ...LAYERS,
        "k3s-networking:services",
        "k3s-networking:delivery",
      ],
    ],
    [
      "settings of the other target",
      HOSTS,
      "  k3s-networking:delivery: api",
      "  |",
      ["k3s-networking:ipFamilies", "k3s-networking:api", ...LAYERS, "k3s-networking:delivery"],
    ],
    [
      "keys of a mapping",
      AWS,
      "    placement: public",
      "    |",
      ["placement", "natGateways", "egress", "isolated", "mtu", "vpc"],
    ],
    ["keys of the same mapping, target existing", HOSTS, "    defaultRoute: auto", "    |", ["defaultRoute", "mtu"]],
    [
      "keys in a list",
      HOSTS,
      "      address: 192.0.2.111",
      "      |",
      ["role", "address", "an entry of nodes", "port", "external", "arch", "labels", "taints", "serviceLb", "lost"],
    ],
    ["words of a setting", AWS, "placement: public", "placement: |", ["public", "private"]],
    [
      "kinds of a layer",
      AWS,
      "k3s-networking:delivery: manifests",
      "k3s-networking:ingress: |",
      ["nginx", "traefik", "traefik-chart", "haproxy", "none"],
    ],
    ["targets", AWS, "target: aws", "target: |", ["existing", "aws"]],
    [
      "words of the other target",
      HOSTS,
      "hostFirewall: nftables",
      "hostFirewall: |",
      ["nftables", "firewalld", "none"],
    ],
    ["backends", AWS, "flannelBackend: vxlan", "flannelBackend: |", ["vxlan", "host-gw", "wireguard-native"]],
    ["an example beside the default", AWS, "instanceType: t4g.small", "instanceType: |", ["t3.medium", "m7g.large"]],
    [
      "words in a list",
      HOSTS,
      "    etcdExposeMetrics: true",
      "    disable:\n      - |",
      ["coredns", "servicelb", "traefik", "local-storage", "metrics-server", "runtimes"],
    ],
  ])("%s", async (_, text, from, to, labels) => {
    expect(await offered(changed(text, from, to))).toEqual(labels);
  });

  test("services: those of the catalogue by name, and the keys of one with settings", async () => {
    const labels = await offered(changed(HOSTS, "    - redis", "    - |"));
    expect(labels).toEqual(
      expect.arrayContaining(["redis", "kafka", "longhorn", "name", "protocol", "from", "lbPool"]),
    );
  });

  test("an empty file: what must be there", async () => {
    expect(await offered(`${MODELINE}|`)).toContain("config");
    const keys = await offered(`${MODELINE}config:\n  |`);
    expect(keys).toEqual(expect.arrayContaining(["aws:region", "k3s-networking:target", "k3s-networking:nodes"]));
  });
});

describe("hover", () => {
  const source = expect.stringContaining("stack.schema.json") as string;

  test.each<[string, string, string, string[]]>([
    [
      "a word, with its default and the others",
      AWS,
      "placement: public",
      [
        "Whether nodes have public addresses (an Elastic IP each) or sit behind NAT gateways. Default: `public`.",
        "Allowed Values:",
        "* `public`\n* `private`",
        source,
      ],
    ],
    [
      "a text, with default and example",
      AWS,
      "vpcCidr: 10.10.0.0/16",
      [
        "CIDR of the VPC that the program creates, from /16 to /22. Default: `10.0.0.0/16`.",
        "Example:",
        "```yaml\n10.20.0.0/16\n```",
        source,
      ],
    ],
    ["a mapping", AWS, "k3s-networking:access:", ["Who may use the cluster, and how its nodes are reached.", source]],
    [
      "a setting of target existing",
      HOSTS,
      "hostFirewall: nftables",
      [
        "What closes ports on the hosts themselves: the program's own nftables table, firewalld, or nothing (`none`). Default: `nftables`.",
        "Allowed Values:",
        "* `nftables`\n* `firewalld`\n* `none`",
        source,
      ],
    ],
    [
      "a setting of MetalLB",
      HOSTS,
      "addresses: [192.0.2.200-192.0.2.219]",
      ["CIDRs or `FIRST-LAST` ranges.", "Example:", "```yaml\n- 192.0.2.200-192.0.2.219\n```", source],
    ],
  ])("%s", async (_, text, at, parts) => {
    const shown = await said(changed(text, at, `${at.slice(0, 3)}|${at.slice(3)}`));
    expect(shown.split("\n\n").slice(1)).toEqual(parts);
  });
});
