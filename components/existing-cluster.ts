import * as pulumi from "@pulumi/pulumi";
import type { ExistingClusterPlan, HostNodePlan } from "../plan/types";
import { deliver, readKubeconfig } from "./access";
import { AddressBook } from "./addresses";
import { HostNode } from "./host-node";
import { lookup } from "./lookup";
import { remoteScript } from "./remote-script";
import type { ClusterSecrets } from "./secrets";

export interface ExistingClusterArgs {
  readonly plan: ExistingClusterPlan;
  readonly secrets: ClusterSecrets;
}

/** Addresses of a host. */
export interface HostAddresses {
  readonly role: HostNodePlan["role"];
  /** Its address in the cluster. */
  readonly clusterAddress: pulumi.Output<string>;
  /** Its address on the external network, if it has one of its own there. */
  readonly externalAddress?: pulumi.Output<string>;
}

/** A K3s cluster on hosts that were there before, as a plan describes it: a firewall and K3s on each, and what is put into the cluster. */
export class ExistingCluster extends pulumi.ComponentResource {
  /** The administrator's kubeconfig. Secret. */
  readonly kubeconfig: pulumi.Output<string>;
  /** Where operators reach the Kubernetes API. */
  readonly apiUrl: pulumi.Output<string>;
  /** Addresses by node name. */
  readonly nodes: Readonly<Record<string, HostAddresses>>;
  /** No load balancer of the stack's own stands before the ingress: clients reach it at the hosts, or at the addresses that Services get. */
  readonly ingressUrl: undefined;

  private readonly plan: ExistingClusterPlan;
  private readonly addresses = new AddressBook();
  private readonly hosts: ReadonlyMap<string, HostNode>;

  constructor(name: string, args: ExistingClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k3s-networking:index:ExistingCluster", name, {}, opts);
    const { plan, secrets } = args;
    this.plan = plan;
    this.hosts = this.createHosts(name, secrets);
    this.nodes = Object.fromEntries(plan.nodes.map((node) => [node.name, this.noteAddresses(node)]));
    const checked = this.createBarrier(name);
    for (const host of this.hosts.values()) host.prepare(checked);
    this.install();
    this.join();
    this.apiUrl = this.addresses.fill(plan.api.url);
    const server = this.host(plan.k3s.bootstrapServer);
    this.kubeconfig = readKubeconfig(name, { plan, server, apiUrl: this.apiUrl }, this);
    deliver(
      name,
      {
        plan,
        bgpPasswords: secrets.bgpPasswords,
        kubeconfig: this.kubeconfig,
        server,
        fill: (text) => this.addresses.fill(text),
        beforeApi: [...this.hosts.values()].map(({ installed }) => installed),
        beforeManifests: plan.k3s.serverOrder.map((key) => this.host(key).installed),
      },
      this,
    );
    this.registerOutputs({ apiUrl: this.apiUrl, kubeconfig: this.kubeconfig });
  }

  private host(name: string): HostNode {
    return lookup(this.hosts, name, "node");
  }

  /**
   * One host that cannot take its part stops all of them, before anything has changed anywhere. A command of its own that does nothing:
   * were every host to wait for every check by itself, the state would hold the square of their number.
   */
  private createBarrier(name: string): pulumi.Resource {
    const { connection } = this.host(this.plan.k3s.bootstrapServer);
    const checks = [...this.hosts.values()].map(({ check }) => check);
    return remoteScript(`${name}-checked`, { connection }, { parent: this, dependsOn: checks });
  }

  private createHosts(name: string, secrets: ClusterSecrets): ReadonlyMap<string, HostNode> {
    const { plan } = this;
    const common = {
      stack: plan.stack,
      ssh: { plan: plan.ssh, ...secrets.ssh },
      cluster: { name, resource: this },
    };
    return new Map(
      plan.nodes.map((node) => [
        node.name,
        new HostNode(`${name}-${node.name}`, { plan: node, ...common }, { parent: this }),
      ]),
    );
  }

  private noteAddresses({ name, role, interfaces, clusterNetwork, externalNetwork }: HostNodePlan): HostAddresses {
    for (const plan of interfaces) {
      const reference = { node: name, network: plan.network, scope: "private" } as const;
      this.addresses.add(reference, this.host(name).address(plan));
      const second = this.host(name).address6(plan);
      if (second !== undefined) this.addresses.add({ ...reference, family: "ipv6" }, second);
    }
    const addressOn = (network: HostNodePlan["clusterNetwork"]): pulumi.Output<string> =>
      this.addresses.get({ node: name, network, scope: "private" });
    return {
      role,
      clusterAddress: addressOn(clusterNetwork),
      ...(externalNetwork === clusterNetwork ? {} : { externalAddress: addressOn(externalNetwork) }),
    };
  }

  /**
   * Firewall and K3s on every host. Servers strictly one after another, the first one ahead of all: a change that cuts hosts off stops
   * there, and etcd keeps its quorum. Agents side by side, after the servers.
   */
  private install(): void {
    const { bootstrapServer, serverOrder, agents } = this.plan.k3s;
    const plans = new Map(this.plan.nodes.map((node) => [node.name, node]));
    let after: readonly pulumi.Resource[] = [];
    const install = (name: string): void => {
      const { hostDocument, firewallDocument } = lookup(plans, name, "node");
      this.host(name).install({
        document: this.addresses.fill(hostDocument),
        ...(firewallDocument === undefined ? {} : { firewall: this.addresses.fill(firewallDocument) }),
        ...(name === bootstrapServer ? {} : { tokens: this.host(bootstrapServer).tokens }),
        after,
      });
    };
    for (const server of serverOrder) {
      install(server);
      after = [this.host(server).installed];
    }
    for (const agent of agents) install(agent);
  }

  private join(): void {
    const { bootstrapServer, stewards } = this.plan.k3s;
    const first = this.host(bootstrapServer);
    const steward = stewards[bootstrapServer];
    const firstMember = first.join(
      steward === undefined || steward === bootstrapServer ? undefined : this.host(steward),
    );
    for (const [name, host] of this.hosts) {
      if (host === first) continue;
      host.join(this.host(stewards[name] ?? bootstrapServer), firstMember);
    }
  }
}
