/** The firewall that the recorded resources make is the plan's: the thin layer adds and drops nothing. */
import { readFileSync } from "node:fs";
import { firewallOf } from "../../plan/firewall";
import { peerNames, reach } from "../../plan/reachability";
import type { PreviewDocument, RecordedResource } from "../../review/document";
import { recordedFirewall } from "../../review/recorded-firewall";
import { run, temporaryFile } from "./support";

const STACKS = [
  "dev-shared",
  "edge-existing-shared",
  "edge-shared-ha",
  "onprem-segregated",
  "prod-segregated",
] as const;
/** Ports that some stack opens to somebody, and some that none does. */
const PORTS = [22, 53, 80, 443, 2379, 2381, 4789, 5001, 6379, 6443, 8080, 8125, 8472, 8883, 9095, 10250, 30500, 51820];

const documents = new Map<string, PreviewDocument>();

function documentOf(stack: string): PreviewDocument {
  const known =
    documents.get(stack) ?? (JSON.parse(run("start", "--stack", stack, "--json").stdout) as PreviewDocument);
  documents.set(stack, known);
  return known;
}

describe.each(STACKS)("%s", (stack) => {
  test("every answer over the recorded resources is the plan's", () => {
    const { resources, plan } = documentOf(stack);
    const planned = firewallOf(plan);
    const recorded = recordedFirewall(resources, plan);
    const names = peerNames(planned);
    expect(peerNames(recorded)).toEqual(names);
    let open = 0;
    for (const from of names) {
      for (const to of names) {
        for (const protocol of ["tcp", "udp"] as const) {
          for (const port of PORTS) {
            const query = { from, to, protocol, port };
            const answer = reach(recorded, query);
            expect({ query, answer: normal(answer) }).toEqual({ query, answer: normal(reach(planned, query)) });
            if (answer.verdict !== "no") open++;
          }
        }
      }
    }
    expect(open).toBeGreaterThan(10);
  });
});

/** An answer without the order in which hosts and rules were declared. */
function normal(answer: ReturnType<typeof reach>): unknown {
  const text = (items: readonly object[]): string[] => items.map((item) => JSON.stringify(item)).sort();
  return { verdict: answer.verdict, paths: text(answer.paths), blocked: text(answer.blocked) };
}

describe("a resource that would open something unseen is refused", () => {
  const changed = (change: (resource: RecordedResource) => RecordedResource): (() => unknown) => {
    const { resources, plan } = documentOf("dev-shared");
    return () => recordedFirewall(resources.map(change), plan);
  };
  const onType = (type: string, inputs: RecordedResource["inputs"]) => (resource: RecordedResource) =>
    resource.type === type ? { ...resource, inputs: { ...resource.inputs, ...inputs } } : resource;
  const RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";

  test.each([
    ["a rule of another kind", RULE, { ipProtocol: "icmp" }, "which is not read here"],
    ["a rule for IPv6", RULE, { cidrIpv4: null, cidrIpv6: "::/0" }, "names no peer, or more than one"],
    ["an inline rule", "aws:ec2/securityGroup:SecurityGroup", { ingress: [{}] }, "holds rules inline"],
    [
      "an opened default group",
      "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
      { egress: [{}] },
      "holds rules inline",
    ],
    [
      "an interface in another subnet",
      "aws:ec2/networkInterface:NetworkInterface",
      { subnetId: "subnet-1" },
      "is in a subnet that the plan does not have",
    ],
    [
      "a group that is not recorded",
      "aws:ec2/networkInterface:NetworkInterface",
      { securityGroups: ["sg-1"] },
      "where a resource's id belongs",
    ],
  ])("%s", (_name, type, inputs, message) => {
    expect(changed(onType(type, inputs))).toThrow(message);
  });

  test("a rule that is opened wider than planned changes the answer", () => {
    const { resources, plan } = documentOf("dev-shared");
    const wide = resources.map((resource) =>
      resource.name.endsWith("-tcp-22") ? onType(RULE, { cidrIpv4: "0.0.0.0/0" })(resource) : resource,
    );
    const query = { from: "world", to: "node", protocol: "tcp", port: 22 } as const;
    expect(reach(recordedFirewall(resources, plan), query).verdict).toBe("no");
    expect(reach(recordedFirewall(wide, plan), query).verdict).toBe("yes");
  });
});

