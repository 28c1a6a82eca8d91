/** Dual stack and IPv6 alone, as the engine and the hosts see them. */
import { ExistingCluster } from "../../components/existing-cluster";
import { K3sCluster } from "../../components/k3s-cluster";
import { clusterSecrets } from "../../components/secrets";
import { createPlan } from "../../plan";
import { Host, type Outcome } from "../support/host";
import { record, type Recording } from "../support/mocks";
import { existingSpecOf, segregatedHost, specOf, type Settings } from "../support/stacks";

const DUAL = {
  ipFamilies: ["ipv4", "ipv6"],
  access: { admin: ["10.200.0.0/24", "2a02:db8::/32"], clients: ["0.0.0.0/0", "::/0"] },
};
const SECRETS = clusterSecrets({ bgpPasswords: {} });

describe("dual stack on AWS", () => {
  const build = async (over: Settings = {}): Promise<Recording<K3sCluster>> => {
    const network = { availabilityZones: ["eu-west-1a", "eu-west-1b"] };
    const nodes = [{ pool: "server", role: "server", count: 3 }];
    const plan = createPlan(specOf({ ...DUAL, layout: "segregated", network, nodes, ...over }));
    return await record(() => new K3sCluster("k3s", { plan, secrets: SECRETS }));
  };

  test("the VPC gets a network of AWS's, each subnet its part of it", async () => {
    const { get } = await build();
    expect(get("aws:ec2/vpc:Vpc", "k3s-vpc").inputs).toMatchObject({ assignGeneratedIpv6CidrBlock: true });
    const network = (key: string): unknown => get("aws:ec2/subnet:Subnet", `k3s-${key}`).inputs["ipv6CidrBlock"];
    expect(network("external-eu-west-1a")).toBe("2a05:d018:1:8000::/64");
    expect(network("external-eu-west-1b")).toBe("2a05:d018:1:8010::/64");
    expect(network("backplane-eu-west-1a")).toBe("2a05:d018:1:8080::/64");
  });

  test("public subnets lead out by both families, the backplane by none", async () => {
    const { get, names } = await build();
    expect(get("aws:ec2/route:Route", "k3s-routes-internet-default-ipv6").inputs).toEqual({
      routeTableId: "k3s-routes-internet.id",
      destinationIpv6CidrBlock: "::/0",
      gatewayId: "k3s-internet.id",
    });
    expect(names("aws:ec2/route:Route")).toEqual(["k3s-routes-internet-default", "k3s-routes-internet-default-ipv6"]);
    expect(names("aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway")).toEqual([]);
  });

  test("private ones by an egress-only gateway", async () => {
    const { get } = await build({ network: { availabilityZones: ["eu-west-1a"], placement: "private" } });
    const gateway = "k3s-egress-only";
    expect(get("aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway", gateway).inputs).toMatchObject({
      vpcId: "k3s-vpc.id",
    });
    expect(get("aws:ec2/route:Route", "k3s-routes-nat-eu-west-1a-default-ipv6").inputs).toEqual({
      routeTableId: "k3s-routes-nat-eu-west-1a.id",
      destinationIpv6CidrBlock: "::/0",
      egressOnlyGatewayId: `${gateway}.id`,
    });
  });

  test("each interface has one IPv6 address, which stands in the node's configuration and in its backplane's", async () => {
    const { get } = await build();
    expect(get("aws:ec2/networkInterface:NetworkInterface", "k3s-server-1-backplane").inputs).toMatchObject({
      ipv6AddressCount: 1,
    });
    const { stdin } = get("command:remote:Command", "k3s-server-2-backplane").inputs;
    expect(stdin).toBe(
      [
        "mac=k3s-server-2-backplane.mac",
        "address=k3s-server-2-backplane.privateIp",
        "route=10.0.128.0/20 10.0.144.1",
        "address6=k3s-server-2-backplane.ipv6",
        "route6=2a05:d018:1:8080::/64",
        "route6=2a05:d018:1:8090::/64",
        "",
      ].join("\n"),
    );
    const document = JSON.stringify(get("command:remote:Command", "k3s-server-2-install").inputs["stdin"]);
    expect(document).toContain("node-ip:\\n  - k3s-server-2-backplane.privateIp\\n  - k3s-server-2-backplane.ipv6\\n");
  });

  test("rules name IPv6 networks as such, and the API's load balancer has both families", async () => {
    const { get } = await build({ api: { endpoint: "nlb" } });
    const rule = get(
      "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
      "k3s-external-node-ingress-world6-tcp-443",
    );
    expect(rule.inputs).toMatchObject({ cidrIpv6: "::/0", ipProtocol: "tcp", fromPort: 443, toPort: 443 });
    expect(rule.inputs).not.toHaveProperty("cidrIpv4");
    expect(get("aws:lb/loadBalancer:LoadBalancer", "k3s-api").inputs).toMatchObject({ ipAddressType: "dualstack" });
  });
});

