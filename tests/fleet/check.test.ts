/** `npm run check`: what is wrong between stacks, each mistake in its exact words, and the command over a folder of stacks. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { stringify } from "yaml";
import { acrossStacks } from "../../fleet/across-stacks";
import type { CheckDocument } from "../../fleet/all-stacks";
import { main } from "../../fleet/check-cli";
import { stackNames } from "../../review/stack-file";
import { flattenConfig, loadStack } from "../../spec/load";
import { formatProblem, sortProblems } from "../../spec/problems";
import type { ClusterSpec } from "../../spec/types";
import {
  arbitraryConfig,
  existingConfig,
  existingStack,
  host,
  minimalConfig,
  publicKey,
  type Settings,
  type StackConfig,
} from "../support/stacks";
import { run } from "../review/support";

const specOf = (stack: string, config: StackConfig): ClusterSpec => loadStack(stack, flattenConfig(config)).spec;
const aws = (stack: string, over: Settings): ClusterSpec => specOf(stack, minimalConfig(over));
const hosts = (stack: string, over: Settings): ClusterSpec => specOf(stack, existingConfig(over));
const told = (...specs: ClusterSpec[]): string[] => acrossStacks(specs).map(formatProblem);

const vpc = (id: string, cidr: string, subnet: string): Settings => ({
  vpcCidr: undefined,
  vpc: {
    id,
    cidr,
    externalSubnets: [{ id: subnet, cidr: cidr.replace("/16", "/24"), availabilityZone: "eu-west-1a" }],
  },
});
const bastion = (name: string): Settings => ({
  host: name,
  user: "ops",
  hostKey: publicKey("c"),
  cidr: "10.199.0.4/32",
});
/** A stack of one host, which has the address and the key. */
const one = (stack: string, address: string, letter: string, over: Settings = {}): ClusterSpec =>
  hosts(stack, { nodes: [host("server", 1, { address, hostKey: publicKey(letter) })], ...over });
const metallb = (...addresses: string[]): Settings => ({
  type: "metallb",
  pools: [{ name: "public", addresses }],
  l2: {},
});

