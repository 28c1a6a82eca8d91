/** What holds for every plan of hosts that are there already. */
import fc from "fast-check";
import { createPlan } from "../../plan";
import { knownAddress } from "../../plan/known-addresses";
import { fillTemplate, referenceName, showTemplate } from "../../plan/template";
import type { ExistingClusterPlan, HostNodePlan, NodeSet, TemplateText } from "../../plan/types";
import { fixedChanges } from "../../plan/fixed";
import type { ExistingSpec, HostSpec } from "../../spec/types";
import { arbitraryExistingSpec } from "../support/stacks";

const everyPlan = (check: (plan: ExistingClusterPlan, spec: ExistingSpec) => void, numRuns = 60): void => {
  fc.assert(
    fc.property(arbitraryExistingSpec(), (spec) => {
      check(createPlan(spec), spec);
    }),
    { numRuns },
  );
};

/** Header lines of a document, in order. */
const headersOf = (document: string): [string, string][] =>
  document
    .slice(0, document.indexOf("\n\n"))
    .split("\n")
    .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);

/** A document's files by their heading. */
const filesOf = (document: string): Record<string, string> =>
  Object.fromEntries(
    document
      .slice(document.indexOf("\n\n") + 2)
      .split(/^--- /m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf("\n")), section.slice(section.indexOf("\n") + 1)]),
  );

