/** `npm run new-stack`: the copy says what the source says, but for what would collide and what is secret; and the command around it. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { parse, stringify } from "yaml";
import { foundBetween, readAll, specOfText } from "../../fleet/all-stacks";
import { main as check } from "../../fleet/check-cli";
import { MODELINE, copyStack, type StackCopy } from "../../fleet/new-stack/copy";
import { main } from "../../fleet/new-stack-cli";
import { planStack } from "../../review/preview";
import { ROOT, stackNames } from "../../review/stack-file";
import type { Problem } from "../../spec/problems";
import type { ClusterSpec } from "../../spec/types";
import {
  PRIVATE_KEY,
  arbitraryConfig,
  existingConfig,
  existingStack,
  host,
  merge,
  minimalConfig,
  publicKey,
  type Settings,
  type StackConfig,
} from "../support/stacks";
import { run } from "../review/support";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A root with the committed stacks, and these texts by name. */
function root(texts: Readonly<Record<string, string>> = {}, committed = true): string {
  const folder = mkdtempSync(path.join(tmpdir(), "k3s-networking-new-stack-"));
  folders.push(folder);
  mkdirSync(path.join(folder, "stacks"));
  if (committed) cpSync(path.join(ROOT, "stacks"), path.join(folder, "stacks"), { recursive: true });
  for (const [name, text] of Object.entries(texts)) writeFileSync(fileOf(folder, name), text);
  return folder;
}

const fileOf = (folder: string, name: string): string => path.join(folder, "stacks", `Pulumi.${name}.yaml`);

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function runIn(folder: string, command: typeof main, ...args: string[]): Promise<Ran> {
  const out = { stdout: "", stderr: "" };
  const streams = {
    stdout: (text: string): void => void (out.stdout += text),
    stderr: (text: string): void => void (out.stderr += text),
  };
  return { code: await command(args, streams, folder), ...out };
}

/** A copy of a text, beside others; the test fails where there is none. */
function copied(text: string, others: readonly ClusterSpec[] = [], name = "mine"): StackCopy {
  const { spec, problems } = specOfText("source", text);
  if (spec === undefined) throw new Error(JSON.stringify(problems));
  const copy = copyStack({ name, source: spec, text, specs: [...others, spec] });
  if ("code" in copy) throw new Error(copy.message);
  return copy;
}

const AWS = (over: Settings = {}): string => stringify({ config: minimalConfig(over) }, { lineWidth: 0 });
const HOSTS = (over: Settings = {}): string => stringify({ config: existingConfig(over) }, { lineWidth: 0 });