test("dual stack on hosts: the addresses that the stack gives, or that the check finds", async () => {
  const nodes = [
    segregatedHost("server", 1, { backplane: { address6: "fd00:20::11" } }),
    segregatedHost("agent", 1, { backplane: { address: undefined, interface: "eth1" } }),
  ];
  const plan = createPlan(existingSpecOf({ ...DUAL, layout: "segregated", nodes }));
  const { get } = await record(() => new ExistingCluster("k3s", { plan, secrets: SECRETS }));
  const firewall = String(get("command:remote:Command", "k3s-server-1-firewall").inputs["stdin"]);
  expect(firewall).toContain('      fd00:20::11 comment "server-1",\n');
  expect(firewall).toContain('      k3s-agent-1.backplane6 comment "agent-1",\n');
});

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => {
  host.dispose();
});

describe("check.sh with IPv6", () => {
  const DOCUMENT = {
    stack: "prod",
    node: "server-1",
    role: "server",
    version: "v1.36.5+k3s1",
    arch: "amd64",
    firewall: "nftables",
    "default-route": "auto",
    pods: "10.42.0.0/16 fd00:10:42::/56",
    services: "10.43.0.0/16 fd00:10:43::/112",
    families: "ipv4 ipv6",
    "ssh-from": "203.0.113.7/32 2a02:db8::/32",
    network: "shared 192.0.2.11 - -",
  };
  const check = (over: Partial<typeof DOCUMENT> = {}, ssh = "2a02:db8::7 50000 2a02:1::11 22"): Outcome =>
    host.run(
      "check.sh",
      `${Object.entries({ ...DOCUMENT, ...over })
        .map(([key, value]) => `${key}=${value}\n`)
        .join("")}\n--- /etc/rancher/k3s/config.yaml 0600\n`,
      { SSH_CONNECTION: ssh },
    );
  /** Rows of one check, or of addresses. */
  const rows = ({ stdout }: Outcome, ...names: string[]): string[] =>
    stdout
      .split("\n")
      .filter((line) => names.some((name) => line.split("\t").slice(0, 2).includes(name)))
      .map((line) => line.replaceAll("\t", " | "));

  beforeEach(() => {
    host.state("addresses", "eth0 192.0.2.11\n");
    host.state("addresses6", "eth0 2a02:1::11\neth0 2a02:1::77 temporary dynamic\n");
    host.state("routes", "default via 192.0.2.1 dev eth0\n");
    host.state(
      "routes6",
      "2a02:1::/64 dev eth0 proto kernel\nfe80::/64 dev eth0\ndefault via fe80::1 dev eth0 proto static\n",
    );
  });

  test("takes the interface's one lasting IPv6 address", () => {
    expect(rows(check(), "address", "address6", "ssh-source", "routes", "default-route")).toEqual([
      "address | shared | 192.0.2.11 | eth0",
      "address6 | shared | 2a02:1::11 | eth0",
      "ok | address | shared 192.0.2.11 on eth0",
      "ok | default-route | default via 192.0.2.1 dev eth0",
      "ok | routes | none into the cluster's networks",
      "ok | ssh-source | 2a02:db8::7",
    ]);
  });

  test("takes the one that the stack gives, where it is there", () => {
    host.state("addresses6", "eth0 2a02:1::11\neth0 fd00:20::11\n");
    expect(rows(check({ network: "shared 192.0.2.11 - fd00:20::11" }), "address6")).toEqual([
      "address6 | shared | fd00:20::11 | eth0",
    ]);
    expect(rows(check({ network: "shared 192.0.2.11 - fd00:20::12" }), "fail")).toContain(
      "fail | address | the shared interface eth0 has no IPv6 address fd00:20::12 (it has: 2a02:1::11 fd00:20::11) | correct the node's shared address6",
    );
  });

  test("refuses several, and none", () => {
    host.state("addresses6", "eth0 2a02:1::11\neth0 fd00:20::11\n");
    expect(rows(check(), "fail")).toContain(
      "fail | address | the shared interface eth0 has several IPv6 addresses (2a02:1::11 fd00:20::11) | give the node's shared address6 as the one to use",
    );
    host.state("addresses6", "");
    expect(rows(check(), "fail")).toContain(
      "fail | address | the shared interface eth0 has no IPv6 address, and the cluster has both families | give it a fixed one, or leave ipv6 out of ipFamilies",
    );
  });

  test("wants a default route of IPv6 that outlives forwarding", () => {
    host.state("routes6", "2a02:1::/64 dev eth0\n");
    expect(rows(check(), "default-route")).toEqual([
      "fail | default-route | this host has no IPv6 default route, which a cluster with IPv6 needs | add one, in the host's network configuration",
    ]);
    host.state("routes6", "default via fe80::1 dev eth0 proto ra metric 100\n");
    host.write("proc/sys/net/ipv6/conf/eth0/accept_ra", "1\n");
    expect(rows(check(), "default-route")).toEqual([
      "fail | default-route | this host's IPv6 default route comes from router advertisements, which the kernel stops heeding when K3s forwards | write 'net.ipv6.conf.eth0.accept_ra = 2' into /etc/sysctl.d/k3s.conf, and run sysctl --system",
    ]);
    host.write("proc/sys/net/ipv6/conf/eth0/accept_ra", "2\n");
    expect(rows(check(), "default-route")).toEqual(["ok | default-route | default via 192.0.2.1 dev eth0"]);
  });

  test("finds routes and addresses in the cluster's IPv6 networks", () => {
    host.state(
      "routes6",
      "default via fe80::1 dev eth0 proto static\nfd00:10:42:80::/64 dev wg0\nfd00::/16 dev wg1\nfd00:10:42:1::/64 dev flannel-v6.1\n",
    );
    host.state("addresses6", "eth0 2a02:1::11\nwg2 fd00:10:43::5\n");
    expect(rows(check(), "routes")).toEqual([
      "fail | routes | this host has a route to fd00:10:42:80::/64 by wg0, which is in the cluster's fd00:10:42::/56 | choose another k3s.clusterCidr or k3s.serviceCidr for the stack",
      "warn | routes | this host has a route to fd00::/16 by wg1, which holds the cluster's fd00:10:42::/56: pods will not reach hosts there | choose another k3s.clusterCidr or k3s.serviceCidr where such hosts exist",
      "warn | routes | this host has a route to fd00::/16 by wg1, which holds the cluster's fd00:10:43::/112: pods will not reach hosts there | choose another k3s.clusterCidr or k3s.serviceCidr where such hosts exist",
      "fail | routes | this host's fd00:10:43::5 (wg2) is in the cluster's fd00:10:43::/112 | choose another k3s.clusterCidr or k3s.serviceCidr for the stack",
    ]);
  });

  test("cuts nobody off who comes by IPv6, unless the stack lets them in", () => {
    expect(rows(check({}, "2a02:db9::7 50000 2a02:1::11 22"), "ssh-source")).toEqual([
      "fail | ssh-source | this SSH connection comes from 2a02:db9::7, which may not use SSH (203.0.113.7/32 2a02:db8::/32): the firewall would cut it off | put the network that you come from into access.admin, or the bastion's into access.ssh.bastion.cidr",
    ]);
    expect(rows(check({}, "203.0.113.7 50000 192.0.2.11 22"), "ssh-source")).toEqual(["ok | ssh-source | 203.0.113.7"]);
  });

  test("of IPv6 alone looks for nothing of IPv4", () => {
    host.state("routes", "");
    const outcome = check({
      families: "ipv6",
      pods: "fd00:10:42::/56",
      services: "fd00:10:43::/112",
      "ssh-from": "2a02:db8::/32",
      network: "shared 2a02:1::11 -",
    });
    expect(rows(outcome, "address", "address6", "default-route", "routes")).toEqual([
      "address | shared | 2a02:1::11 | eth0",
      "ok | address | shared 2a02:1::11 on eth0",
      "ok | default-route | default via fe80::1 dev eth0 proto static",
      "ok | routes | none into the cluster's networks",
    ]);
    expect(rows(check({ families: "ipv6", network: "shared - eth3" }), "address")).toContain(
      "fail | address | the shared interface eth3 is not there, or has no IPv6 address | correct the node's shared interface (this host has: eth0 2a02:1::11)",
    );
  });
});

