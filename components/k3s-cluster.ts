import { KeyPair } from "@pulumi/aws/ec2/keyPair";
import * as pulumi from "@pulumi/pulumi";
import type { AwsClusterPlan, AwsNodePlan } from "../plan/types";
import { deliver, readKubeconfig } from "./access";
import { AddressBook } from "./addresses";
import { ApiLoadBalancer } from "./api-load-balancer";
import { Images } from "./images";
import { IngressLoadBalancer } from "./ingress-load-balancer";
import { InstanceRole } from "./instance-role";
import { K3sNode, type BackplaneArgs } from "./k3s-node";
import { lookup } from "./lookup";
import { Network } from "./network";
import { Node } from "./node";
import { remoteScript } from "./remote-script";
import type { ClusterSecrets } from "./secrets";
import { SecurityGroups } from "./security-groups";
import type { SshArgs } from "./ssh";
import { tagger, type Tagger } from "./tags";

export interface K3sClusterArgs {
  readonly plan: AwsClusterPlan;
  readonly secrets: ClusterSecrets;
}

/** Addresses of a node. */
export interface NodeAddresses {
  readonly role: AwsNodePlan["role"];
  /** Its address in the cluster. */
  readonly clusterAddress: pulumi.Output<string>;
  /** Its Elastic IP, if it has one. */
  readonly publicAddress?: pulumi.Output<string>;
}

/** A K3s cluster on AWS as a plan describes it: the network, the nodes, K3s on them, and what is put into the cluster. */
export class K3sCluster extends pulumi.ComponentResource {
  /** The administrator's kubeconfig. Secret. */
  readonly kubeconfig: pulumi.Output<string>;
  /** Where operators reach the Kubernetes API. */
  readonly apiUrl: pulumi.Output<string>;
  /** Where clients reach the ingress, through a load balancer of the stack's. */
  readonly ingressUrl: pulumi.Output<string> | undefined;
  /** Addresses by node name. */
  readonly nodes: Readonly<Record<string, NodeAddresses>>;

  private readonly args: K3sClusterArgs;
  private readonly resourceName: string;
  private readonly tags: Tagger;
  private readonly ssh: SshArgs;
  private readonly addresses = new AddressBook();
  private readonly network: Network;
  private readonly groups: SecurityGroups;
  private readonly hosts: ReadonlyMap<string, Node>;
  private readonly role: InstanceRole | undefined;
  private readonly members: ReadonlyMap<string, K3sNode>;

  constructor(name: string, args: K3sClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k3s-networking:index:K3sCluster", name, {}, opts);
    const { plan, secrets } = args;
    this.args = args;
    this.resourceName = name;
    this.tags = tagger(plan);
    this.ssh = { plan: plan.ssh, ...secrets.ssh };
    this.network = new Network(name, { plan: plan.network, tags: this.tags }, { parent: this });
    this.groups = this.createGroups();
    this.hosts = new Map(plan.nodes.map((node) => [node.name, this.createHost(node)]));
    this.role = this.createRole();
    const loadBalancer = this.createLoadBalancer();
    this.ingressUrl = this.createIngressBalancer();
    this.members = this.createMembers();
    this.apiUrl = this.addresses.fill(plan.api.url);
    const server = lookup(this.members, plan.k3s.bootstrapServer, "server");
    this.kubeconfig = readKubeconfig(name, { plan, server, apiUrl: this.apiUrl }, this);
    const delivered = deliver(
      name,
      {
        plan,
        bgpPasswords: secrets.bgpPasswords,
        kubeconfig: this.kubeconfig,
        server,
        fill: (text) => this.addresses.fill(text),
        beforeApi: [...[...this.members.values()].map(({ installed }) => installed), ...(loadBalancer?.ready ?? [])],
        beforeManifests: plan.k3s.serverOrder.map((key) => lookup(this.members, key, "server").installed),
      },
      this,
    );
    if (plan.ingressLoadBalancer?.madeBy === "controller") this.endLoadBalancers(delivered);
    this.nodes = Object.fromEntries([...this.hosts].map(([key, host]) => [key, addressesOf(host)]));
    this.registerOutputs({ apiUrl: this.apiUrl, kubeconfig: this.kubeconfig, ingressUrl: this.ingressUrl });
  }

