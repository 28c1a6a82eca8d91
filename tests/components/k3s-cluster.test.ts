/** The whole cluster, as the engine sees it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { K3sCluster } from "../../components/k3s-cluster";
import { clusterSecrets } from "../../components/secrets";
import { createPlan } from "../../plan";
import { HOST_SECRETS, allDependencies, record, valueOf, type Recording, type RecordOptions } from "../support/mocks";
import { publicKey, specOf, type Settings } from "../support/stacks";

const COMMAND = "command:remote:Command";
const INSTANCE = "aws:ec2/instance:Instance";
const SECRETS = { privateKey: "NODE-KEY", bastionPrivateKey: "BASTION-KEY", bgpPasswords: { router: "BGP-PASSWORD" } };

async function build(settings: Settings = {}, options?: RecordOptions): Promise<Recording<K3sCluster>> {
  const plan = createPlan(specOf(settings));
  return await record(() => new K3sCluster("k3s", { plan, secrets: clusterSecrets(SECRETS) }), options);
}

const ha = (agents = 1, over: Settings = {}): Settings => ({
  layout: "segregated",
  network: { availabilityZones: ["eu-west-1a", "eu-west-1b"] },
  nodes: [
    { pool: "server", role: "server", count: 3 },
    { pool: "agent", role: "agent", count: agents },
  ],
  ...over,
});

const tags = (key: string): Record<string, string> => ({
  "pulumi:Project": "k3s-networking",
  "pulumi:Stack": "test",
  Name: `test-${key}`,
});
const script = (name: string): string => readFileSync(join(__dirname, "../../components/scripts", name), "utf8");

describe("a node in AWS", () => {
  test("its instance: two interfaces, IMDSv2 only, an encrypted disk; an image of its own time", async () => {
    const { get, invokes } = await build(ha());
    const instance = get(INSTANCE, "k3s-agent-1");
    expect(instance.inputs).toEqual({
      ami: "ami(/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id)",
      instanceType: "t3.medium",
      keyName: "k3s-ssh.keyName",
      primaryNetworkInterface: { networkInterfaceId: "k3s-agent-1-external.id" },
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: { volumeType: "gp3", volumeSize: 20, encrypted: true, deleteOnTermination: true },
      tags: tags("agent-1"),
      volumeTags: tags("agent-1"),
    });
    expect(instance.options).toEqual({
      deleteBeforeReplace: true,
      ignoreChanges: ["keyName", "ami"],
      replaceOnChanges: ["instanceType"],
    });
    // Asked once, for all four nodes.
    expect(invokes.map(({ token }) => token)).toEqual(["aws:ssm/getParameter:getParameter"]);
    expect(
      get("aws:ec2/networkInterfaceAttachment:NetworkInterfaceAttachment", "k3s-agent-1-backplane").inputs,
    ).toEqual({
      instanceId: "k3s-agent-1.id",
      networkInterfaceId: "k3s-agent-1-backplane.id",
      deviceIndex: 1,
    });
  });

  test("its interfaces and its public address, which outlive the instance", async () => {
    const { get, names } = await build(ha());
    expect(get("aws:ec2/networkInterface:NetworkInterface", "k3s-agent-1-backplane").inputs).toEqual({
      subnetId: "k3s-backplane-eu-west-1a.id",
      securityGroups: ["k3s-backplane-node.id"],
      sourceDestCheck: true,
      description: "backplane traffic",
      tags: tags("agent-1-backplane"),
    });
    expect(get("aws:ec2/eipAssociation:EipAssociation", "k3s-agent-1-external").inputs).toEqual({
      allocationId: "k3s-agent-1-external.id",
      networkInterfaceId: "k3s-agent-1-external.id",
    });
    expect(names("aws:ec2/eip:Eip").filter((name) => name.endsWith("-backplane"))).toEqual([]);
  });

  test("a given image is used, and another one replaces the node", async () => {
    const { get, invokes } = await build({ nodes: [{ pool: "server", role: "server", ami: "ami-0123" }] });
    expect(get(INSTANCE, "k3s-server-1").inputs["ami"]).toBe("ami-0123");
    expect(get(INSTANCE, "k3s-server-1").options.ignoreChanges).toEqual(["keyName"]);
    expect(invokes).toEqual([]);
  });

  test("with host-gw the interface's check is off, and the instance does not turn it on again", async () => {
    const { get } = await build({ k3s: { flannelBackend: "host-gw" } });
    expect(get("aws:ec2/networkInterface:NetworkInterface", "k3s-server-1-shared").inputs["sourceDestCheck"]).toBe(
      false,
    );
    expect(get(INSTANCE, "k3s-server-1").options.ignoreChanges).toEqual(["keyName", "ami", "sourceDestCheck"]);
  });
});

describe("K3s on a node", () => {
  const connection = (node: string, hostKey = true): unknown => ({
    secret: {
      host: `k3s-${node}-external.publicIp`,
      user: "ubuntu",
      port: 22,
      privateKey: "NODE-KEY",
      ...(hostKey ? { hostKey: `ssh-ed25519 k3s-${node}-host-key` } : {}),
      dialErrorLimit: 30,
      perDialTimeout: 10,
    },
  });

  test("the commands of a joining server, to the letter", async () => {
    const { get } = await build(ha());
    const common = { connection: connection("server-2"), addPreviousOutputInEnv: false };
    const triggers = ["k3s-server-2.id"];
    expect(get(COMMAND, "k3s-server-2-host-key").inputs).toEqual({
      ...common,
      connection: connection("server-2", false),
      create: script("host-key.sh"),
      triggers,
    });
    expect(get(COMMAND, "k3s-server-2-backplane").inputs).toEqual({
      ...common,
      create: script("configure-backplane.sh"),
      stdin:
        "mac=k3s-server-2-backplane.mac\naddress=k3s-server-2-backplane.privateIp\nroute=10.0.128.0/20 10.0.144.1\n",
      triggers,
    });
    expect(get(COMMAND, "k3s-server-2-token").inputs).toEqual({
      ...common,
      create: script("token.sh"),
      stdin: { secret: `token=${HOST_SECRETS.server}\nagent-token=${HOST_SECRETS.agentPassword}\n` },
      logging: "none",
      triggers,
    });
    expect(get(COMMAND, "k3s-server-2-member").inputs).toEqual({
      ...common,
      connection: connection("server-1", false),
      delete: script("leave.sh"),
      stdin: "node=server-2\n",
      triggers,
    });
    const { stdin, ...install } = get(COMMAND, "k3s-server-2-install").inputs;
    expect(install).toEqual({ ...common, create: script("converge.sh"), triggers });
    expect(stdin).toContain(
      "node-ip=k3s-server-2-backplane.privateIp\njoin=k3s-server-1-backplane.privateIp k3s-server-3-backplane.privateIp\n\n--- /etc/rancher/k3s/config.yaml 0600\n",
    );
  });

  test("an agent gets the agent token, and nothing of the servers'", async () => {
    const { get } = await build(ha());
    expect(get(COMMAND, "k3s-agent-1-token").inputs["stdin"]).toEqual({ secret: `token=${HOST_SECRETS.agent}\n` });
  });

  test("the cluster is formed once, on the first server, and nothing makes it run again", async () => {
    const { get, names } = await build(ha());
    expect(names(COMMAND).filter((name) => name.endsWith("-bootstrap"))).toEqual(["k3s-bootstrap"]);
    const bootstrap = get(COMMAND, "k3s-bootstrap");
    // The cluster's own: under whatever name its first server comes, it stays what it is.
    expect(bootstrap.parent).toBe("k3s");
    expect(Object.keys(bootstrap.inputs).filter((key) => !bootstrap.options.ignoreChanges?.includes(key))).toEqual([]);
    expect(bootstrap.inputs["stdin"]).toBe(
      `step=bootstrap\n${String(get(COMMAND, "k3s-server-1-install").inputs["stdin"])}`,
    );
    expect(bootstrap.inputs["logging"]).toBe("none");
    expect(bootstrap.options.additionalSecretOutputs?.slice(0, 2)).toEqual(["stdout", "stderr"]);
  });

  test("of the commands that a trigger replaces, only the membership does something on deletion, and it goes first", async () => {
    const { resources } = await build(ha(1, { delivery: "manifests" }));
    const commands = resources.filter(({ type }) => type === COMMAND);
    const both = commands.filter(({ inputs }) => "triggers" in inputs && "delete" in inputs);
    expect(both.map(({ name, options }) => [name, options.deleteBeforeReplace]).sort()).toEqual(
      ["agent-1", "server-1", "server-2", "server-3"].map((node) => [`k3s-${node}-member`, true]),
    );
    for (const { inputs } of commands) expect(inputs["environment"]).toBeUndefined();
  });

  test("every command but the first contact, and what only runs on deletion, verifies the host key; a pinned key needs no first contact", async () => {
    const hostKey = publicKey("b");
    const pins = { ssh: { hostKeys: { "agent-1": hostKey } } };
    const pinned = await build(ha(1, { access: pins, delivery: "manifests" }));
    for (const { name, inputs } of pinned.resources.filter(({ type }) => type === COMMAND)) {
      const { secret } = inputs["connection"] as { secret: { hostKey?: string } };
      expect([name, secret.hostKey === undefined]).toEqual([name, name.endsWith("-host-key") || "delete" in inputs]);
      // What is not held to a key is sent nothing secret, and does nothing but at the end.
      if ("delete" in inputs)
        expect([name, inputs["create"], typeof inputs["stdin"]]).toEqual([name, undefined, "string"]);
      if (name === "k3s-agent-1-install") expect(secret.hostKey).toBe(hostKey);
    }
    expect(pinned.names(COMMAND)).not.toContain("k3s-agent-1-host-key");
  });

  test("a bastion is the way to every node, with its own key", async () => {
    const bastion = {
      host: "bastion.example.org",
      user: "jump",
      hostKey: publicKey("c"),
      cidr: "10.9.0.0/24",
    };
    const { get } = await build({ access: { ssh: { bastion } } });
    expect(get(COMMAND, "k3s-server-1-host-key").inputs["connection"]).toEqual({
      secret: {
        host: "k3s-server-1-shared.privateIp",
        user: "ubuntu",
        port: 22,
        privateKey: "NODE-KEY",
        dialErrorLimit: 30,
        perDialTimeout: 10,
        proxy: {
          host: "bastion.example.org",
          port: 22,
          user: "jump",
          hostKey: bastion.hostKey,
          privateKey: "BASTION-KEY",
          dialErrorLimit: 30,
          perDialTimeout: 10,
        },
      },
    });
  });
});

describe("order", () => {
  test("servers one after another, instance and all; agents after the servers, not after each other", async () => {
    const recording = await build(ha(2));
    const { get } = recording;
    expect(get(INSTANCE, "k3s-server-2").dependencies).toContain(`${COMMAND} k3s-server-1-install`);
    expect(get(INSTANCE, "k3s-server-3").dependencies).toContain(`${COMMAND} k3s-server-2-install`);
    expect(get(COMMAND, "k3s-server-3-install").dependencies).toContain(`${COMMAND} k3s-server-2-install`);
    for (const agent of ["agent-1", "agent-2"]) {
      const install = allDependencies(recording, get(COMMAND, `k3s-${agent}-install`));
      expect(install.has(`${COMMAND} k3s-server-3-install`)).toBe(true);
      expect([...install].filter((key) => key.includes("agent") && !key.includes(agent))).toEqual([]);
      // Their instances too: what replaces servers and agents rolls the servers first, and drains the agents on them.
      expect(get(INSTANCE, `k3s-${agent}`).dependencies).toContain(`${COMMAND} k3s-server-3-install`);
    }
  });

  test("the first server leaves last: whoever is drained on it leaves before", async () => {
    const { get } = await build(ha());
    for (const node of ["server-3", "agent-1"]) {
      expect(get(COMMAND, `k3s-${node}-member`).dependencies).toContain(`${COMMAND} k3s-server-1-member`);
    }
  });

  test("another instance type replaces a node, drained; the only server, which holds all data, it does not", async () => {
    const options = async (settings: Settings, name: string): Promise<unknown> =>
      (await build(settings)).get(INSTANCE, name).options.replaceOnChanges;
    expect(await options(ha(), "k3s-server-1")).toEqual(["instanceType"]);
    expect(await options(ha(), "k3s-agent-1")).toEqual(["instanceType"]);
    expect(await options({}, "k3s-server-1")).toBeUndefined();
  });

  test("the first server waits for nobody, and is drained on the second", async () => {
    const recording = await build(ha());
    const install = allDependencies(recording, recording.get(COMMAND, "k3s-server-1-install"));
    expect([...install].filter((key) => key.startsWith(COMMAND)).sort()).toEqual(
      ["bootstrap", "server-1-backplane", "server-1-host-key", "server-1-token"].map(
        (step) => `${COMMAND} k3s-${step}`,
      ),
    );
    const member = recording.get(COMMAND, "k3s-server-1-member");
    expect(member.inputs["connection"]).toEqual(recording.get(COMMAND, "k3s-server-2-host-key").inputs["connection"]);
    expect(member.dependencies).toContain(`${COMMAND} k3s-server-2-install`);
  });

  test("a drain ends before the node loses an address, or its steward", async () => {
    const { get } = await build(ha());
    const { dependencies } = get(COMMAND, "k3s-agent-1-member");
    expect(dependencies).toEqual(
      expect.arrayContaining([
        "aws:ec2/eipAssociation:EipAssociation k3s-agent-1-external",
        "aws:ec2/instance:Instance k3s-agent-1",
        "aws:ec2/networkInterfaceAttachment:NetworkInterfaceAttachment k3s-agent-1-backplane",
        `${COMMAND} k3s-server-1-install`,
      ]),
    );
    expect(get(COMMAND, "k3s-agent-1-install").dependencies).toContain(`${COMMAND} k3s-agent-1-member`);
  });

  test("servers are reachable before they start: every rule of their groups, and the way in and out", async () => {
    const recording = await build(ha());
    const { get, resources } = recording;
    const rules = resources.filter(
      ({ type, inputs }) => type.includes("Rule") && !String(inputs["securityGroupId"]).includes("api-nlb"),
    );
    expect(rules.length).toBeGreaterThan(5);
    expect(get(INSTANCE, "k3s-server-1").dependencies).toEqual(
      expect.arrayContaining([
        ...rules.map(({ type, name }) => `${type} ${name}`),
        "aws:ec2/route:Route k3s-routes-internet-default",
        "aws:ec2/routeTableAssociation:RouteTableAssociation k3s-routes-external-eu-west-1a",
      ]),
    );
  });

  test("one node alone is never drained, for there is nobody to drain it; its data is guarded", async () => {
    const { names, get } = await build();
    expect(names(COMMAND).sort()).toEqual([
      "k3s-bootstrap",
      "k3s-kubeconfig",
      "k3s-server-1-host-key",
      "k3s-server-1-install",
      "k3s-server-1-member",
      "k3s-server-1-token",
    ]);
    expect(get(COMMAND, "k3s-server-1-member").inputs).toMatchObject({
      delete: script("keep-last.sh"),
      connection: get(COMMAND, "k3s-server-1-host-key").inputs["connection"],
    });
  });

  test.each([
    [3, 1],
    [5, 3],
    [1, 3],
  ])("from %i servers to %i, no node that stays loses its membership", async (from, to) => {
    const members = async (count: number): Promise<string[]> => {
      const { names } = await build({ nodes: [{ pool: "server", role: "server", count }] });
      return names(COMMAND).filter((name) => name.endsWith("-member"));
    };
    const [before, after] = [await members(from), await members(to)];
    const staying = Array.from({ length: Math.min(from, to) }, (_, index) => `k3s-server-${index + 1}-member`);
    expect(before).toEqual(expect.arrayContaining(staying));
    expect(after).toEqual(expect.arrayContaining(staying));
  });

  test("servers under other names do not form another cluster: what formed it is the same resource", async () => {
    const { names } = await build({ nodes: [{ pool: "control", role: "server", count: 3 }] });
    expect(names(COMMAND).filter((name) => name.endsWith("bootstrap"))).toEqual(["k3s-bootstrap"]);
  });

  test("with another bootstrap server the first one is rebuilt as any other", async () => {
    const recording = await build(ha(1, { k3s: { bootstrapServer: "server-2" } }));
    const { get, names } = recording;
    expect(names(COMMAND).filter((name) => name.endsWith("-bootstrap"))).toEqual(["k3s-bootstrap"]);
    expect(get(COMMAND, "k3s-bootstrap").inputs["connection"]).toEqual(
      get(COMMAND, "k3s-server-2-install").inputs["connection"],
    );
    expect(get(INSTANCE, "k3s-server-1").dependencies).toContain(`${COMMAND} k3s-server-2-install`);
    expect(get(COMMAND, "k3s-server-1-install").dependencies).toContain(`${COMMAND} k3s-server-1-member`);
    expect(
      allDependencies(recording, get(COMMAND, "k3s-server-2-install")).has(`${COMMAND} k3s-server-1-install`),
    ).toBe(false);
  });
});

describe("changes", () => {
  test("adding an agent adds that agent's resources, and changes no other's", async () => {
    const before = await build(ha(1));
    const after = await build(ha(2));
    const own = after.resources.filter(({ name }) => name.startsWith("k3s-agent-2"));
    expect(after.resources.length - before.resources.length).toBe(own.length);
    for (const resource of before.resources) {
      const now = after.get(resource.type, resource.name);
      // The provider of what is put into the cluster waits for the new node too.
      const waits = resource.type === "pulumi:providers:kubernetes";
      expect(waits ? { ...now, dependencies: resource.dependencies } : now).toEqual(resource);
    }
  });

  test("a changed flag is a changed line of plain text, on the servers' installation only", async () => {
    const before = await build(ha());
    const after = await build(ha(1, { k3s: { disable: ["metrics-server"] } }));
    const changed = after.resources.filter(
      (resource) => JSON.stringify(resource.inputs) !== JSON.stringify(before.get(resource.type, resource.name).inputs),
    );
    expect(
      changed
        .map(({ name }) => name)
        .filter((name) => !name.endsWith("-bootstrap"))
        .sort(),
    ).toEqual(["server-1", "server-2", "server-3"].map((node) => `k3s-${node}-install`));
    expect(after.get(COMMAND, "k3s-server-1-install").inputs["stdin"]).toContain("disable:\n  - metrics-server\n");
  });

  test("cost is linear in nodes: the same dependencies for each further agent", async () => {
    const count = ({ resources }: Recording<unknown>): number =>
      resources.reduce((sum, { dependencies }) => sum + dependencies.length, 0);
    const [few, more, most] = [count(await build(ha(10))), count(await build(ha(20))), count(await build(ha(30)))];
    expect(most - more).toBe(more - few);
  });
});

describe("the API's load balancer", () => {
  test("TCP all the way, to the servers' addresses, without the clients' addresses", async () => {
    const { get, names } = await build(ha(1, { api: { endpoint: "nlb" } }));
    // AWS refuses a public load balancer in a VPC that has no internet gateway yet.
    expect(get("aws:lb/loadBalancer:LoadBalancer", "k3s-api").dependencies).toContain(
      "aws:ec2/internetGateway:InternetGateway k3s-internet",
    );
    expect(get("aws:lb/loadBalancer:LoadBalancer", "k3s-api").inputs).toEqual({
      loadBalancerType: "network",
      internal: false,
      subnets: ["k3s-external-eu-west-1a.id", "k3s-external-eu-west-1b.id"],
      securityGroups: ["k3s-api-nlb.id"],
      enableCrossZoneLoadBalancing: true,
      tags: tags("api"),
    });
    expect(get("aws:lb/targetGroup:TargetGroup", "k3s-api").inputs).toEqual({
      vpcId: "k3s-vpc.id",
      protocol: "TCP",
      port: 6443,
      targetType: "ip",
      preserveClientIp: "false",
      deregistrationDelay: 30,
      healthCheck: { protocol: "TCP", port: "traffic-port", interval: 10, healthyThreshold: 3, unhealthyThreshold: 3 },
      tags: tags("api"),
    });
    expect(get("aws:lb/listener:Listener", "k3s-api").inputs).toEqual({
      loadBalancerArn: "k3s-api.arn",
      protocol: "TCP",
      port: 6443,
      defaultActions: [{ type: "forward", targetGroupArn: "k3s-api.arn" }],
      tags: tags("api"),
    });
    expect(names("aws:lb/targetGroupAttachment:TargetGroupAttachment").sort()).toEqual(
      ["server-1", "server-2", "server-3"].map((server) => `k3s-api-${server}`),
    );
    expect(get("aws:lb/targetGroupAttachment:TargetGroupAttachment", "k3s-api-server-2").inputs).toEqual({
      targetGroupArn: "k3s-api.arn",
      targetId: "k3s-server-2-external.privateIp",
      port: 6443,
    });
    expect(get(COMMAND, "k3s-kubeconfig").inputs["stdin"]).toBe(
      "url=https://k3s-api.dnsName:6443\nversion=v1.36.5+k3s1\n",
    );
    expect(get(COMMAND, "k3s-agent-1-install").inputs["stdin"]).not.toContain("k3s-api.dnsName");
  });

  test("none without being asked for", async () => {
    expect((await build(ha())).names("aws:lb/loadBalancer:LoadBalancer")).toEqual([]);
  });
});

const METALLB = {
  type: "metallb",
  pools: [{ name: "services", addresses: ["192.0.2.0/28"] }],
  bgp: {
    peers: [{ name: "router", myAsn: 64512, peerAsn: 64513, peerAddress: "10.200.0.1", password: "BGP-PASSWORD" }],
  },
};

describe("what is put into the cluster", () => {
  test("through the API: one step after another, by the kubeconfig, after every node", async () => {
    const { get, resources } = await build(ha(1, { loadBalancer: METALLB }));
    const provider = get("pulumi:providers:kubernetes", "k3s");
    // With the identifier, a kubeconfig that is read again replaces no object.
    expect(provider.inputs).toEqual({ kubeconfig: { secret: HOST_SECRETS.kubeconfig }, clusterIdentifier: "test" });
    expect(provider.dependencies).toEqual(
      expect.arrayContaining(
        ["agent-1", "server-1", "server-2", "server-3"].map((node) => `${COMMAND} k3s-${node}-install`),
      ),
    );
    const objects = resources.filter(({ type }) => type.startsWith("kubernetes:"));
    for (const { options } of objects) expect(options.provider).toBe("pulumi:providers:kubernetes k3s");
    const plan = createPlan(specOf(ha(1, { loadBalancer: METALLB })));
    expect(objects.map(({ name }) => name)).toEqual(plan.delivery.steps.map(({ key }) => `k3s-${key}`));
    objects.slice(1).forEach((object, index) => {
      const before = objects[index]!;
      expect(object.dependencies).toContain(`${before.type} ${before.name}`);
    });
    const secret = objects.find(({ type }) => type === "kubernetes:core/v1:Secret");
    expect(secret?.inputs["stringData"]).toEqual({ secret: { password: "BGP-PASSWORD" } });
    expect(secret?.inputs["type"]).toBe("kubernetes.io/basic-auth");
    const release = objects.find(({ type }) => type === "kubernetes:helm.sh/v3:Release");
    expect(release?.inputs).toMatchObject({
      chart: "metallb",
      name: "metallb",
      namespace: "metallb-system",
      repositoryOpts: { repo: "https://metallb.github.io/metallb" },
    });
  });

  test("through K3s's folder: a command for each file, plain but for a password, none through the API", async () => {
    const { get, resources } = await build(ha(1, { loadBalancer: METALLB, delivery: "manifests" }));
    expect(resources.filter(({ type }) => type.includes("kubernetes"))).toEqual([]);
    const traefik = get(COMMAND, "k3s-manifest-traefik-config").inputs;
    expect([traefik["create"], traefik["delete"]]).toEqual([script("manifest-apply.sh"), undefined]);
    expect(traefik["stdin"]).toMatch(
      /^path=\/var\/lib\/rancher\/k3s\/server\/manifests\/traefik-config\.yaml\ninstance=k3s-server-1\.id\n\n# Written by k3s-networking/,
    );
    expect(traefik["connection"]).toEqual(get(COMMAND, "k3s-server-1-install").inputs["connection"]);
    const secrets = resources.filter(
      ({ name, inputs }) =>
        name.startsWith("k3s-manifest-") && typeof inputs["stdin"] !== "string" && "stdin" in inputs,
    );
    expect(secrets).toHaveLength(1);
    expect(secrets[0]!.inputs["stdin"]).toEqual({
      secret: expect.stringContaining("password: BGP-PASSWORD\n") as string,
    });
    expect(secrets[0]!.inputs["logging"]).toBe("none");
  });

  test("what is removed is named without its secrets, and no trigger removes it", async () => {
    const { get, resources } = await build(ha(1, { loadBalancer: METALLB, delivery: "manifests" }));
    const removals = resources.filter(({ name }) => name.endsWith("-removal"));
    const applied = resources.filter(({ inputs }) => inputs["create"] === script("manifest-apply.sh"));
    expect(removals.map(({ name }) => name).sort()).toEqual(applied.map(({ name }) => `${name}-removal`).sort());
    for (const { inputs } of removals) {
      expect([inputs["create"], inputs["triggers"]]).toEqual([undefined, undefined]);
      expect(inputs["delete"]).toBe(script("manifest-remove.sh"));
    }
    const removal = removals.find(({ name }) => name.includes("bgp-password"))!;
    expect(removal.inputs["stdin"]).toMatch(/^path=\S+\n\n# Written[^]*kind: Secret[^]*name: bgp-password-/);
    expect(removal.inputs["stdin"]).not.toContain("BGP-PASSWORD");
    expect(get(COMMAND, "k3s-manifest-traefik-config-removal").inputs["stdin"]).not.toContain("instance=");
  });

  test("nothing: no provider either", async () => {
    const { names } = await build({ k3s: { disable: ["traefik"] } });
    expect(names("pulumi:providers:kubernetes")).toEqual([]);
  });
});

describe("secrets", () => {
  const withoutSecrets = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(withoutSecrets);
    if (typeof value !== "object" || value === null) return value;
    if ("secret" in value) return "(secret)";
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner)]));
  };

  test.each(["api", "manifests"])("none stands in plain in any input, delivery %s", async (delivery) => {
    const { resources } = await build(ha(1, { loadBalancer: METALLB, delivery, api: { endpoint: "nlb" } }));
    const plain = JSON.stringify(resources.map(({ inputs }) => withoutSecrets(inputs)));
    const all = JSON.stringify(resources.map(({ inputs }) => inputs));
    for (const secret of ["NODE-KEY", "BGP-PASSWORD", "SERVER-PASSWORD", "AGENT-PASSWORD"]) {
      expect([secret, all.includes(secret), plain.includes(secret)]).toEqual([secret, true, false]);
    }
  });

  test("the kubeconfig is a secret output", async () => {
    const { result } = await build();
    expect(await valueOf(result.kubeconfig)).toBe(HOST_SECRETS.kubeconfig);
    // eslint-disable-next-line @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-explicit-any -- not in the public type.
    expect(await (result.kubeconfig as any).isSecret).toBe(true);
  });
});

test("every resource has the cluster above it", async () => {
  const { resources } = await build(ha(1, { api: { endpoint: "nlb" } }));
  expect(resources.filter(({ parent }) => parent === undefined).map(({ name }) => name)).toEqual(["k3s"]);
});

test("a preview declares the same resources, with what is not known yet left open", async () => {
  const real = await build(ha(1, { loadBalancer: METALLB, api: { endpoint: "nlb" } }));
  const preview = await build(ha(1, { loadBalancer: METALLB, api: { endpoint: "nlb" } }), { preview: true });
  const keys = ({ resources }: Recording<unknown>): string[] =>
    resources.map(({ type, name }) => `${type} ${name}`).sort();
  expect(keys(preview)).toEqual(keys(real));
  expect(preview.get(COMMAND, "k3s-agent-1-token").inputs["stdin"]).toBe("(unknown)");
});

test("addresses by node", async () => {
  const { result } = await build(ha());
  const server = result.nodes["server-1"]!;
  expect(Object.keys(result.nodes)).toEqual(["server-1", "server-2", "server-3", "agent-1"]);
  expect(await valueOf(server.clusterAddress)).toBe("k3s-server-1-backplane.privateIp");
  expect(await valueOf(server.publicAddress!)).toBe("k3s-server-1-external.publicIp");
  expect(await valueOf(result.apiUrl)).toBe("https://k3s-server-1-external.publicIp:6443");
});