describe("VPCs", () => {
  test("that are created and overlap can never be connected", () => {
    expect(
      told(aws("a", { network: { vpcCidr: "10.0.0.0/16" } }), aws("b", { network: { vpcCidr: "10.0.64.0/18" } })),
    ).toEqual([
      'b/network.vpcCidr: shares addresses with a/network.vpcCidr ("10.0.64.0/18" and "10.0.0.0/16"), so that the two VPCs can never be connected; allowed: VPCs that do not overlap; choose another range before it is created, or say network.isolated: true in one that is never to be connected [vpc-overlap]',
    ]);
  });

  test("apart, or isolated, may be", () => {
    const a = aws("a", { network: { vpcCidr: "10.0.0.0/16" } });
    expect(told(a, aws("b", { network: { vpcCidr: "10.1.0.0/16" } }))).toEqual([]);
    const isolated = aws("b", { network: { vpcCidr: "10.0.0.0/16", isolated: true } });
    expect([told(a, isolated), told(isolated, a)]).toEqual([[], []]);
  });

  test("of which one is there: the other is to be chosen; both: a warning", () => {
    const created = aws("a", { network: { vpcCidr: "10.0.0.0/16" } });
    const there = aws("b", { network: vpc("vpc-1", "10.0.0.0/16", "subnet-1") });
    expect(told(created, there)).toEqual([
      'a/network.vpcCidr: shares addresses with b/network.vpc.cidr ("10.0.0.0/16" and "10.0.0.0/16"), so that the two VPCs can never be connected; allowed: VPCs that do not overlap; choose another range before it is created, or say network.isolated: true in one that is never to be connected [vpc-overlap]',
    ]);
    expect(told(there, aws("c", { network: vpc("vpc-2", "10.0.0.0/16", "subnet-2") }))).toEqual([
      'c/network.vpc.cidr: shares addresses with b/network.vpc.cidr ("10.0.0.0/16" and "10.0.0.0/16"), so that the two VPCs can never be connected; advised: VPCs that do not overlap; see that they need not be, or say network.isolated: true in one that is never to be connected [vpc-overlap-reused]',
    ]);
  });

  test("that are one and the same are no overlap; a subnet of both is told", () => {
    const there = aws("a", { network: vpc("vpc-1", "10.0.0.0/16", "subnet-1") });
    expect(told(there, aws("b", { network: vpc("vpc-1", "10.0.0.0/16", "subnet-2") }))).toEqual([]);
    expect(told(there, aws("b", { network: vpc("vpc-1", "10.0.0.0/16", "subnet-1") }))).toEqual([
      'b/network.vpc.externalSubnets[0].id: is a/network.vpc.externalSubnets[0].id too ("subnet-1"), and each stack counts its addresses as if they were its own; advised: subnets for each stack; see that there are enough for both, or name others [subnet-shared]',
    ]);
  });

  test("that hold another stack's host, but for its backplane", () => {
    const a = aws("a", { network: { vpcCidr: "10.5.0.0/16" } });
    expect(told(a, one("b", "10.5.0.9", "b"))).toEqual([
      'a/network.vpcCidr: holds the address of b/nodes[0].address ("10.5.0.0/16" and "10.5.0.9"); advised: a VPC apart from other stacks\' hosts, unless they are in it; choose another range before it is created, or say network.isolated: true if the VPC is never to be connected [vpc-holds-host]',
    ]);
    const backplane = hosts("b", {
      layout: "segregated",
      nodes: [host("server", 1, { backplane: { address: "10.5.0.9" } })],
    });
    expect(told(a, backplane)).toEqual([]);
    expect(told(aws("a", { network: vpc("vpc-1", "10.5.0.0/16", "subnet-1") }), one("b", "10.5.0.9", "b"))).toEqual([]);
  });
});

describe("hosts in two stacks", () => {
  test("by address and port, and by key", () => {
    expect(told(one("a", "10.1.0.11", "b"), one("b", "10.1.0.11", "d"))).toEqual([
      'b/nodes[0].address: has the address ("10.1.0.11", port 22) of a/nodes[0]: one host in two stacks; allowed: each host in one; take it out of one of them, or correct it [host-in-two-stacks]',
    ]);
    expect(told(one("a", "10.1.0.11", "b"), one("b", "10.1.0.12", "b"))).toEqual([
      'b/nodes[0].hostKey: has the host key ("server-1" and "server-1") of a/nodes[0]: one host in two stacks; allowed: each host in one; take it out of one of them, or correct it [host-in-two-stacks]',
    ]);
    expect(told(one("a", "Host.example.com", "b", named), one("b", "host.example.com", "d", named))).toHaveLength(1);
  });

  test("not with another port, behind another bastion, or where one is lost", () => {
    const a = one("a", "10.1.0.11", "b");
    expect(told(a, one("b", "10.1.0.11", "d", { access: { ssh: { port: 2222 } } }))).toEqual([]);
    const behind = (stack: string, name: string, letter: string): ClusterSpec =>
      one(stack, "10.1.0.11", letter, { access: { ssh: { bastion: bastion(name) } } });
    expect(told(a, behind("b", "bastion.example.com", "d"))).toEqual([]);
    expect(told(behind("a", "one.example.com", "b"), behind("b", "other.example.com", "d"))).toEqual([]);
    expect(told(behind("a", "one.example.com", "b"), behind("b", "one.example.com", "d"))).toHaveLength(1);
    // A public address is one host's, from wherever it is reached.
    const world = one("b", "8.8.8.8", "d", { access: { ssh: { bastion: bastion("one.example.com") } } });
    expect(told(one("a", "8.8.8.8", "b"), world)).toHaveLength(1);
    const lost = hosts("b", {
      nodes: [1, 2, 3].map((number) =>
        host("server", number, { address: `10.1.0.${number + 10}`, lost: number === 3 }),
      ),
    });
    expect(told(one("a", "10.1.0.13", "z"), lost)).toEqual([]);
  });
});