test("the same stack gives the same plan, and the plan is frozen", () => {
  everyPlan((plan, spec) => {
    expect(JSON.stringify(createPlan(JSON.parse(JSON.stringify(spec)) as ExistingSpec))).toBe(JSON.stringify(plan));
    const open: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== "object" || value === null) return;
      if (!Object.isFrozen(value)) open.push(path);
      for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`);
    };
    visit(plan, "plan");
    expect(open).toEqual([]);
  }, 30);
});

test("no stack changes anything against itself", () => {
  everyPlan((plan) => {
    expect(fixedChanges(JSON.parse(JSON.stringify(plan.fixed)), plan)).toEqual([]);
  });
});

test("a server's configuration starts with the same bytes on every server; an agent has none of them", () => {
  everyPlan((plan) => {
    const shared = showTemplate(plan.k3s.serverConfig);
    for (const node of plan.nodes) {
      const text = showTemplate(node.config);
      if (node.role === "server") expect(text.startsWith(shared)).toBe(true);
      else expect(text).not.toMatch(/^cluster-cidr/mu);
    }
  });
});

test("every interface is in the groups of its node's sets on its network, and in no other", () => {
  everyPlan((plan, spec) => {
    for (const [index, node] of plan.nodes.entries()) {
      const sets: NodeSet[] = ["node", node.role, ...node.ingressSets, `ssh-${spec.nodes[index]!.port}`];
      for (const at of node.interfaces) {
        const expected = plan.groups.filter(
          ({ network, members }) => network === at.network && members.kind === "nodes" && sets.includes(members.set),
        );
        expect(at.groups).toEqual(expected.map(({ key }) => key));
      }
    }
  });
});

describe("documents", () => {
  test("of the host: read back whole by the rules of their format", () => {
    everyPlan((plan) => {
      for (const node of plan.nodes) {
        const text = fillTemplate(node.hostDocument, () => "10.0.0.1");
        const keys = headersOf(text).map(([key]) => key);
        const artefacts = keys.filter((key) => key === "artefact");
        expect(keys).toEqual([
          ...["version", "node", "role", "bootstrap", "embedded-etcd", "api-port", "node-ip", "join"],
          ...["default-route", "air-gap"],
          ...artefacts,
        ]);
        expect(Object.fromEntries(headersOf(text))["air-gap"]).toBe(String(artefacts.length > 0));
        expect([0, 3]).toContain(artefacts.length);
        expect(filesOf(text)).toEqual({
          "/etc/rancher/k3s/config.yaml 0600": fillTemplate(node.config, () => "10.0.0.1"),
          ...(plan.k3s.registries === undefined
            ? {}
            : { "/etc/rancher/k3s/registries.yaml 0600": plan.k3s.registries }),
        });
      }
    });
  });

  test("of the check: known before anything runs, but for addresses of interfaces that are only named", () => {
    everyPlan((plan, spec) => {
      for (const node of plan.nodes) {
        const fill = (text: TemplateText): string =>
          fillTemplate(text, (ref) =>
            "node" in ref ? (knownAddress(plan, ref) ?? `\${${referenceName(ref)}}`) : "no load balancer here",
          );
        expect(headersOf(node.checkDocument).map(([key]) => key)).toEqual([
          ...["stack", "node", "role", "bootstrap", "version", "arch", "flannel-backend", "firewall", "mtu"],
          ...["pod-mtu", "default-route", "pods", "services", "ssh-port", "ssh-from"],
          ...node.interfaces.map(() => "network"),
          ...["free-tcp", "free-ingress", "air-gap"],
        ]);
        expect(filesOf(node.checkDocument)["/etc/rancher/k3s/config.yaml 0600"]).toBe(fill(node.config));
        const named = node.interfaces.filter((at) => at.interface !== undefined).map(({ network }) => network);
        const left = [...node.checkDocument.matchAll(/\$\{(.+?)\}/gu)].map(([, name]) => name);
        expect(left.every((name) => named.some((network) => name === `${node.name}:${network}:private`))).toBe(true);
        const headers = Object.fromEntries(headersOf(node.checkDocument));
        if (spec.loadBalancer.type !== "servicelb" || node.ingressSets.length === 0) {
          expect(headers["free-ingress"]).toBe("");
        }
      }
    });
  });

  test("of the firewall: there exactly with a tool, and for this host", () => {
    everyPlan((plan, spec) => {
      for (const node of plan.nodes) {
        if (spec.hostFirewall === "none") {
          expect(node.firewallDocument).toBeUndefined();
          continue;
        }
        const headers = Object.fromEntries(headersOf(showTemplate(node.firewallDocument!)));
        expect(headers).toMatchObject({ stack: spec.stack, node: node.name, tool: spec.hostFirewall });
      }
    });
  });
});

/** The stack with one more agent, like its last one. */
function grown(spec: ExistingSpec): { spec: ExistingSpec; added: HostSpec } | undefined {
  const like = spec.nodes.findLast(({ role }) => role === "agent");
  if (like === undefined) return undefined;
  const renumbered = (given: HostSpec["external"], address: string): HostSpec["external"] =>
    given.kind === "address" ? { kind: "address", address } : given;
  const added: HostSpec = {
    ...like,
    name: "newcomer",
    address: "10.1.0.77",
    external: renumbered(like.external, "10.1.0.77"),
    ...(like.backplane === undefined ? {} : { backplane: renumbered(like.backplane, "10.20.0.77") }),
  };
  return { spec: { ...spec, nodes: [...spec.nodes, added] }, added };
}

test("one more agent changes nothing on the other hosts but who is in the firewall's sets", () => {
  let seen = 0;
  everyPlan((plan, spec) => {
    const more = grown(spec);
    if (more === undefined) return;
    seen++;
    const after = createPlan(more.spec);
    const rest = ({ firewallDocument: _firewall, ...node }: HostNodePlan): unknown => node;
    expect(after.nodes.slice(0, plan.nodes.length).map(rest)).toEqual(plan.nodes.map(rest));
    expect(after.rules).toEqual(plan.rules);
    for (const [index, node] of plan.nodes.entries()) {
      const lines = (text: TemplateText | undefined): string[] => showTemplate(text ?? []).split("\n");
      const [was, is] = [lines(node.firewallDocument), lines(after.nodes[index]!.firewallDocument)];
      const added = [...is];
      for (const line of was) {
        const at = added.indexOf(line);
        expect({ line, kept: at >= 0 }).toEqual({ line, kept: true });
        added.splice(at, 1);
      }
      expect(added.filter((line) => !/newcomer|10\.1\.0\.77|10\.20\.0\.77/u.test(line))).toEqual([]);
    }
  });
  expect(seen).toBeGreaterThan(10);
});

test("the order of the hosts in the stack file is nothing to their firewalls' openings", () => {
  everyPlan((plan, spec) => {
    const turned = createPlan({ ...spec, nodes: [...spec.nodes].reverse() });
    expect(turned.rules).toEqual(plan.rules);
    expect(turned.groups).toEqual(plan.groups);
    for (const node of plan.nodes) {
      const other = turned.nodes.find(({ name }) => name === node.name)!;
      expect(other.interfaces).toEqual(node.interfaces);
      expect(other.checkDocument).toBe(node.checkDocument);
      const sorted = (text: TemplateText | undefined): string[] =>
        showTemplate(text ?? [])
          .split("\n")
          .sort();
      expect(sorted(other.firewallDocument)).toEqual(sorted(node.firewallDocument));
    }
  }, 30);
});
