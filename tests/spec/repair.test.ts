/** One mistake must not hide another: what a wrong shape leaves readable is checked at once. */
import { problemsOf } from "../support/stacks";

const found = (settings: Record<string, unknown>): string[] =>
  problemsOf(settings).map(({ path, code }) => `${path} ${code}`);

test("a value that the schema refuses does not hide mistakes between other settings", () => {
  expect(
    found({
      layout: "ring",
      nodes: [{ pool: "server", role: "server", count: 2 }],
      k3s: { version: "latest", clusterDns: "10.99.0.1", bogus: 1 },
    }),
  ).toEqual([
    "k3s.bogus unknown-key",
    "k3s.clusterDns cluster-dns-address",
    "k3s.version k3s-version",
    "layout invalid-value",
    "nodes even-servers",
  ]);
});

test("nor one that opens an internal port to the world", () => {
  const services = [{ name: "evil", protocol: "udp", port: 8472, from: ["0.0.0.0/0"] }];
  expect(found({ layout: "ring", services })).toEqual(["layout invalid-value", "services[0] internal-port-exposed"]);
});

test("a missing setting does not hide mistakes either", () => {
  expect(found({ layout: undefined, api: { endpoint: "not a name" }, access: { admin: ["10.200.0.0/33"] } })).toEqual([
    "access.admin[0] invalid-cidr",
    "api.endpoint invalid-address",
    "layout missing-setting",
  ]);
});

test("a setting of the wrong type counts as unknown: no check is misled by its stand-in", () => {
  // Left out, clusterCidr would be 10.42.0.0/16, and overlap the VPC.
  expect(found({ network: { vpcCidr: "10.42.0.0/16" }, k3s: { clusterCidr: 5 } })).toEqual([
    "k3s.clusterCidr wrong-type",
  ]);
  // As an agent pool, it would leave the stack without a server.
  expect(found({ nodes: [{ pool: "server", role: "master" }] })).toEqual(["nodes[0].role invalid-value"]);
});

test("several wrong shapes and a wrong list entry are all told", () => {
  expect(
    found({
      network: { availabilityZones: ["eu-west-1a"], egress: "some" },
      services: [{ port: true }, "redis", "redis"],
      traefik: { replicas: 0 },
    }),
  ).toEqual([
    "network.egress invalid-value",
    "services[0].name missing-setting",
    "services[0].port invalid-value",
    "traefik.replicas invalid-value",
  ]);
});