describe("the committed stacks", () => {
  test.each(stackNames())("%s: its copy can be built beside all others, and has all of its comments", async (from) => {
    const folder = root();
    const ran = await runIn(folder, main, "mine", "--from", from);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(ran.stdout).toContain(`Pulumi.mine.yaml, from ${from}\n`);
    const [old, text] = [readFileSync(fileOf(folder, from), "utf8"), readFileSync(fileOf(folder, "mine"), "utf8")];
    expect(text.startsWith(`${MODELINE}\n#\n# mine: `)).toBe(true);
    const comments = (of: string): string[] => of.split("\n").flatMap((line) => /(^|\s)#.*$/u.exec(line)?.[0] ?? []);
    expect(comments(text)).toEqual(comments(old).map((line) => line.replace(`# ${from}: `, "# mine: ")));
    expect(text.split("\n")).toHaveLength(old.split("\n").length);
    const planned = planStack({ stack: "mine", file: fileOf(folder, "mine") });
    expect("problems" in planned ? planned.problems : []).toEqual([]);
    expect((await runIn(folder, check)).code).toBe(0);
    expect(foundBetween(readAll(folder).specs)).toEqual({ problems: [], warnings: [] });
  });

  test("prod-segregated: what is changed, line by line", async () => {
    const folder = root();
    await runIn(folder, main, "prod.eu_2", "--from", "prod-segregated");
    const lines = (name: string): string[] => readFileSync(fileOf(folder, name), "utf8").split("\n");
    const [old, text] = [lines("prod-segregated"), lines("prod.eu_2")];
    expect(text.filter((line, index) => line !== old[index])).toEqual([
      "# prod.eu_2: three servers over three zones, two agent pools, two interfaces a node. Cluster traffic stays on a private",
      "    vpcCidr: 10.21.0.0/16",
      "    environment: prod.eu_2",
    ]);
  });

  test("onprem-segregated: hosts are the next ones, with keys that nobody has, as JSON", async () => {
    const folder = root();
    const { stdout } = await runIn(folder, main, "mine", "--from", "onprem-segregated", "--json");
    const { changed, edit, removed, ...head } = JSON.parse(stdout) as StackCopy & Settings;
    expect(head).toEqual({
      stack: "mine",
      from: "onprem-segregated",
      file: path.relative(process.cwd(), fileOf(folder, "mine")),
    });
    expect(changed.map(({ path: at, to }) => `${at} ${to}`)).toEqual([
      "nodes[0].address 192.0.2.114",
      "nodes[0].backplane.address 10.20.0.14",
      "nodes[1].address 192.0.2.115",
      "nodes[1].backplane.address 10.20.0.15",
      "nodes[2].address 192.0.2.116",
      "nodes[2].backplane.address 10.20.0.16",
      "nodes[3].address 192.0.2.124",
      "nodes[3].backplane.address 10.20.0.24",
      "nodes[4].address 192.0.2.125",
      "nodes[4].backplane.address 10.20.0.25",
      "nodes[5].address 192.0.2.126",
      "nodes[5].backplane.address 10.20.0.26",
      "loadBalancer.pools[0].addresses[0] 192.0.2.220-192.0.2.239",
    ]);
    expect(edit.map(({ path: at }) => at)).toEqual([
      "nodes[].address",
      "nodes[].hostKey",
      "loadBalancer.pools[].addresses",
      "access",
    ]);
    expect(removed).toEqual([]);
    const { specs } = readAll(folder);
    const keys = specs.flatMap((spec) => (spec.target === "existing" ? spec.nodes.map(({ hostKey }) => hostKey) : []));
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("again and again: two copies of each, none in another's way", async () => {
    const folder = root();
    for (let round = 0; round < 2; round++) {
      for (const from of stackNames()) {
        expect(await runIn(folder, main, `copy-${round}-of-${from}`, "--from", from)).toMatchObject({ code: 0 });
      }
    }
    expect(stackNames(folder)).toHaveLength(stackNames().length * 3);
    expect(foundBetween(readAll(folder).specs)).toEqual({ problems: [], warnings: [] });
  });
});

describe("networks and addresses", () => {
  const cidrOf = (text: string): unknown =>
    (parse(text) as { config: Record<string, Settings> }).config["k3s-networking:network"]?.["vpcCidr"];
  const other = (name: string, over: Settings): ClusterSpec => {
    const { spec } = specOfText(name, AWS(over));
    if (spec === undefined) throw new Error(`${name} is not valid`);
    return spec;
  };

  test.each<[string, string, Settings[], string]>([
    ["the next one", "10.8.0.0/16", [], "10.9.0.0/16"],
    ["the next free one", "10.8.0.0/16", [{ network: { vpcCidr: "10.9.128.0/20" } }], "10.10.0.0/16"],
    ["round the end of the range", "192.168.252.0/22", [{ network: { vpcCidr: "192.168.0.0/22" } }], "192.168.4.0/22"],
    ["in another range", "192.168.0.0/16", [], "10.0.0.0/16"],
    ["not where pods and services are", "10.41.0.0/16", [], "10.44.0.0/16"],
    [
      "not where another's pods are",
      "10.8.0.0/16",
      [{ network: { vpcCidr: "10.1.0.0/16" }, k3s: { clusterCidr: "10.9.0.0/16" } }],
      "10.10.0.0/16",
    ],
    ["not where operators are", "10.199.0.0/16", [], "10.201.0.0/16"],
  ])("a VPC: %s", (_, vpcCidr, others, expected) => {
    const copy = copied(
      AWS({ network: { vpcCidr } }),
      others.map((over, index) => other(`other-${index}`, over)),
    );
    expect(cidrOf(copy.text)).toBe(expected);
    expect(copy.changed).toContainEqual({ path: "network.vpcCidr", from: vpcCidr, to: expected });
  });

  test("a VPC that the source leaves to its default is written out", () => {
    expect(cidrOf(copied(AWS()).text)).toBe("10.1.0.0/16");
    const flow = `config: ${JSON.stringify(minimalConfig())}\n`;
    expect(cidrOf(copied(flow).text)).toBe("10.1.0.0/16");
  });

  test("a VPC that is there stays, marked to be edited", () => {
    const vpc = {
      id: "vpc-1",
      cidr: "10.0.0.0/16",
      externalSubnets: [{ id: "subnet-1", cidr: "10.0.0.0/24", availabilityZone: "eu-west-1a" }],
    };
    const copy = copied(AWS({ network: { vpc } }));
    expect(copy.text).toContain(
      "\n    # The VPC and the subnets of source: put your own here.\n    vpc:\n      id: vpc-1\n",
    );
    expect(copy.edit.map(({ path: at }) => at)).toEqual(["network.vpc", "access"]);
  });

  test("where no network is left, there is no copy", () => {
    const spec = other("source", { network: { vpcCidr: "10.0.0.0/16" } });
    const full = ["10.0.0.0/9", "10.128.0.0/9", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].map(
      (clusterCidr) => ({
        ...spec,
        k3s: { ...spec.k3s, clusterCidr },
      }),
    );
    expect(
      copyStack({ name: "mine", source: spec, text: AWS({ network: { vpcCidr: "10.0.0.0/16" } }), specs: full }),
    ).toEqual({
      code: "stack-not-copied",
      path: "--from",
      message: 'has network.vpcCidr 10.0.0.0/16, beside which no free addresses are left ("source")',
      remedy: "free some, or copy another stack",
    });
  });

  test("hosts: round the /24, then beyond it; names become nobody's; one address is one machine's wherever it stands", () => {
    const nodes = [
      host("server", 1, { address: "192.168.7.253", external: { address: "192.168.7.253" } }),
      host("agent", 1, { address: "192.168.7.254" }),
      host("agent", 2, { address: "db.example.com", external: { interface: "eth0" } }),
    ];
    const text = HOSTS({
      nodes,
      api: { endpoint: "192.168.7.253" },
      k3s: { tlsSans: ["k3s.example.com", "k3s.internal", "192.168.7.9"] },
    });
    const { config } = parse(copied(text).text) as { config: Record<string, Settings> };
    const shown = (config["k3s-networking:nodes"] as unknown as Settings[]).map(({ address, external }) => [
      address,
      external,
    ]);
    expect(shown).toEqual([
      ["192.168.7.2", { address: "192.168.7.2" }],
      ["192.168.7.3", undefined],
      ["agent-2.mine.invalid", { interface: "eth0" }],
    ]);
    expect(config["k3s-networking:api"]).toEqual({ endpoint: "192.168.7.2" });
    expect(config["k3s-networking:k3s"]).toEqual({
      tlsSans: ["k3s.mine.invalid", "san-2.mine.invalid", "192.168.7.10"],
    });
  });

  test("pools: the next range of the same size, and of the same form", () => {
    const pools = [{ name: "a", addresses: ["192.168.7.240-192.168.7.249", "192.168.7.64/27", "10.231.0.0/24"] }];
    const { config } = parse(copied(HOSTS({ loadBalancer: { type: "metallb", pools, l2: {} } })).text) as {
      config: Record<string, Settings>;
    };
    expect(config["k3s-networking:loadBalancer"]?.["pools"]).toEqual([
      { name: "a", addresses: ["192.168.7.2-192.168.7.11", "192.168.7.96/27", "10.231.1.0/24"] },
    ]);
  });
});

describe("what is left out", () => {
  const SECRET = "AAABAHSecretOfTheSource";
  const bastion = { host: "b.example.com", user: "ops", hostKey: publicKey("c"), cidr: "10.199.0.4/32" };
  const secrets: Settings = {
    access: {
      ssh: {
        privateKey: { secure: SECRET },
        hostKeys: { "server-1": publicKey("d") },
        bastion: { ...bastion, privateKey: PRIVATE_KEY },
      },
    },
    loadBalancer: {
      type: "metallb",
      pools: [{ name: "p", addresses: ["10.231.0.0/24"] }],
      bgp: { peers: [{ name: "r", myAsn: 64512, peerAsn: 64513, peerAddress: "10.230.0.1", password: SECRET }] },
    },
  };
  const config = {
    ...minimalConfig(secrets),
    "aws:profile": "production",
    "aws:secretKey": { secure: SECRET },
    "other:list": [{ secure: SECRET }],
  };
  const whole = {
    encryptionsalt: SECRET,
    secretsprovider: `awskms://${SECRET}`,
    encryptedkey: SECRET,
    environment: ["prod/secrets"],
    config,
  };

  test.each([
    ["in blocks", stringify(whole, { lineWidth: 0 })],
    ["in one line", JSON.stringify(whole)],
    ["behind it", stringify(Object.fromEntries(Object.entries(whole).reverse()), { lineWidth: 0 })],
  ])("secrets, and what is the other stack's alone: %s", (_, text) => {
    const copy = copied(text);
    expect(copy.text).not.toContain(SECRET);
    expect(copy.text).not.toContain("PRIVATE KEY");
    expect(JSON.stringify(copy)).not.toContain(SECRET);
    expect(Object.keys(parse(copy.text) as object)).toEqual(["config"]);
    expect(copy.removed.map(({ path: at, note }) => `${at}: ${note}`).sort()).toEqual([
      "access.ssh.bastion.privateKey: set your own: pulumi config set --path --secret 'k3s-networking:access.ssh.bastion.privateKey'",
      "access.ssh.hostKeys: keys of the other stack's instances",
      "access.ssh.privateKey: set your own: pulumi config set --path --secret 'k3s-networking:access.ssh.privateKey'",
      "aws:secretKey: set your own: pulumi config set --secret aws:secretKey",
      "encryptedkey: the other stack's own",
      "encryptionsalt: the other stack's own",
      "environment: ESC environments of the other stack: name your own",
      "loadBalancer.bgp.peers[0].password: set your own: pulumi config set --path --secret 'k3s-networking:loadBalancer.bgp.peers[0].password'",
      "other:list: set your own: pulumi config set --secret other:list",
      "secretsprovider: give it to pulumi stack init --secrets-provider",
    ]);
    expect(copy.edit).toContainEqual({ path: "aws:profile", note: "as in source" });
    const { config: left } = parse(copy.text) as { config: Record<string, Settings> };
    expect(left["k3s-networking:access"]?.["ssh"]).toEqual({ publicKey: publicKey(), bastion });
  });

  test("a secret that stands at a second place, as in a comment, is no reason to copy it", () => {
    const text = `# The password is ${SECRET}\n${stringify({ config }, { lineWidth: 0 })}`;
    const { spec } = specOfText("source", text);
    expect(copyStack({ name: "mine", source: spec as ClusterSpec, text, specs: [] })).toEqual({
      code: "stack-not-copied",
      path: "--from",
      message: 'holds a secret at a second place ("source")',
      remedy: "take it out there, perhaps of a comment",
    });
  });

  test("a host that is gone for good is a new one in the copy", () => {
    const nodes = [1, 2, 3].map((number) => ({ ...(number === 3 ? { lost: true } : {}), ...host("server", number) }));
    const text = HOSTS({ nodes });
    expect(text).toContain("- lost: true\n");
    const { config: left } = parse(copied(text).text) as { config: Record<string, Settings[]> };
    expect(left["k3s-networking:nodes"]?.map(({ name, lost }) => [name, lost])).toEqual([
      ["server-1", undefined],
      ["server-2", undefined],
      ["server-3", undefined],
    ]);
  });
});

describe("YAML", () => {
  test("quotes, aliases and merge keys stay; a value that many share is changed once", () => {
    const text = [
      "defaults: &agent { role: agent, backplane: { interface: 'eth1' } }",
      "config:",
      ...stringify(existingConfig({ nodes: undefined, layout: "segregated" }), { lineWidth: 0 })
        .trimEnd()
        .split("\n")
        .map((line) => `  ${line}`),
      "  k3s-networking:nodes:",
      "    - name: server-1 # the first",
      "      role: server",
      '      address: &first "10.1.0.11"   # its address',
      "      external: { address: *first }",
      "      backplane: { interface: eth1 }",
      `      hostKey: '${publicKey("b")}'`,
      `    - { <<: *agent, name: agent-1, address: 10.1.0.12, hostKey: "${publicKey("d")}" }`,
      "",
    ].join("\n");
    const copy = copied(text);
    expect(copy.text).toContain(
      '      address: &first "10.1.0.13"   # its address\n      external: { address: *first }\n',
    );
    expect(copy.text).toMatch(/\n {6}hostKey: 'ssh-ed25519 \S+ replace-with-your-own-key'\n/u);
    expect(copy.text).toMatch(
      /\n {4}- \{ <<: \*agent, name: agent-1, address: 10\.1\.0\.14, hostKey: "ssh-ed25519 [^"]+" \}\n/u,
    );
  });

  test("a name that YAML would read as something else is quoted", () => {
    const text = AWS({ tags: { environment: "prod" } });
    expect(copied(text, [], "2024").text).toContain('    environment: "2024"\n');
  });

  test("settings as JSON in a text are refused", () => {
    const config = {
      ...minimalConfig(),
      "k3s-networking:access": JSON.stringify(minimalConfig()["k3s-networking:access"]),
    };
    const text = stringify({ config }, { lineWidth: 0 });
    const { spec } = specOfText("source", text);
    expect(copyStack({ name: "mine", source: spec as ClusterSpec, text, specs: [] })).toMatchObject({
      code: "stack-not-copied",
      message: 'has k3s-networking:access as JSON text; allowed: YAML ("source")',
    });
  });
});

/** A stack file with a comment on, or above, many of its lines: in blocks, or each setting in one line. */
function commented(config: StackConfig, flow: boolean): string {
  const body = flow
    ? Object.entries(config).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`)
    : stringify({ config }, { lineWidth: 0 }).trimEnd().split("\n").slice(1);
  const lines = body.flatMap((line, index) => [
    ...(line.startsWith("  k3s-networking:") ? [`  # comment ${index}`] : []),
    /^\s+(- )?\w+: [^|]+$/u.test(line) && !line.includes("ssh-ed25519") ? `${line} # trailing ${index}` : line,
  ]);
  return ["# source: of a test.", "config:", ...lines, ""].join("\n");
}

/** What a stack file says, without what the copy's notes name. */
function without(text: string, { changed, removed }: StackCopy): unknown {
  const { config } = parse(text, { merge: true }) as { config: Record<string, unknown> };
  for (const { path: at } of [...changed, ...removed]) {
    const parts = [...at.matchAll(/[^.[\]]+/gu)].map(([part]) => part);
    const holder = parts
      .slice(0, -1)
      .reduce<unknown>(
        (value, part, index) =>
          (value as Record<string, unknown> | undefined)?.[index === 0 ? `k3s-networking:${part}` : part],
        config,
      );
    if (typeof holder === "object" && holder !== null) Reflect.deleteProperty(holder, parts.at(-1) ?? "");
  }
  const nodes = config["k3s-networking:nodes"] as Record<string, unknown>[];
  for (const node of nodes) delete node["hostKey"];
  return config;
}

test("random stacks beside the committed ones: the copy says the rest word for word, has all comments, and no problem or warning more", () => {
  const committed = readAll().specs;
  const random = fc.record({
    config: fc.oneof(arbitraryConfig(), existingStack()),
    flow: fc.boolean(),
    name: fc.constantFrom("mine", "a.b_C-1"),
  });
  fc.assert(
    fc.property(random, ({ config, flow, name }) => {
      const ssh = { privateKey: { secure: "AAABAHSecret" } };
      const access = merge(config["k3s-networking:access"] as Settings, { ssh });
      const text = commented({ ...config, "k3s-networking:access": access }, flow);
      const source = specOfText("source", text);
      const specs = [...committed, source.spec as ClusterSpec];
      const copy = copied(text, committed, name);
      expect(copied(text, committed, name)).toEqual(copy);
      expect(copy.text).not.toContain("AAABAHSecret");
      expect(without(copy.text, copy)).toEqual(without(text, copy));
      const comments = (of: string): string[] => [...of.matchAll(/# (comment|trailing) \d+/gu)].map(([one]) => one);
      const gone = comments(text).filter((one) => !comments(copy.text).includes(one));
      // A comment behind a value that is left out goes with it.
      expect(
        gone.filter(
          (one) => !/(secure|hostKeys|password):/u.test(text.split("\n").find((line) => line.endsWith(one)) ?? ""),
        ),
      ).toEqual([]);
      const { spec, problems, warnings } = specOfText(name, copy.text);
      expect(problems).toEqual([]);
      const codes = (of: readonly Problem[]): Set<string> => new Set(of.map(({ code }) => code));
      const more = [...codes(warnings)].filter((code) => !codes(source.warnings).has(code));
      expect(more.filter((code) => code !== "host-key-first-contact")).toEqual([]);
      const before = foundBetween(specs);
      const after = foundBetween([...specs, spec as ClusterSpec]);
      expect(after.problems).toEqual(before.problems);
      // A VPC that is there is still the source's.
      const reused = source.spec?.target === "aws" && source.spec.network.vpc !== undefined;
      expect([...codes(after.warnings)].filter((code) => !reused || code !== "subnet-shared")).toEqual([
        ...codes(before.warnings),
      ]);
    }),
    { numRuns: 40 },
  );
});

describe("the command refuses", () => {
  const refusals = async (folder: string, ...args: string[]): Promise<string> => {
    const before = readdirSync(path.join(folder, "stacks"));
    const ran = await runIn(folder, main, ...args);
    expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code: 1, stdout: "" });
    expect(readdirSync(path.join(folder, "stacks"))).toEqual(before);
    return ran.stderr;
  };

  test.each<[string, string[], string]>([
    [
      "a name that Pulumi does not take",
      ["my stack", "--from", "dev-shared"],
      'NAME: is not a stack\'s name ("my stack"); allowed: letters, digits, hyphens, underscores and dots, at most 100; choose another [stack-name]',
    ],
    [
      "a path",
      ["../mine", "--from", "dev-shared"],
      'NAME: is not a stack\'s name ("../mine"); allowed: letters, digits, hyphens, underscores and dots, at most 100; choose another [stack-name]',
    ],
    ["a name that is too long", ["a".repeat(101), "--from", "dev-shared"], "[stack-name]"],
    [
      "a stack that is there",
      ["Dev-Shared", "--from", "dev-shared"],
      'NAME: is a stack that is there ("dev-shared"); allowed: a name that no stack has; choose another, or edit that one [stack-name]',
    ],
    [
      "a source that is not there",
      ["mine", "--from", "prod-segregatd"],
      "did you mean prod-segregated? [stack-unknown]",
    ],
    [
      "no name",
      ["--from", "dev-shared"],
      "NAME: is missing; give the new stack's name first, as in: npm run new-stack -- mine --from dev-shared [option-invalid]",
    ],
    ["two names", ["mine", "yours", "--from", "dev-shared"], "yours: stands without an option"],
    ["no source", ["mine"], "--from: is missing; it takes NAME"],
  ])("%s", async (_, args, message) => {
    expect(await refusals(root(), ...args)).toContain(message);
  });

  test("a source with mistakes, with all of them", async () => {
    const folder = root({ wrong: AWS({ layuot: 1, access: { admin: ["10.0.0.0"] } }) }, false);
    expect((await refusals(folder, "mine", "--from", "wrong")).split("\n")[0]).toBe("Stack wrong: 2 problems");
  });

  test("nothing of the repository, as a process: help, and a name that is taken", () => {
    expect(run("new-stack", "--help").stdout).toContain("Usage: npm run new-stack -- NAME [options]\n");
    expect(run("new-stack", "dev-shared", "--from", "dev-shared")).toMatchObject({ code: 1, stdout: "" });
  });
});

describe("what layers bring", () => {
  const changes = (text: string): string[] =>
    copied(text).changed.map(({ path: at, from, to }) => `${at}: ${from} → ${to}`);

  test("Cilium's pools, where it reaches the API, and routed pods are others; the copy is no problem beside its source", () => {
    const text = HOSTS({
      cni: { type: "cilium", routing: "native", apiAddress: "10.1.0.50:6443" },
      hostFirewall: "none",
      loadBalancer: { type: "cilium", pools: [{ name: "p", addresses: ["10.1.0.100-10.1.0.110"] }], l2: {} },
    });
    expect(changes(text)).toEqual([
      "k3s.clusterCidr: 10.42.0.0/16 → 10.44.0.0/16",
      "nodes[0].address: 10.1.0.11 → 10.1.0.12",
      "loadBalancer.pools[0].addresses[0]: 10.1.0.100-10.1.0.110 → 10.1.0.111-10.1.0.121",
      "cni.apiAddress: 10.1.0.50:6443 → 10.1.0.51:6443",
    ]);
    const [source, copy] = [specOfText("source", text), specOfText("mine", copied(text).text)];
    expect(copy.problems).toEqual([]);
    expect(foundBetween([source.spec, copy.spec].filter((spec) => spec !== undefined)).problems).toEqual([]);
  });

  test("hosts with both families: the next IPv6 addresses too", () => {
    const text = HOSTS({
      ipFamilies: ["ipv4", "ipv6"],
      nodes: [host("server", 1, { external: { address: "10.1.0.11", address6: "2a02:db8:1::11" } })],
    });
    expect(changes(text)).toEqual([
      "nodes[0].address: 10.1.0.11 → 10.1.0.12",
      "nodes[0].external.address: 10.1.0.11 → 10.1.0.12",
      "nodes[0].external.address6: 2a02:db8:1::11 → 2a02:db8:1::12",
    ]);
  });
});