  private createGroups(): SecurityGroups {
    const { groups, rules } = this.args.plan;
    const args = { vpcId: this.network.vpcId, groups, rules, tags: this.tags };
    return new SecurityGroups(this.resourceName, args, { parent: this });
  }

  private createHost(plan: AwsNodePlan): Node {
    const { network, groups, tags } = this;
    const host = new Node(`${this.resourceName}-${plan.name}`, { plan, network, groups, tags }, { parent: this });
    for (const { network: where } of plan.interfaces) {
      this.addresses.add({ node: plan.name, network: where, scope: "private" }, host.privateAddress(where));
      const second = host.ipv6Address(where);
      if (second !== undefined) {
        this.addresses.add({ node: plan.name, network: where, scope: "private", family: "ipv6" }, second);
      }
      const address = host.publicAddress(where);
      if (address !== undefined) this.addresses.add({ node: plan.name, network: where, scope: "public" }, address);
    }
    return host;
  }

  private createRole(): InstanceRole | undefined {
    const plan = this.args.plan.instanceRole;
    if (plan === undefined) return undefined;
    return new InstanceRole(`${this.resourceName}-${plan.key}`, { plan, tags: this.tags }, { parent: this });
  }

  /** The role of a node's instance, if the plan gives it one. */
  private profileOf(node: string): { instanceProfile?: pulumi.Output<string> } {
    if (this.role === undefined || this.args.plan.instanceRole?.nodes.includes(node) !== true) return {};
    return { instanceProfile: this.role.profileName };
  }

  private createLoadBalancer(): ApiLoadBalancer | undefined {
    const plan = this.args.plan.api.loadBalancer;
    if (plan === undefined) return undefined;
    const args = { plan, ...this.placeOf(plan), targets: this.targets(plan.servers) };
    const balancer = new ApiLoadBalancer(`${this.resourceName}-api`, args, { parent: this });
    this.addresses.addLoadBalancer(balancer.dnsName);
    return balancer;
  }

  /** The URL of the load balancer in front of the ingress, if the stack makes one. */
  private createIngressBalancer(): pulumi.Output<string> | undefined {
    const plan = this.args.plan.ingressLoadBalancer;
    if (plan?.madeBy !== "stack") return undefined;
    const args = { plan, ...this.placeOf(plan), targets: this.targets(plan.nodes) };
    const { dnsName } = new IngressLoadBalancer(`${this.resourceName}-ingress`, args, { parent: this });
    return pulumi.interpolate`https://${dnsName}`;
  }

  /** What every load balancer of the stack needs of its surroundings. */
  private placeOf({ subnets, group }: { readonly subnets: readonly string[]; readonly group: string }) {
    return {
      vpcId: this.network.vpcId,
      subnetIds: subnets.map((key) => this.network.subnetId(key)),
      groupId: this.groups.groupId(group),
      gateways: this.network.gateways,
      tags: this.tags,
    };
  }

  /** Addresses of nodes on the network that operators and clients use. */
  private targets(nodes: readonly string[]): ReadonlyMap<string, pulumi.Output<string>> {
    return new Map(
      nodes.map((name) => {
        const host = lookup(this.hosts, name, "node");
        return [name, host.privateAddress(host.plan.externalNetwork)];
      }),
    );
  }

  /**
   * Load balancers that the cluster makes are no resources of the stack, and hold on to its subnets and groups: before anything else of it
   * goes, their Services do, while the controller, its rights and the nodes are still there.
   */
  private endLoadBalancers(delivered: readonly pulumi.Resource[]): void {
    const { removalConnection: connection } = lookup(this.members, this.args.plan.k3s.bootstrapServer, "server");
    const installed = [...this.members.values()].map((member) => member.installed);
    const rights = this.role === undefined ? [] : [this.role.policy];
    remoteScript(
      `${this.resourceName}-load-balancers`,
      { connection, removeScript: "load-balancers-gone.sh" },
      { parent: this, dependsOn: [...delivered, ...installed, ...rights, this.groups] },
    );
  }