/** An interface by name, as a host with a name needs it. */
const named: Settings = { pools: { server: { external: { interface: "eth0" } } } };

test("pods and services where another stack's machines are", () => {
  const a = aws("a", { network: { vpcCidr: "10.0.0.0/16" }, k3s: { clusterCidr: "10.64.0.0/12" } });
  const b = aws("b", { network: { vpcCidr: "10.66.0.0/16" } });
  const message =
    'a/k3s.clusterCidr: shares addresses with b/network.vpcCidr ("10.64.0.0/12" and "10.66.0.0/16"), which the pods here thus cannot reach; advised: networks apart from other stacks\' machines; choose another range before the cluster is created, if they are to reach it [cluster-network-overlap]';
  expect(told(a, b)).toEqual([message]);
  expect(told(b, a)).toEqual([message]);
  expect(told(one("c", "10.43.7.7", "b", { k3s: { serviceCidr: "10.44.0.0/16" } }), b)).toEqual([
    'b/k3s.serviceCidr: shares addresses with c/nodes[0].address ("10.43.0.0/16" and "10.43.7.7"), which the pods here thus cannot reach; advised: networks apart from other stacks\' machines; choose another range before the cluster is created, if they are to reach it [cluster-network-overlap]',
  ]);
  expect(told(a, aws("b", { network: { vpcCidr: "10.66.0.0/16", isolated: true } }))).toEqual([]);
});

test("MetalLB's pools: two of the same addresses, and one that holds a host", () => {
  const a = one("a", "192.168.1.11", "b", { loadBalancer: metallb("192.168.1.200-192.168.1.219") });
  const b = one("b", "192.168.1.12", "d", { loadBalancer: metallb("192.168.1.192/27") });
  expect(told(a, b)).toEqual([
    'b/loadBalancer.pools[0].addresses[0]: shares addresses with a/loadBalancer.pools[0].addresses[0] ("192.168.1.192/27" and "192.168.1.200-192.168.1.219"), so that two clusters would answer for one; allowed: ranges that do not overlap; choose another range for one of them [pools-overlap]',
  ]);
  expect(told(a, one("b", "192.168.1.201", "d"))).toEqual([
    'a/loadBalancer.pools[0].addresses[0]: holds the address of b/nodes[0].address ("192.168.1.200-192.168.1.219" and "192.168.1.201"); allowed: addresses that no host has; choose another range [pools-overlap]',
  ]);
  const elsewhere = { access: { ssh: { bastion: bastion("bastion.example.com") } } };
  expect(told(a, one("b", "192.168.1.13", "d", { ...elsewhere, loadBalancer: metallb("192.168.1.192/27") }))).toEqual(
    [],
  );
  expect(told(a, one("b", "192.168.1.12", "d", { loadBalancer: metallb("192.168.1.220-192.168.1.230") }))).toEqual([]);
});

test("one name for two APIs", () => {
  const endpoint = (stack: string, name: string, cidr: string): ClusterSpec =>
    aws(stack, { network: { vpcCidr: cidr }, api: { endpoint: name } });
  expect(
    told(endpoint("a", "k3s.example.com", "10.0.0.0/16"), endpoint("b", "K3S.example.com", "10.1.0.0/16")),
  ).toEqual([
    'b/api.endpoint: is a/api.endpoint too ("K3S.example.com"), and leads to one of the two clusters only; allowed: a name or address of its own; correct one of them [api-endpoint-shared]',
  ]);
  expect(told(endpoint("a", "nlb", "10.0.0.0/16"), endpoint("b", "nlb", "10.1.0.0/16"))).toEqual([]);
});

