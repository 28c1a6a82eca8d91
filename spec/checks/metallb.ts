/** MetalLB: its mode, its version, its BGP settings. The program runs its native mode. */
import semver from "semver";
import { isAddress, isNetwork, prefixLength } from "../../catalogue/cidr";
import type { Problem } from "../problems";
import { hostsOf } from "../hosts";
import type { ParsedExisting, ParsedSpec } from "../schema";
import { show } from "../show";
import { problem, repeats, type Check, type HostsCheck } from "./context";
import { checkInterfaceName } from "./host-interfaces";
import { span } from "./load-balancer";

/** First chart version with the resource types that the program writes (MetalLB release notes: configuration by CRDs). */
const OLDEST_CHART = "0.13.2";
/** BGP's shortest hold time in seconds, but for 0, which switches it off (RFC 4271, 4.2). */
const SHORTEST_HOLD_TIME = 3;

/** A Go duration of hours, minutes and seconds, in seconds; undefined for anything else. */
function seconds(text: string): number | undefined {
  const match = /^(?=\d)(?:(\d{1,4})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/.exec(text);
  if (match === null) return text === "0" ? 0 : undefined;
  const [, hours = "0", minutes = "0", rest = "0"] = match;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
}

export const checkMetallbMode: Check = ({ parsed }) => {
  if (parsed.loadBalancer.type !== "metallb") return [];
  const { l2, bgp, version } = parsed.loadBalancer;
  const problems: Problem[] = [];
  const aws = parsed.target === "aws";
  if (l2 !== undefined && aws) {
    const message =
      "cannot work on aws: a VPC answers ARP only for addresses that it assigned, so that MetalLB's never resolve; allowed: loadBalancer servicelb, or metallb with bgp peers";
    problems.push(
      problem(
        "metallb-l2-on-aws",
        "loadBalancer.l2",
        message,
        "remove l2, and set loadBalancer: servicelb or give bgp.peers",
      ),
    );
  }
  if (l2 === undefined && bgp === undefined) {
    const message = `has no way to announce its addresses (neither l2 nor bgp); allowed: ${aws ? "" : "l2, or "}bgp with at least one peer`;
    const remedy = `give ${aws ? "" : "l2: {} or "}bgp.peers, or set loadBalancer: servicelb`;
    problems.push(problem("metallb-without-mode", "loadBalancer", message, remedy));
  }
  const parsedVersion = semver.valid(version.replace(/^v/, ""));
  if (parsedVersion === null) {
    const message = `is not a chart version (${show(version)}); allowed: a version such as 0.16.1`;
    problems.push(problem("metallb-version", "loadBalancer.version", message, "correct it"));
  } else if (semver.lt(parsedVersion, OLDEST_CHART)) {
    const message = `is older than the resources that the program writes (${show(version)}); allowed: ${OLDEST_CHART} or newer`;
    problems.push(problem("metallb-version", "loadBalancer.version", message, "choose a newer chart"));
  }
  return problems;
};

type Metallb = Extract<ParsedSpec["loadBalancer"], { type: "metallb" }>;
type Bgp = NonNullable<Metallb["bgp"]>;

function peerProblems(peer: Bgp["peers"][number], path: string): Problem[] {
  const hold = peer.holdTime === undefined ? undefined : seconds(peer.holdTime);
  const problems: Problem[] = [];
  if (peer.holdTime !== undefined && (hold === undefined || (hold !== 0 && hold < SHORTEST_HOLD_TIME))) {
    const message = `is not a hold time (${show(peer.holdTime)}); allowed: 0s, or ${SHORTEST_HOLD_TIME}s and more, such as 90s or 1m30s`;
    problems.push(problem("metallb-bgp", `${path}.holdTime`, message, "correct it"));
  }
  if (peer.ebgpMultiHop && peer.myAsn === peer.peerAsn) {
    const message = `is for peers of another autonomous system, and both have ${peer.myAsn} (true); allowed: only where myAsn and peerAsn differ`;
    problems.push(problem("metallb-bgp", `${path}.ebgpMultiHop`, message, "remove it, or correct the numbers"));
  }
  return problems;
}

function isCommunity(text: string): boolean {
  return /^\d{1,5}:\d{1,5}$/.test(text) && text.split(":").every((half) => Number(half) <= 65535);
}

function communityProblems(communities: readonly string[]): Problem[] {
  return communities.flatMap((text, index) => {
    if (isCommunity(text)) return [];
    const message = `is not a community that MetalLB's native mode takes (${show(text)}); allowed: NUMBER:NUMBER, each up to 65535`;
    return [problem("metallb-bgp", `loadBalancer.bgp.communities[${index}]`, message, "correct it")];
  });
}

/** MetalLB refuses a pool whose network is smaller than what is announced. */
function aggregationProblems({ aggregationLength }: Bgp, pools: Metallb["pools"]): Problem[] {
  return pools.flatMap(({ addresses }, pool) =>
    addresses.flatMap((text, index) => {
      if (!isNetwork(text) || prefixLength(text) <= aggregationLength) return [];
      const message = `is shorter than the prefix of loadBalancer.pools[${pool}].addresses[${index}] (${aggregationLength} and ${show(text)}); allowed: at least ${prefixLength(text)}`;
      return [
        problem("metallb-bgp", "loadBalancer.bgp.aggregationLength", message, "raise it, or choose a larger network"),
      ];
    }),
  );
}

/** Names of pools and peers, and what MetalLB's native mode takes of BGP. */
export const checkMetallbBgp: Check = ({ parsed }) => {
  if (parsed.loadBalancer.type !== "metallb") return [];
  const { bgp, pools } = parsed.loadBalancer;
  const poolNames = pools.map(({ name }) => name);
  const peers = bgp?.peers ?? [];
  const peerNames = peers.map(({ name }) => name);
  return [
    ...repeats("loadBalancer.pools", poolNames, "a pool's name"),
    ...repeats("loadBalancer.bgp.peers", peerNames, "a peer's name"),
    ...peers.flatMap((peer, index) => peerProblems(peer, `loadBalancer.bgp.peers[${index}]`)),
    ...(bgp === undefined ? [] : [...communityProblems(bgp.communities), ...aggregationProblems(bgp, pools)]),
  ];
};

/** The interfaces that layer 2 answers on: named where the layout has two, and none of the backplane's. */
function l2Interfaces(parsed: ParsedExisting, { interfaces }: NonNullable<Metallb["l2"]>): Problem[] {
  const path = "loadBalancer.l2.interfaces";
  const hosts = hostsOf(parsed);
  const backplane = new Set(hosts.flatMap((host) => host.backplane?.interface ?? []));
  const unnamed = hosts.findIndex(({ external }) => external?.interface === undefined);
  if (parsed.layout === "segregated" && interfaces.length === 0 && unnamed !== -1) {
    const message = `is missing, and nodes[${unnamed}] gives its external interface by address only; allowed: the names of the external interfaces`;
    return [problem("metallb-l2-interface", path, message, "give them here, or external.interface on every host")];
  }
  return [
    ...repeats(path, interfaces, "an interface"),
    ...interfaces.flatMap((name, index) => {
      const wrong = checkInterfaceName(`${path}[${index}]`, name);
      if (wrong.length > 0 || !backplane.has(name)) return wrong;
      const message = `is a backplane interface (${show(name)}), where nobody asks for a Service's address; allowed: external interfaces`;
      return [problem("metallb-l2-interface", `${path}[${index}]`, message, "name the external interface")];
    }),
  ];
}

/** MetalLB on hosts that are there: where layer 2 answers, and no pool that holds the address of a host. */
export const checkMetallbHosts: HostsCheck = ({ parsed }) => {
  if (parsed.loadBalancer.type !== "metallb") return [];
  const { l2, pools } = parsed.loadBalancer;
  const addresses = hostsOf(parsed).flatMap(({ address, external, backplane }, index) =>
    [address, external?.address, backplane?.address]
      .filter((text) => text !== undefined && isAddress(text))
      .map((text = "") => ({ index, text, at: span(`${text}/32`)?.first ?? 0n })),
  );
  const taken = pools.flatMap(({ addresses: ranges }, pool) =>
    ranges.flatMap((text, index) => {
      const range = span(text);
      const host = addresses.find(({ at }) => range !== undefined && range.first <= at && at <= range.last);
      if (host === undefined) return [];
      const path = `loadBalancer.pools[${pool}].addresses[${index}]`;
      const message = `holds ${host.text}, which nodes[${host.index}] has (${show(text)}); allowed: addresses that no host has`;
      return [problem("metallb-node-address", path, message, "choose another range")];
    }),
  );
  return [...(l2 === undefined ? [] : l2Interfaces(parsed, l2)), ...taken];
};
