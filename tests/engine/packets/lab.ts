/**
 * The packet lab: every host of a plan, and everybody outside, in a network namespace each, on one bridge a network. Everybody is a
 * neighbour of everybody on the same wire, whatever the addresses: no router stands before the hosts, their firewall is all there is.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { ExistingClusterPlan, NetworkName } from "../../../plan/types";
import { run } from "../harness/process";
import { Namespace } from "./namespace";
import { partiesOf, placesOf, type Party, type Place } from "./places";
import { firewallText } from "./rendered";

/** Somebody who sends, from one address on one wire. */
export interface Speaker {
  readonly name: string;
  readonly namespace: Namespace;
  readonly wire: NetworkName;
  readonly device: string;
  readonly address: string;
  /** Set when it is a host of the stack. */
  readonly node?: string;
}

/** As K3s leaves a host, and as weak as hosts come: no reverse path filter, and 127.0.0.0/8 may be routed (kube-proxy sets that). */
const HOST_SETTINGS: Readonly<Record<string, string>> = {
  "ipv4/ip_forward": "1",
  "ipv4/conf/all/rp_filter": "0",
  "ipv4/conf/default/rp_filter": "0",
  "ipv4/conf/all/route_localnet": "1",
  "ipv6/conf/default/accept_dad": "0",
  "ipv4/icmp_ratelimit": "0",
};
const PARTY_SETTINGS: Readonly<Record<string, string>> = {
  "ipv4/conf/all/rp_filter": "0",
  "ipv4/conf/default/rp_filter": "0",
  "ipv6/conf/default/accept_dad": "0",
};

async function hub(lines: readonly string[]): Promise<void> {
  const { code, output } = await run("ip", ["-batch", "-"], { input: `${lines.join("\n")}\n` });
  if (code !== 0) throw new Error(`ip failed: ${output}\n${lines.join("\n")}`);
}

/** Cables so far, of all labs: those of one that is gone may take a moment to vanish. */
let cables = 0;

const bridge = (wire: NetworkName): string => `w-${wire}`;

/** Puts a host's firewall in force when it is switched on, before it has any interface. */
export type Protect = (lab: PacketLab, node: string) => Promise<unknown>;
const byTable: Protect = (lab, node) => lab.load(node, firewallText(lab.plan, node));

export class PacketLab {
  readonly places: readonly Place[];
  readonly parties: readonly Party[];
  private readonly namespaces = new Map<string, Namespace>();
  private readonly folder = mkdtempSync(path.join(os.tmpdir(), "k3s-networking-packets-"));

  private constructor(
    readonly plan: ExistingClusterPlan,
    private readonly protect: Protect,
  ) {
    this.places = placesOf(plan);
    this.parties = partiesOf(plan);
  }

  /** Builds everything, with the firewall on each host. */
  static async create(plan: ExistingClusterPlan, protect = byTable): Promise<PacketLab> {
    const lab = new PacketLab(plan, protect);
    const wires = [...new Set(lab.places.map(({ network }) => network))];
    const option = "type bridge forward_delay 0 mcast_snooping 0";
    await hub(wires.flatMap((wire) => [`link add ${bridge(wire)} ${option}`, `link set ${bridge(wire)} up`]));
    await Promise.all([
      ...lab.parties.map((party) => lab.addParty(party)),
      ...plan.nodes.map(({ name }) => lab.boot(name)),
    ]);
    return lab;
  }

  /** Takes everything away. */
  async destroy(): Promise<void> {
    for (const namespace of this.namespaces.values()) namespace.stop();
    const wires = [...new Set(this.places.map(({ network }) => network))];
    await hub(wires.map((wire) => `link del ${bridge(wire)}`));
    rmSync(this.folder, { recursive: true });
  }

  /** The namespace of a host, a party or a pod. */
  namespace(name: string): Namespace {
    const found = this.namespaces.get(name);
    if (found === undefined) throw new Error(`the lab has no ${name}`);
    return found;
  }

  place(node: string, network: NetworkName): Place {
    const found = this.places.find((place) => place.node === node && place.network === network);
    if (found === undefined) throw new Error(`${node} has no interface on ${network}`);
    return found;
  }

  /** Everybody who may send, with each of their addresses. */
  speakers(): Speaker[] {
    const hosts = this.places.map(({ node, network, device, address }) => ({
      ...{ name: node, node, namespace: this.namespace(node) },
      ...{ wire: network, device, address },
    }));
    const others = this.parties.flatMap(({ name, wire, addresses }) =>
      addresses.map((address) => ({ name, namespace: this.namespace(name), wire, device: "eth0", address })),
    );
    return [...hosts, ...others];
  }

  /** The MAC address of a host's interface. */
  mac({ node, network }: Place): string {
    const number = this.plan.nodes.findIndex(({ name }) => name === node);
    return `02:00:00:00:${network === "backplane" ? "01" : "00"}:${number.toString(16).padStart(2, "0")}`;
  }

  /** Starts a host as if it had just been switched on: the firewall is loaded from its file before there is any interface. */
  async boot(node: string): Promise<void> {
    this.namespaces.get(node)?.stop();
    const namespace = await this.add(node, HOST_SETTINGS);
    await this.protect(this, node);
    const places = this.places.filter((place) => place.node === node);
    for (const place of places) await this.plug(namespace, place.network, place.device, this.mac(place));
    await namespace.ip(places.flatMap((place) => this.routes(place)));
  }

  /** Writes a text to the host's file, and loads that. @returns the file. */
  async load(node: string, text: string): Promise<string> {
    const file = path.join(this.folder, `${node}.nft`);
    writeFileSync(file, text);
    await this.namespace(node).must(["nft", "-f", file]);
    return file;
  }

  /** A namespace of one's own, such as a pod's. */
  async add(name: string, settings: Readonly<Record<string, string>>): Promise<Namespace> {
    const namespace = await Namespace.start(name);
    this.namespaces.set(name, namespace);
    await namespace.sysctl(settings);
    return namespace;
  }

  private async addParty({ name, wire, addresses }: Party): Promise<void> {
    const namespace = await this.add(name, PARTY_SETTINGS);
    await this.plug(namespace, wire, "eth0");
    await namespace.ip([
      ...addresses.map((address) => `addr add ${address}/32 dev eth0`),
      "link set eth0 up",
      "route add default dev eth0",
    ]);
  }

  private async plug(namespace: Namespace, wire: NetworkName, device: string, mac?: string): Promise<void> {
    const cable = `c${++cables}`;
    const address = mac === undefined ? "" : `address ${mac} `;
    await hub([
      `link add ${cable} type veth peer name ${device} ${address}netns ${namespace.pid}`,
      `link set ${cable} master ${bridge(wire)} up`,
    ]);
  }

  /** The external interface leads everywhere; the backplane to those who stand there. */
  private routes({ node, network, device, address }: Place): string[] {
    const there = this.places.filter((place) => place.network === network && place.node !== node);
    const strangers = this.parties
      .filter(({ wire }) => wire === "backplane")
      .flatMap(({ addresses }) => addresses.slice(0, 1));
    const targets =
      network === "backplane"
        ? [...there.map((place) => place.address), ...strangers].map((to) => `${to}/32`)
        : ["default"];
    return [
      `addr add ${address}/32 dev ${device}`,
      `link set ${device} up`,
      ...targets.map((to) => `route add ${to} dev ${device} src ${address}`),
    ];
  }
}