test("random stacks: the same found in either order, and with itself at least what is created and shared", () => {
  const random = fc.oneof(arbitraryConfig(), existingStack());
  fc.assert(
    fc.property(random, random, (one_, other) => {
      const [a, b] = [specOf("a", one_), specOf("b", other)];
      const codes = (...specs: ClusterSpec[]): string[] =>
        acrossStacks(specs)
          .map(({ code }) => code)
          .sort();
      expect(codes(a, b)).toEqual(codes(b, a));
      expect(acrossStacks([a])).toEqual([]);
      const twin = codes(a, { ...a, stack: "c" });
      expect(twin.includes("vpc-overlap")).toBe(a.target === "aws" && a.network.vpc === undefined);
      expect(twin.includes("host-in-two-stacks")).toBe(a.target === "existing");
      expect(twin.includes("pools-overlap")).toBe(a.loadBalancer.type === "metallb");
    }),
    { numRuns: 60 },
  );
});

describe("the command", () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  /** A root with these stacks. */
  function root(stacks: Readonly<Record<string, StackConfig>>): string {
    const folder = mkdtempSync(path.join(tmpdir(), "k3s-networking-check-"));
    folders.push(folder);
    mkdirSync(path.join(folder, "stacks"));
    for (const [name, config] of Object.entries(stacks)) {
      writeFileSync(path.join(folder, "stacks", `Pulumi.${name}.yaml`), stringify({ config }));
    }
    return folder;
  }

  async function check(folder: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const out = { stdout: "", stderr: "" };
    const streams = {
      stdout: (text: string): void => void (out.stdout += text),
      stderr: (text: string): void => void (out.stderr += text),
    };
    return { code: await main(args, streams, folder), ...out };
  }

  test("the committed stacks pass, as text and as JSON", () => {
    const text = run("check");
    expect(text).toMatchObject({ code: 0, stderr: "" });
    expect(text.stdout).toMatch(new RegExp(`\\n${stackNames().length} stacks: 0 problems, \\d+ warnings\\n$`, "u"));
    const ran = run("check", "--json");
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const document = JSON.parse(ran.stdout) as CheckDocument;
    expect(document.stacks.map(({ stack }) => stack)).toEqual(stackNames());
    expect(document.stacks.flatMap(({ problems }) => problems)).toEqual([]);
    expect(document.between).toEqual({ problems: [], warnings: [] });
  });

  test("mistakes of a stack and between stacks are told together, with exit code 1", async () => {
    const folder = root({
      one: minimalConfig({ network: { vpcCidr: "10.0.0.0/16" } }),
      two: minimalConfig({ network: { vpcCidr: "10.0.0.0/16" } }),
      wrong: minimalConfig({ layuot: 1 }),
    });
    const { code, stdout, stderr } = await check(folder);
    expect(code).toBe(1);
    expect(stderr.split("\n").map((line) => line.split(": ")[0])).toEqual([
      "Stack wrong",
      "  layuot",
      "Between stacks",
      "  two/network.vpcCidr",
      "",
    ]);
    expect(stdout.split("\n").at(-2)).toBe("3 stacks: 2 problems, 4 warnings");
    const json = JSON.parse((await check(folder, "--json")).stdout) as CheckDocument;
    expect(json.between.problems.map(({ code: found }) => found)).toEqual(["vpc-overlap"]);
    expect(json.between.problems).toEqual(sortProblems(json.between.problems));
  });

  test("warnings are told, with exit code 0; and an empty folder is none", async () => {
    const there = minimalConfig({ network: vpc("vpc-1", "10.0.0.0/16", "subnet-1") });
    const { code, stdout, stderr } = await check(root({ one: there, two: there }));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("\nBetween stacks: 1 warning\n  two/network.vpc.externalSubnets[0].id: ");
    expect(await check(root({}))).toEqual({ code: 0, stdout: "0 stacks: 0 problems, 0 warnings\n", stderr: "" });
  });

  test("options that it does not have are refused", async () => {
    expect((await check(root({}), "--jsno")).stderr).toContain("did you mean --json?");
    expect((await check(root({}), "--help")).stdout).toContain("Usage: npm run check -- [options]\n");
  });
});

