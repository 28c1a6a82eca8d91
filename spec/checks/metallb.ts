/** MetalLB: its mode, its version, its BGP settings. The program runs its native mode. */
import semver from "semver";
import { isNetwork, prefixLength } from "../../catalogue/cidr";
import type { Problem } from "../problems";
import type { ParsedSpec } from "../schema";
import { show } from "../show";
import { problem, repeats, type Check } from "./context";

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
  if (l2 !== undefined) {
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
    const message = "has no way to announce its addresses (neither l2 nor bgp); allowed: bgp with at least one peer";
    problems.push(
      problem("metallb-without-mode", "loadBalancer", message, "give bgp.peers, or set loadBalancer: servicelb"),
    );
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
