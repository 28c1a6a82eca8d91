/** A network that exists already, nodes without public addresses, and a bastion: dev-shared, the way a company has it. */
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateNetworkInterfaceCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  ImportKeyPairCommand,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import { parse } from "yaml";
import { withFragments } from "../support/fragments";
import { readBalancers } from "./harness/balancers";
import { declaredByReview } from "./harness/comparison";
import { brief, succeeded } from "./harness/engine";
import { nodesThatStarted } from "./harness/order";
import { setSetting, setting, type Config } from "./harness/project";
import { groupKeys, plannedMembers, plannedRules, readMembers, readRules } from "./harness/read-back";
import { step } from "./harness/steps";
import { World } from "./harness/world";
import { IMAGES } from "./lab/moto";

const STACK = "dev-shared";
const ZONE = "eu-west-1a";
const VPC_CIDR = "10.60.0.0/16";
const SUBNET_CIDR = "10.60.0.0/20";
const BASTION = "bastion";

interface Access {
  readonly ssh: Config & { readonly publicKey: string };
}

/** What the stack declared at first. */
let declared: readonly string[];
let world: World;
beforeAll(async () => {
  world = await World.create({ stack: STACK });
});
afterAll(async () => {
  await world.stop();
});

const ssh = (change: Config): void => {
  world.project.edit((config) => {
    const access = setting<Access>(config, "access");
    setSetting(config, "access", { ...access, ssh: { ...access.ssh, ...change } });
  });
};

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the EC2 API gave no id");
  return value;
}

/** The host key of a machine, as an operator would put it into a stack file. */
const hostKey = (name: string): string =>
  world.lab.host(name).readFile("/etc/ssh/ssh_host_ed25519_key.pub").split(" ").slice(0, 2).join(" ").trim();

/** The company's network, with a bastion in it. @returns the stack's network settings, and the bastion's address. */
async function companyNetwork(): Promise<{ network: Config; address: string }> {
  const { ec2 } = world;
  const vpc = found((await ec2.send(new CreateVpcCommand({ CidrBlock: VPC_CIDR }))).Vpc?.VpcId);
  const subnetInput = { VpcId: vpc, CidrBlock: SUBNET_CIDR, AvailabilityZone: ZONE };
  const subnet = found((await ec2.send(new CreateSubnetCommand(subnetInput))).Subnet?.SubnetId);
  const created = await ec2.send(new CreateInternetGatewayCommand({}));
  const gateway = found(created.InternetGateway?.InternetGatewayId);
  await ec2.send(new AttachInternetGatewayCommand({ VpcId: vpc, InternetGatewayId: gateway }));
  const key = setting<Access>(world.project.config(), "access").ssh.publicKey;
  await ec2.send(new ImportKeyPairCommand({ KeyName: BASTION, PublicKeyMaterial: Buffer.from(key) }));
  const face = await ec2.send(new CreateNetworkInterfaceCommand({ SubnetId: subnet }));
  const launched = await ec2.send(
    new RunInstancesCommand({
      ImageId: IMAGES.arm64.current,
      InstanceType: "t4g.small",
      KeyName: BASTION,
      NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: found(face.NetworkInterface?.NetworkInterfaceId) }],
      MinCount: 1,
      MaxCount: 1,
      TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "Name", Value: BASTION }] }],
    }),
  );
  const instance = found(launched.Instances?.[0]?.InstanceId);
  const { AllocationId, PublicIp } = await ec2.send(new AllocateAddressCommand({ Domain: "vpc" }));
  await ec2.send(new AssociateAddressCommand({ AllocationId, InstanceId: instance }));
  await world.lab.settled();
  const externalSubnets = [{ id: subnet, cidr: SUBNET_CIDR, availabilityZone: ZONE }];
  const network = {
    availabilityZones: [ZONE],
    placement: "private",
    vpc: { id: vpc, cidr: VPC_CIDR, externalSubnets },
  };
  return { network, address: found(PublicIp) };
}

step("the preview without credentials declares what the engine's own preview declares", async () => {
  const { network, address } = await companyNetwork();
  world.project.edit((config) => {
    setSetting(config, "network", network);
  });
  ssh({ bastion: { host: address, user: "ubuntu", hostKey: hostKey(BASTION), cidr: SUBNET_CIDR } });
  await world.remember();
  const { review, engine } = await world.previews();
  expect(engine).toEqual(review);
  declared = Object.keys(review);
});