describe("pod networks that are routed as they are", () => {
  const routed = (stack: string, address: string, letter: string, over: Settings = {}): ClusterSpec =>
    one(stack, address, letter, { k3s: { flannelBackend: "host-gw" }, ...over });

  test("share no addresses on one network", () => {
    expect(told(routed("a", "10.1.0.11", "a"), routed("b", "10.1.0.12", "b"))).toEqual([
      'b/k3s.clusterCidr: shares addresses with the pods of a ("10.42.0.0/16" and "10.42.0.0/16"), and both stacks route pods\' packets as they are on one network; allowed: pod networks that do not overlap; choose another range before the cluster is created, or an encapsulation in one of them [pod-networks-overlap]',
    ]);
    const apart = { flannelBackend: "host-gw", clusterCidr: "10.52.0.0/16" };
    expect(told(routed("a", "10.1.0.11", "a"), one("b", "10.1.0.12", "b", { k3s: apart }))).toEqual([]);
    expect(told(routed("a", "10.1.0.11", "a"), one("b", "10.1.0.12", "b"))).toEqual([]);
  });

  test("by any CNI, and behind different bastions they are different networks", () => {
    const native = { cni: { type: "cilium", routing: "native" }, hostFirewall: "none" };
    expect(told(routed("a", "10.1.0.11", "a"), one("b", "10.1.0.12", "b", native)).join()).toContain(
      "[pod-networks-overlap]",
    );
    const behind = { access: { ssh: { bastion: bastion("jump.example.com") } } };
    expect(told(routed("a", "10.1.0.11", "a"), routed("b", "10.1.0.12", "b", behind))).toEqual([]);
  });

  test("on AWS they share a network in one VPC only", () => {
    const hostGw = (stack: string, over: Settings): ClusterSpec =>
      aws(stack, { k3s: { flannelBackend: "host-gw" }, ...over });
    const reused = (subnet: string): Settings => ({ network: vpc("vpc-0a1b", "10.40.0.0/16", subnet) });
    expect(told(hostGw("a", reused("subnet-0a")), hostGw("b", reused("subnet-0b"))).join()).toContain(
      "b/k3s.clusterCidr: shares addresses with the pods of a",
    );
    const other = { network: { vpcCidr: "10.50.0.0/16" } };
    expect(told(hostGw("a", reused("subnet-0a")), hostGw("b", other))).toEqual([]);
  });
});

describe("Cilium's pools", () => {
  const cilium = (stack: string, address: string, letter: string, range: string): ClusterSpec =>
    one(stack, address, letter, {
      cni: { type: "cilium", replaceKubeProxy: true },
      hostFirewall: "none",
      loadBalancer: { type: "cilium", pools: [{ name: "public", addresses: [range] }], l2: {} },
    });

  test("share no addresses with each other's, with MetalLB's, nor with hosts", () => {
    const first = cilium("a", "10.1.0.11", "a", "10.1.0.100-10.1.0.120");
    expect(told(first, cilium("b", "10.1.0.12", "b", "10.1.0.96/27")).join()).toContain(
      "b/loadBalancer.pools[0].addresses[0]: shares addresses with a/loadBalancer.pools[0].addresses[0]",
    );
    expect(
      told(first, one("b", "10.1.0.12", "b", { loadBalancer: metallb("10.1.0.110-10.1.0.111") })).join(),
    ).toContain("[pools-overlap]");
    expect(told(first, one("b", "10.1.0.105", "b")).join()).toContain("holds the address of b/nodes[0].address");
    expect(told(first, cilium("b", "10.1.0.12", "b", "10.1.0.130-10.1.0.140"))).toEqual([]);
  });
});
