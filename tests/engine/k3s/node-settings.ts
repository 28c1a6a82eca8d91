/** Settings of a node, of either role: its name, addresses, labels and taints, checked as K3s and its kubelet check them. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import type { Configuration, Role } from "./configuration";
import { hostAddresses, type Host } from "./host";
import { Refusal } from "./log";
import { checkAddress } from "./networks";
import { NODE_ID_FILE } from "./paths";

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

export interface NodeSettings {
  readonly role: Role;
  readonly version: string;
  /** Hash of the configuration files. */
  readonly configHash: string;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly externalIps: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** The address of the interface that flannel uses. */
  readonly flannelAddress: string;
  /** URL of the server to join. */
  readonly serverUrl: string | undefined;
  readonly token: string | undefined;
  /** Port of an agent's load balancer. */
  readonly lbPort: number;
  /** What K3s takes without a word, and nobody should do. */
  readonly warnings: readonly string[];
}

const NAME = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*$/u;
const LABEL_NAME = /^[A-Za-z0-9](?:[-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/u;
const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
/** Labels of Kubernetes' own that a kubelet may set on its node. */
const KUBELET_LABELS = [
  "beta.kubernetes.io/arch",
  "beta.kubernetes.io/instance-type",
  "beta.kubernetes.io/os",
  "failure-domain.beta.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "kubernetes.io/arch",
  "kubernetes.io/hostname",
  "kubernetes.io/os",
  "node.kubernetes.io/instance-type",
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
];

function isQualifiedName(key: string): boolean {
  const parts = key.split("/");
  const name = parts.at(-1) ?? "";
  const prefixes = parts.slice(0, -1);
  return parts.length <= 2 && prefixes.every((prefix) => NAME.test(prefix)) && LABEL_NAME.test(name);
}

function isKubeletLabel(key: string): boolean {
  const [prefix = ""] = key.includes("/") ? key.split("/") : [];
  if (!/(?:^|\.)(?:kubernetes|k8s)\.io$/u.test(prefix)) return true;
  return KUBELET_LABELS.includes(key) || /(?:^|\.)(?:kubelet|node)\.kubernetes\.io$/u.test(prefix);
}

/** @throws Refusal for what is no label, and for labels that a kubelet may not set. */
export function parseLabels(values: readonly string[]): Record<string, string> {
  const labels = values.map((text): readonly [string, string] => {
    const [, key = "", value = ""] = /^([^=]*)(?:=(.*))?$/su.exec(text) ?? [];
    if (!isQualifiedName(key) || (value !== "" && !LABEL_NAME.test(value))) {
      throw new Refusal(`failed to validate kubelet flags: invalid node label ${text}`);
    }
    return [key, value];
  });
  const refused = labels.map(([key]) => key).filter((key) => !isKubeletLabel(key));
  if (refused.length > 0) {
    throw new Refusal(
      `failed to validate kubelet flags: unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: [${refused.join(" ")}]`,
    );
  }
  return Object.fromEntries(labels);
}

/** @throws Refusal for what is no taint: `KEY=VALUE:EFFECT` or `KEY:EFFECT`. */
export function parseTaints(values: readonly string[]): Taint[] {
  return values.map((text) => {
    const [, key = "", value, effect = ""] = /^([^=:]+)(?:=([^:]*))?:([A-Za-z]+)$/u.exec(text) ?? [];
    if (
      !isQualifiedName(key) ||
      !EFFECTS.includes(effect) ||
      (value !== undefined && !/^[-_.A-Za-z0-9]*$/u.test(value))
    ) {
      throw new Refusal(`invalid taint spec: ${text}`);
    }
    return { key, effect, ...(value === undefined || value === "" ? {} : { value }) };
  });
}

/** A file's content without the line's end. @throws Refusal where it is not there or empty. */
export function readTokenFile(file: string, warnings: string[]): string {
  if (!existsSync(file)) throw new Refusal(`open ${file}: no such file or directory`);
  if ((statSync(file).mode & 0o077) !== 0) warnings.push(`${file} can be read by others than its owner`);
  const text = readFileSync(file, "utf8").trim();
  if (text === "") throw new Refusal(`${file} is empty`);
  return text;
}

/** A token that stands in the configuration, or in a file that it names. */
export function readToken(configuration: Configuration, flag: string, warnings: string[]): string | undefined {
  const file = configuration.text(`${flag}-file`);
  if (file !== undefined && file !== "") return readTokenFile(file, warnings);
  const token = configuration.text(flag);
  return token === "" ? undefined : token;
}

function nodeNameOf(configuration: Configuration): string {
  const name = (configuration.text("node-name") ?? hostname()).toLowerCase();
  if (!NAME.test(name)) throw new Refusal(`invalid node name ${name}`);
  if (!configuration.isOn("with-node-id")) return name;
  if (!existsSync(NODE_ID_FILE)) {
    mkdirSync(path.dirname(NODE_ID_FILE), { recursive: true });
    writeFileSync(NODE_ID_FILE, randomBytes(4).toString("hex"), { mode: 0o600 });
  }
  return `${name}-${readFileSync(NODE_ID_FILE, "utf8").trim()}`;
}

/** The address of the node, and that of the interface that flannel uses. */
function addressesOf(configuration: Configuration, host: Host): { nodeIp: string; flannelAddress: string } {
  const addresses = hostAddresses();
  const all = [...addresses.values()].flat();
  const device = host.interfaces.find(({ primary }) => primary)?.device ?? "";
  const primary = addresses.get(device)?.[0] ?? all[0];
  const given = configuration.list("node-ip").map((address) => checkAddress("node-ip", address));
  const nodeIp = given[0] ?? primary;
  if (nodeIp === undefined) throw new Refusal("this host has no address");
  for (const address of given.length === 0 ? [nodeIp] : given) {
    if (all.includes(address)) continue;
    throw new Refusal(`failed to validate nodeIP: node IP: "${address}" not found in the host's network interfaces`);
  }
  const flannel = configuration.text("flannel-iface");
  if (flannel === undefined) return { nodeIp, flannelAddress: primary ?? nodeIp };
  const held = addresses.get(flannel);
  if (held === undefined)
    throw new Refusal(`unable to find flannel interface: route ip+net: no such network interface: ${flannel}`);
  if (!held.includes(nodeIp)) throw new Refusal(`flannel interface ${flannel} does not have node-ip ${nodeIp}`);
  return { nodeIp, flannelAddress: nodeIp };
}

/** Whether packets to anywhere are led somewhere: a line of zeros in the kernel's table. */
function hasDefaultRoute(): boolean {
  const [, ...routes] = readFileSync("/proc/net/route", "utf8").trim().split("\n");
  return routes.some((route) => route.split("\t")[1] === "00000000");
}

/** The settings of a node. @throws Refusal for what K3s would not take. */
export function readNodeSettings(configuration: Configuration, host: Host, version: string): NodeSettings {
  if (!hasDefaultRoute()) throw new Refusal("unable to select an IP from default routes.");
  const warnings: string[] = [];
  const serverUrl = configuration.text("server");
  if (serverUrl !== undefined && !/^https:\/\/[^/]+\/?$/u.test(serverUrl)) {
    throw new Refusal(`only https:// URLs are supported, invalid scheme: ${serverUrl}`);
  }
  return {
    role: configuration.role,
    version,
    configHash: configuration.hash,
    nodeName: nodeNameOf(configuration),
    ...addressesOf(configuration, host),
    externalIps: configuration.list("node-external-ip").map((address) => checkAddress("node-external-ip", address)),
    labels: parseLabels(configuration.whole("node-label")),
    taints: parseTaints(configuration.whole("node-taint")),
    serverUrl: serverUrl?.replace(/\/$/u, ""),
    token: readToken(configuration, "token", warnings),
    lbPort: configuration.number("lb-server-port", 6444),
    warnings,
  };
}
