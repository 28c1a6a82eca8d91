import fc from "fast-check";
import { hostDocument } from "../../plan/host-documents";
import { createPlan } from "../../plan";
import { fillTemplate, showTemplate } from "../../plan/template";
import type { AddressRef, TemplateText } from "../../plan/types";
import { arbitrarySpec, specOf } from "../support/stacks";

const backplane = (node: string): AddressRef => ({ node, network: "backplane", scope: "private" });

const k3s = {
  version: "v1.36.5+k3s1",
  bootstrapServer: "server-1",
  embeddedEtcd: true,
  joinAddresses: [backplane("server-1"), backplane("server-2"), backplane("server-3")],
};
const config: TemplateText = ["node-name: x\nnode-ip: ", backplane("x"), "\n"];
const server1 = { name: "server-1", role: "server", clusterNetwork: "backplane", config } as const;
const agent1 = { name: "agent-1", role: "agent", clusterNetwork: "backplane", config } as const;

describe("hostDocument", () => {
  it("of the bootstrap server", () => {
    expect(showTemplate(hostDocument(k3s, server1))).toBe(
      [
        "version=v1.36.5+k3s1",
        "node=server-1",
        "role=server",
        "bootstrap=true",
        "embedded-etcd=true",
        "api-port=6443",
        "node-ip=${server-1:backplane:private}",
        "join=${server-2:backplane:private} ${server-3:backplane:private}",
        "",
        "--- /etc/rancher/k3s/config.yaml 0600",
        "node-name: x",
        "node-ip: ${x:backplane:private}",
        "",
      ].join("\n"),
    );
  });

  it("of an agent, with the embedded registry", () => {
    const registries = 'mirrors:\n  "*": {}\n';
    expect(showTemplate(hostDocument({ ...k3s, registries }, agent1))).toBe(
      [
        "version=v1.36.5+k3s1",
        "node=agent-1",
        "role=agent",
        "bootstrap=false",
        "embedded-etcd=true",
        "api-port=6443",
        "node-ip=${agent-1:backplane:private}",
        "join=${server-1:backplane:private} ${server-2:backplane:private} ${server-3:backplane:private}",
        "",
        "--- /etc/rancher/k3s/config.yaml 0600",
        "node-name: x",
        "node-ip: ${x:backplane:private}",
        "--- /etc/rancher/k3s/registries.yaml 0600",
        "mirrors:",
        '  "*": {}',
        "",
      ].join("\n"),
    );
  });

  it("has an empty join line where there is no other server", () => {
    const alone = { ...k3s, embeddedEtcd: false, joinAddresses: [backplane("server-1")] };
    expect(showTemplate(hostDocument(alone, server1)).split("\n").slice(3, 8)).toEqual([
      "bootstrap=true",
      "embedded-etcd=false",
      "api-port=6443",
      "node-ip=${server-1:backplane:private}",
      "join=",
    ]);
  });

  it("refuses content that would end its file early", () => {
    expect(() => hostDocument(k3s, { ...server1, config: ["a: |-\n", "--- b\n"] })).toThrow(
      'host document: /etc/rancher/k3s/config.yaml has a line that starts with "--- ", which would end the file there',
    );
  });

  it("refuses content whose last line would run into the next file", () => {
    expect(() => hostDocument(k3s, { ...server1, config: ["a: b"] })).toThrow(
      "host document: /etc/rancher/k3s/config.yaml does not end with a newline",
    );
  });

  it("refuses a header value of two lines", () => {
    expect(() => hostDocument({ ...k3s, version: "v1\nrole=server" }, server1)).toThrow(
      "host document: the value of version has more than one line",
    );
  });

  it("shows a changed setting as one old and one new line", () => {
    const lines = (flannelBackend: string): string[] =>
      showTemplate(createPlan(specOf({ k3s: { flannelBackend } })).nodes[0]!.hostDocument).split("\n");
    const [before, after] = [lines("vxlan"), lines("wireguard-native")];
    expect(before.filter((line) => !after.includes(line))).toEqual(["flannel-backend: vxlan"]);
    expect(after.filter((line) => !before.includes(line))).toEqual(["flannel-backend: wireguard-native"]);
  });

  /** Reads a document by the rules of its format, and nothing else. */
  function read(document: string): { headers: Record<string, string>; files: Record<string, string> } {
    const split = document.indexOf("\n\n");
    const headers = Object.fromEntries(
      document
        .slice(0, split)
        .split("\n")
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    const files = document
      .slice(split + 2)
      .split(/^--- /m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf("\n")), section.slice(section.indexOf("\n") + 1)]);
    return { headers, files: Object.fromEntries(files) as Record<string, string> };
  }

  it("of any stack is read back whole by the rules of its format", () => {
    fc.assert(
      fc.property(arbitrarySpec(), (spec) => {
        const plan = createPlan(spec);
        for (const node of plan.nodes) {
          const { headers, files } = read(fillTemplate(node.hostDocument, () => "10.0.0.1"));
          expect(Object.keys(headers)).toEqual([
            "version",
            "node",
            "role",
            "bootstrap",
            "embedded-etcd",
            "api-port",
            "node-ip",
            "join",
          ]);
          expect(headers["node"]).toBe(node.name);
          expect(files).toEqual({
            "/etc/rancher/k3s/config.yaml 0600": fillTemplate(node.config, () => "10.0.0.1"),
            ...(spec.k3s.embeddedRegistry ? { "/etc/rancher/k3s/registries.yaml 0600": 'mirrors:\n  "*": {}\n' } : {}),
          });
        }
      }),
      { numRuns: 30 },
    );
  });
});