step("a bastion with another host key is not talked to", async () => {
  const kept = world.project.text();
  const other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJkY2qg0spkBO//glA+l1y88KmHda7Jfzo6d06r6+CdO";
  const access = setting<{ ssh: { bastion: Config } }>(world.project.config(), "access");
  ssh({ bastion: { ...access.ssh.bastion, hostKey: other } });
  const result = await world.engine.up();
  expect(result.code).not.toBe(0);
  expect(result.output).toMatch(/host key mismatch/u);
  expect(nodesThatStarted(world.events())).toEqual([]);
  world.project.restore(kept);
});

step("up goes through the bastion, into the network that is there", async () => {
  succeeded(await world.engine.up());
  expect(await readRules(world.ec2, STACK)).toEqual(plannedRules(world.plan()));
  expect(await readMembers(world.ec2, STACK)).toEqual(plannedMembers(world.plan()));
  expect(Object.keys(await world.cluster.nodes()).sort()).toEqual(["agent-1", "server-1"]);
  const log = await world.lab.host(`${STACK}-server-1`).must("cat /var/log/lab/sshd.log");
  const clients = new Set([...log.matchAll(/Accepted publickey for ubuntu from (\S+)/gu)].map(([, from]) => from));
  expect([...clients]).toEqual([world.lab.host(BASTION).nics[0]?.address]);
});

step("a second up and a refresh change nothing", async () => {
  expect(brief(succeeded(await world.engine.up()))).toEqual([]);
  expect(brief(succeeded(await world.engine.refresh()))).toEqual([]);
});

step("pinned host keys: other connections, and no restart", async () => {
  const mark = world.events().length;
  const names = ["agent-1", "server-1"];
  ssh({ hostKeys: Object.fromEntries(names.map((name) => [name, hostKey(`${STACK}-${name}`)])) });
  const result = succeeded(await world.engine.up());
  expect(brief(result).filter((line) => !line.startsWith("update"))).toEqual(
    names.map((name) => `delete k3s-${name}-host-key`),
  );
  expect(nodesThatStarted(world.events().slice(mark))).toEqual([]);
  expect(brief(succeeded(await world.engine.up()))).toEqual([]);
});

step(
  "a load balancer in front of the ingress, which serves the Gateway API: what the preview adds is made, and nothing restarts",
  async () => {
    const mark = world.events().length;
    world.project.edit((config) => {
      Object.assign(config, withFragments(config, ["load-balancer-servicelb-nlb", "ingress-gateway-api"]));
    });
    const added = Object.keys(declaredByReview(await world.review())).filter((urn) => !declared.includes(urn));
    const { steps } = succeeded(await world.engine.up());
    const made = steps.filter(({ op }) => op === "create").map(({ urn }) => urn);
    expect(made.sort()).toEqual(added.sort());
    expect(nodesThatStarted(world.events().slice(mark))).toEqual([]);
    expect(await readRules(world.ec2, STACK)).toEqual(plannedRules(world.plan()));
    expect(await readMembers(world.ec2, STACK)).toEqual(plannedMembers(world.plan()));
    const addresses = ["agent-1", "server-1"].map((name) => found(world.host(name).nics[0]?.address));
    const targets = (port: number): string[] => addresses.map((address) => `${address}:${String(port)}`).sort();
    const [balancer, ...others] = await readBalancers(world.balancers);
    expect([balancer, others]).toMatchObject([
      { internal: true, forwards: { 80: targets(80), 443: targets(443) } },
      [],
    ]);
    const { vpc } = setting<{ vpc: { externalSubnets: { id: string }[] } }>(world.project.config(), "network");
    expect(balancer?.subnets).toEqual(vpc.externalSubnets.map(({ id }) => id));
    const groups = await groupKeys(world.ec2, STACK);
    expect(balancer?.groups.map((id) => groups.get(id))).toEqual(["ingress-nlb"]);
    expect(await world.engine.output("ingressUrl")).toBe(`https://${balancer?.dnsName ?? ""}`);
    expect(await world.cluster.differences(world.plan())).toEqual([]);
    const [traefik] = await world.cluster.spec("helmchartconfigs.helm.cattle.io", "kube-system");
    expect(parse(String((traefik as Config)["valuesContent"]))).toMatchObject({
      providers: { kubernetesGateway: { enabled: true } },
    });
    expect(brief(succeeded(await world.engine.up()))).toEqual([]);
  },
);

step("nothing secret stands in plain anywhere", async () => {
  expect(await world.secretsInPlain()).toEqual([]);
});

step("destroy leaves the company's network as it was", async () => {
  succeeded(await world.engine.destroy());
  expect(await world.leftovers()).toEqual([`host ${BASTION}`]);
});