test("converge.sh joins by IPv6, and finds the interface by it", () => {
  host.state("address", "2a02:1::12");
  host.state("answers", "[2a02:1::11]:6443\n");
  const document = [
    ...[
      "version=v1.36.5+k3s1",
      "node=agent-1",
      "role=agent",
      "bootstrap=false",
      "embedded-etcd=false",
      "api-port=6443",
    ],
    ...["node-ip=2a02:1::12", "join=2a02:1::11", ""],
    ...["--- /etc/rancher/k3s/config.yaml 0600", "node-name: agent-1", ""],
  ].join("\n");
  const converge = (): Outcome => host.run("converge.sh", document);
  expect(converge()).toMatchObject({ code: 0, stderr: "" });
  const files = "etc/rancher/k3s/config.yaml.d";
  expect(host.file(`${files}/10-join.yaml`)).toBe("server: https://[2a02:1::11]:6443\n");
  expect(host.file(`${files}/20-interface.yaml`)).toBe("flannel-iface: ens6\n");
  host.state("answers", "");
  expect(converge()).toEqual({ code: 0, stdout: "unchanged\n", stderr: "" });
});

describe("configure-backplane.sh with IPv6", () => {
  const input = [
    ...["mac=06:ab:00:00:00:01", "address=10.0.128.10", "address6=2a05:d018:1:8080::10"],
    ...["route6=2a05:d018:1:8080::/64", "route6=2a05:d018:1:8090::/64", ""],
  ].join("\n");
  const configure = (): Outcome => host.run("configure-backplane.sh", input);

  beforeEach(() => {
    host.state("active-systemd-networkd", "");
    host.state("systemd-version", "systemd 255 (255.4-1ubuntu8)\n");
    host.state("dhcp", "10.0.128.10");
    host.state("address6", "2a05:d018:1:8080::10");
    host.state("routes6", "2a05:d018:1:8080::/64 dev ens6 proto ra\n2a05:d018:1:8090::/64 dev ens6 proto ra\n");
    host.write("sys/class/net/ens6/address", "06:ab:00:00:00:01\n");
  });

  test("the address for good, routes by the router that announces itself, and no way out", () => {
    expect(configure()).toEqual({ code: 0, stdout: "changed: ens6\n", stderr: "" });
    expect(host.file("etc/systemd/network/05-k3s-backplane.network")?.split("\n")).toEqual([
      "# Written by k3s-networking: the cluster's backplane. Nothing leads out of it.",
      ...["[Match]", "MACAddress=06:ab:00:00:00:01", ""],
      ...[
        "[Network]",
        "DHCP=ipv4",
        "IPv6AcceptRA=yes",
        "LinkLocalAddressing=ipv6",
        "Address=2a05:d018:1:8080::10/128",
        "",
      ],
      ...["[IPv6AcceptRA]", "DHCPv6Client=no", "UseAutonomousPrefix=no", "UseOnLinkPrefix=no", "UseGateway=no"],
      ...["UseRoutePrefix=no", "UseDNS=no", "UseDomains=no", ""],
      ...["[DHCPv4]", "UseMTU=yes", "UseRoutes=no", "UseGateway=no", "UseDNS=no", "UseDomains=no", "UseNTP=no", ""],
      ...["[Route]", "Destination=2a05:d018:1:8080::/64", "Gateway=_ipv6ra", ""],
      ...["[Route]", "Destination=2a05:d018:1:8090::/64", "Gateway=_ipv6ra", ""],
    ]);
  });

  test("waits for the address and for the router, and not for ever", () => {
    host.state("routes6", "2a05:d018:1:8080::/64 dev ens6 proto ra\n");
    expect(configure()).toMatchObject({
      code: 1,
      stderr:
        "k3s-networking: interface ens6 has no routes to the other backplane subnets' IPv6 networks after 1 seconds\n",
    });
    host.state("address6", "2a05:d018:1:8080::99");
    expect(configure()).toMatchObject({
      code: 1,
      stderr: "k3s-networking: interface ens6 has no address 2a05:d018:1:8080::10 after 1 seconds\n",
    });
  });

  test("refuses a networkd that would lead out by the backplane", () => {
    host.state("systemd-version", "systemd 249 (249.11-0ubuntu3)\n");
    expect(configure()).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "k3s-networking: IPv6 on the backplane needs systemd 250 or newer; use a newer image, or leave ipv6 out of ipFamilies\n",
    });
  });
});