  /**
   * K3s on every node. Servers strictly one after another, instance and all: whatever changes or replaces several of them has one back in
   * the cluster before it touches the next, and etcd keeps its quorum. Agents side by side, after the servers, instances and all: what
   * replaces both has the servers to drain the agents on, and the agents' work goes on while the servers roll.
   */
  private createMembers(): ReadonlyMap<string, K3sNode> {
    const { ssh, k3s } = this.args.plan;
    const keyPair = new KeyPair(
      `${this.resourceName}-ssh`,
      { publicKey: ssh.publicKey, tags: this.tags("ssh") },
      { parent: this },
    );
    const images = new Images(this);
    const members = new Map<string, K3sNode>();
    let before: readonly pulumi.Resource[] = [];
    let firstMember: pulumi.Resource | undefined;
    const add = (name: string, launchAfter: readonly pulumi.Resource[]): K3sNode => {
      const host = lookup(this.hosts, name, "node");
      const launched = host.launch({
        ami: images.of(host.plan.ami),
        keyName: keyPair.keyName,
        ...this.profileOf(name),
        after: launchAfter,
        replaceable: host.plan.role === "agent" || k3s.embeddedEtcd,
      });
      this.addresses.addInstance(name, launched.instance.id);
      const member = this.createMember(host, launched, members, before, firstMember);
      members.set(name, member);
      return member;
    };
    const steward = k3s.stewards[k3s.bootstrapServer];
    for (const server of k3s.serverOrder) {
      const { interfaces } = lookup(this.hosts, server, "node").plan;
      const member = add(server, [...this.groups.rulesOf(interfaces.flatMap(({ groups }) => groups)), ...before]);
      before = [member.installed];
      if (server === steward) {
        const first = lookup(members, k3s.bootstrapServer, "server");
        firstMember = first.joinAsFirst(first === member ? undefined : member);
      }
    }
    for (const agent of k3s.agents) add(agent, before);
    return members;
  }

  private createMember(
    host: Node,
    launched: ReturnType<Node["launch"]>,
    members: ReadonlyMap<string, K3sNode>,
    after: readonly pulumi.Resource[],
    firstMember: pulumi.Resource | undefined,
  ): K3sNode {
    const { plan } = host;
    const { bootstrapServer, stewards } = this.args.plan.k3s;
    const forms = plan.name === bootstrapServer;
    const steward = stewards[plan.name];
    return new K3sNode(
      `${this.resourceName}-${plan.name}`,
      {
        plan,
        launched,
        cluster: { name: this.resourceName, resource: this },
        ssh: this.ssh,
        target: { host: this.addresses.get(plan.sshAddress), port: this.args.plan.ssh.port },
        document: this.addresses.fill(plan.hostDocument),
        ...(plan.clusterNetwork === plan.externalNetwork ? {} : { backplane: this.backplaneOf(host) }),
        ...(forms ? {} : { tokens: lookup(members, bootstrapServer, "server").tokens }),
        ...(forms || steward === undefined ? {} : { steward: lookup(members, steward, "server") }),
        ...(firstMember === undefined ? {} : { firstMember }),
        after,
      },
      { parent: this },
    );
  }

  private backplaneOf(host: Node): BackplaneArgs {
    const { clusterNetwork, backplaneRoutes6 = [] } = host.plan;
    const address6 = host.ipv6Address(clusterNetwork);
    return {
      macAddress: host.macAddress(clusterNetwork),
      address: host.privateAddress(clusterNetwork),
      ...(address6 === undefined
        ? {}
        : {
            ipv6: {
              address: address6,
              routes: backplaneRoutes6.map(({ subnet }) => this.network.subnetNetwork6(subnet)),
            },
          }),
    };
  }
}

function addressesOf(host: Node): NodeAddresses {
  const { role, clusterNetwork, externalNetwork } = host.plan;
  const publicAddress = host.publicAddress(externalNetwork);
  return {
    role,
    clusterAddress: host.privateAddress(clusterNetwork),
    ...(publicAddress === undefined ? {} : { publicAddress }),
  };
}
