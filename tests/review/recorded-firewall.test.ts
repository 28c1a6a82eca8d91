/** The firewall that the recorded resources make is the plan's: the thin layer adds and drops nothing. */
import { firewallOf } from "../../plan/firewall";
import { peerNames, reach } from "../../plan/reachability";
import type { PreviewDocument, RecordedResource } from "../../review/document";
import { recordedFirewall } from "../../review/recorded-firewall";
import { run } from "./support";

const STACKS = ["dev-shared", "edge-shared-ha", "prod-segregated"] as const;
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