describe("a host firewall that is not the plan's is refused", () => {
  const ADDRESS = "10.20.0.11";
  const named = (): PreviewDocument => {
    const stack = readFileSync("stacks/Pulumi.onprem-segregated.yaml", "utf8");
    const file = temporaryFile("Pulumi.named.yaml", stack.replace(`address: ${ADDRESS}`, "interface: eno2"));
    return JSON.parse(run("start", "--file", file, "--json").stdout) as PreviewDocument;
  };
  let document: PreviewDocument;
  beforeAll(() => {
    document = named();
  });
  const firewall = "k3s-server-2-firewall";
  const read = (change: (resource: RecordedResource) => RecordedResource[]): (() => unknown) => {
    const { resources, plan } = document;
    return () => recordedFirewall(resources.flatMap(change), plan);
  };
  const onFirewall = (change: (resource: RecordedResource) => RecordedResource[]) => (resource: RecordedResource) =>
    resource.name === firewall ? change(resource) : [resource];
  const withStdin = (resource: RecordedResource, from: string, to: string): RecordedResource => ({
    ...resource,
    inputs: JSON.parse(JSON.stringify(resource.inputs).replace(from, to)) as RecordedResource["inputs"],
  });

  test("addresses that a host has yet to say are references to its own check", () => {
    const stdin = document.resources.find(({ name }) => name === firewall)!.inputs["stdin"];
    expect(JSON.stringify(stdin)).toMatch(/"ref":"[^"]+::k3s-server-1-check","output":"stdout address of backplane"/u);
    expect(read((resource) => [resource])).not.toThrow();
  });

  test.each<[string, (resource: RecordedResource) => RecordedResource[], string]>([
    ["left out", onFirewall(() => []), "server-2 has no host firewall, unlike in the plan"],
    [
      "a port more",
      onFirewall((each) => [withStdin(each, "proto-dst 22 ", "proto-dst 23 ")]),
      "is not the host firewall",
    ],
    [
      "a word more",
      onFirewall((each) => [withStdin(each, "policy drop", "policy accept")]),
      "is not the host firewall",
    ],
    [
      "another host's address",
      onFirewall((each) => [withStdin(each, "::k3s-server-1-check", "::k3s-worker-1-check")]),
      "is not the host firewall",
    ],
    [
      "another network's address",
      onFirewall((each) => [withStdin(each, "address of backplane", "address of external")]),
      "is not the host firewall",
    ],
    [
      "an unknown text",
      onFirewall((each) => [{ ...each, inputs: { ...each.inputs, stdin: { secret: true } } }]),
      "is not the host firewall",
    ],
    [
      "one too many",
      onFirewall((each) => [each, { ...each, name: "k3s-stranger-firewall" }]),
      "is a host firewall that the plan does not have",
    ],
  ])("%s", (_what, change, message) => {
    expect(read(change)).toThrow(message);
  });

  test("the firewalls of two hosts changed for each other", () => {
    const { resources } = document;
    const stdinOf = (name: string) => resources.find((each) => each.name === name)!.inputs["stdin"]!;
    const other: Record<string, string> = {
      "k3s-server-2-firewall": "k3s-server-3-firewall",
      "k3s-server-3-firewall": "k3s-server-2-firewall",
    };
    expect(
      read((each) => {
        const from = other[each.name];
        return [from === undefined ? each : { ...each, inputs: { ...each.inputs, stdin: stdinOf(from) } }];
      }),
    ).toThrow("is not the host firewall");
  });

  test("one that the plan leaves to the hosts' owner", () => {
    const { resources, plan } = document;
    if (plan.target !== "existing") throw new Error("not a stack of hosts that are there already");
    const nodes = plan.nodes.map(({ firewallDocument: _firewall, ...node }) => node);
    const left = { ...plan, hostFirewall: "none", nodes } as const;
    expect(() => recordedFirewall(resources, left)).toThrow("has a host firewall, unlike in the plan");
  });
});
