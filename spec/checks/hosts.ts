/** Hosts that are there: names, roles, pools, and how SSH reaches them. */
import { contains, isAddress } from "../../catalogue/cidr";
import { nearest } from "../config";
import { hostsOf, poolOf } from "../hosts";
import { replacesKubeProxy } from "../normalize";
import type { Problem } from "../problems";
import { formatPath, show } from "../show";
import { DOCUMENTATION, hostKey } from "./access";
import { checkAddress } from "./addresses";
import { problem, type HostsCheck } from "./context";

/** Host names are unique. */
export const checkHostNames: HostsCheck = ({ parsed }) => {
  const names = parsed.nodes.map(({ name }) => name);
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    if (first === index) return [];
    const message = `repeats the name of nodes[${first}] (${show(name)}); allowed: each once`;
    return [problem("duplicate-value", `nodes[${index}].name`, message, "rename one of them")];
  });
};

/** Every host has a role, and it is its pool's. */
export const checkRoles: HostsCheck = ({ parsed }) =>
  parsed.nodes.flatMap((node, index): Problem[] => {
    const path = `nodes[${index}].role`;
    const of = poolOf(parsed, node)?.role;
    if (node.role === undefined && of === undefined) {
      const message = "is missing, and no pool of the host gives one; allowed: server or agent";
      return [problem("missing-setting", path, message, "give it here or in the pool: it has no default")];
    }
    if (node.role === undefined || of === undefined || node.role === of) return [];
    const pool = formatPath(["pools", node.pool ?? node.role]);
    const message = `is not the role of the host's pool (${show(node.role)}, and ${pool} says ${show(of)}); allowed: the pool's`;
    return [problem("role-conflict", path, message, "remove it, or put the host into another pool")];
  });

/** Pools of settings that nobody uses, most likely misspelt. */
export const checkHostPools: HostsCheck = ({ parsed }) => {
  const used = [...new Set(hostsOf(parsed).map(({ pool }) => pool))];
  return Object.keys(parsed.pools).flatMap((name) => {
    if (used.includes(name)) return [];
    const near = nearest(name, used);
    const message = `has no host, so that its settings count for nobody (${show(name)}); advised: pools that nodes[].pool names (${used.join(", ")})`;
    const remedy = near === undefined ? "name it in nodes[].pool, or remove it" : `did you mean ${near}?`;
    return [problem("pool-without-nodes", formatPath(["pools", name]), message, remedy)];
  });
};

/** SSH addresses have a form, and no two hosts share address and port. */
export const checkSshAddresses: HostsCheck = ({ parsed }) => {
  const hosts = hostsOf(parsed);
  const places = hosts.map(({ address, port }) => `${address}:${port}`);
  return hosts.flatMap(({ address, port }, index) => {
    const path = `nodes[${index}].address`;
    const wrong = checkAddress(path, address, true, parsed.ipFamilies);
    const first = places.indexOf(`${address}:${port}`);
    if (first === index || wrong.length > 0) return wrong;
    const message = `repeats nodes[${first}].address (${show(address)}, port ${port}); allowed: each address and port once`;
    return [problem("duplicate-value", path, message, "correct one of them")];
  });
};

/** The key itself, without the comment behind it. */
const keyText = (text: string): string =>
  text
    .trim()
    .split(/[ \t]+/)
    .slice(0, 2)
    .join(" ");

/** Host keys: of a type that the connection can check, and each host's own. */
export const checkPinnedKeys: HostsCheck = ({ parsed }) => {
  const keys = parsed.nodes.map((node) => keyText(node.hostKey));
  return parsed.nodes.flatMap((node, index) => {
    const path = `nodes[${index}].hostKey`;
    const wrong = hostKey(path, node.hostKey);
    const first = keys.indexOf(keyText(node.hostKey));
    if (first === index || wrong.length > 0) return wrong;
    const message = `is the host key of nodes[${first}] too (${show(node.name)} and ${show(parsed.nodes[first]?.name)}), as on a copied machine: one can pass for the other; advised: a key of its own for every host`;
    const remedy =
      "make new keys on one of them (rm /etc/ssh/ssh_host_*, then ssh-keygen -A), and give the new key here";
    return [problem("host-key-shared", path, message, remedy)];
  });
};

/** Addresses that were left over from an example: one warning for all of them. */
export const checkHostExamples: HostsCheck = ({ parsed }) => {
  const isExample = (text: string): boolean => isAddress(text) && DOCUMENTATION.some((block) => contains(block, text));
  const examples = parsed.nodes.map(({ address }) => address).filter(isExample);
  if (examples.length === 0) return [];
  const message = `have addresses for documentation (${examples[0] ?? ""}${examples.length > 1 ? " and so on" : ""}), where nobody is; advised: your own hosts`;
  return [problem("documentation-network", "nodes", message, "replace them")];
};

/** Nothing on the hosts closes what K3s binds to every address. */
export const checkHostFirewall: HostsCheck = ({ parsed }) => {
  if (parsed.hostFirewall !== "none") return [];
  const { type } = parsed.cni;
  const overlay = type === "flannel" ? "flannel's VXLAN on all addresses" : "the CNI's own";
  const firewalls =
    type === "none" || replacesKubeProxy(parsed) ? [] : ["nftables", ...(type === "flannel" ? ["firewalld"] : [])];
  const own = "close the hosts' ports by a firewall of your own";
  const advised = firewalls.length === 0 ? "a firewall of your own" : firewalls.join(" or ");
  const message = `leaves every port of the hosts to whoever reaches them ("none"), ${overlay} among them; advised: ${advised}`;
  const remedy = firewalls.length === 0 ? own : `choose ${firewalls.length > 1 ? "one of them" : "it"}, or ${own}`;
  return [problem("host-firewall-none", "hostFirewall", message, remedy)];
};

/** host-gw routes pods' packets straight to the other host, which no router on the way would know. */
export const checkHostGwLink: HostsCheck = ({ parsed }) => {
  if (parsed.k3s.flannelBackend !== "host-gw" || parsed.nodes.length < 2) return [];
  const message =
    'sends pods\' packets straight to the other host ("host-gw"), which works only without a router between them; advised: vxlan or wireguard-native, unless all hosts share one link';
  return [problem("host-gw-one-link", "k3s.flannelBackend", message, "see that they do, or use another backend")];
};

/** Hosts that are gone for good: the next update takes them out, and until then the servers' order begins with another. */
export const checkLostHosts: HostsCheck = ({ parsed }) => {
  const first = parsed.k3s.bootstrapServer ?? hostsOf(parsed).find(({ role }) => role === "server")?.name;
  return parsed.nodes.flatMap(({ name, lost }, index) => {
    if (!lost) return [];
    const path = `nodes[${index}].lost`;
    if (name === first) {
      const message = `is said of the server that every update begins with (${show(name)}); allowed: for another than k3s.bootstrapServer`;
      return [
        problem("lost-bootstrap-server", path, message, "set k3s.bootstrapServer to the name of a server that is left"),
      ];
    }
    const message = `is said of ${name}, on which nothing is done any more (true); advised: for one update only`;
    return [
      problem(
        "host-lost",
        path,
        message,
        "after it, take the node out of nodes: it is drained, and its machine left as it is",
      ),
    ];
  });
};
