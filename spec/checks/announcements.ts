/** How MetalLB, or Cilium, announces the addresses of its pools: by layer 2, by BGP, or both. */
import type { Problem } from "../problems";
import type { ParsedSpec } from "../schema";
import { show } from "../show";
import { ANNOUNCING, announces, type Announcing } from "./address-pools";
import { problem, repeats, type Check } from "./context";

/** BGP's shortest hold time in seconds, but for 0, which switches it off (RFC 4271, 4.2). */
const SHORTEST_HOLD_TIME = 3;
/** BGP's longest hold time in seconds: its field has 16 bits (RFC 4271, 4.2). */
const LONGEST_HOLD_TIME = 65535;

/** A Go duration of hours, minutes and seconds, in seconds; undefined for anything else. */
export function seconds(text: string): number | undefined {
  const match = /^(?=\d)(?:(\d{1,4})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/.exec(text);
  if (match === null) return text === "0" ? 0 : undefined;
  const [, hours = "0", minutes = "0", rest = "0"] = match;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
}

/** A way to announce, and none that cannot work on the target. */
export const checkAnnouncement: Check = ({ parsed }) => {
  const { loadBalancer, target } = parsed;
  if (!announces(loadBalancer)) return [];
  const { l2, bgp, type } = loadBalancer;
  const { title, onAws, mode } = ANNOUNCING[type];
  const aws = target === "aws";
  const problems: Problem[] = [];
  if (l2 !== undefined && aws) {
    const message = `cannot work on aws: a VPC answers ARP only for addresses that it assigned, so that ${title}'s never resolve; allowed: loadBalancer servicelb, or ${type} with bgp peers`;
    problems.push(
      problem(onAws, "loadBalancer.l2", message, "remove l2, and set loadBalancer: servicelb or give bgp.peers"),
    );
  }
  if (l2 === undefined && bgp === undefined) {
    const message = `has no way to announce its addresses (neither l2 nor bgp); allowed: ${aws ? "" : "l2, or "}bgp with at least one peer`;
    const remedy = `give ${aws ? "" : "l2: {} or "}bgp.peers, or set loadBalancer: servicelb`;
    problems.push(problem(mode, "loadBalancer", message, remedy));
  }
  return problems;
};

type Bgp = NonNullable<Announcing["bgp"]>;
type Code = (typeof ANNOUNCING)[Announcing["type"]]["bgp"];

/** MetalLB takes a hold time of 0, which switches it off; Cilium does not. */
function holdTimeProblems({ holdTime }: Bgp["peers"][number], path: string, code: Code): Problem[] {
  if (holdTime === undefined) return [];
  const hold = seconds(holdTime);
  const off = hold === 0 && code === "metallb-bgp";
  if (off || (hold !== undefined && hold >= SHORTEST_HOLD_TIME && hold <= LONGEST_HOLD_TIME)) return [];
  const zero = code === "metallb-bgp" ? "0s, or " : "";
  const message = `is not a hold time (${show(holdTime)}); allowed: ${zero}${SHORTEST_HOLD_TIME}s and more, such as 90s or 1m30s`;
  return [problem(code, `${path}.holdTime`, message, "correct it")];
}

function multiHopProblems({ ebgpMultiHop, myAsn, peerAsn }: Bgp["peers"][number], path: string, code: Code): Problem[] {
  if (!ebgpMultiHop || myAsn !== peerAsn) return [];
  const message = `is for peers of another autonomous system, and both have ${myAsn} (true); allowed: only where myAsn and peerAsn differ`;
  return [problem(code, `${path}.ebgpMultiHop`, message, "remove it, or correct the numbers")];
}

function isCommunity(text: string): boolean {
  return /^\d{1,5}:\d{1,5}$/.test(text) && text.split(":").every((half) => Number(half) <= 65535);
}

function communityProblems(communities: readonly string[], code: Code): Problem[] {
  const who = code === "metallb-bgp" ? "MetalLB's native mode takes" : "the program gives to Cilium";
  return communities.flatMap((text, index) => {
    if (isCommunity(text)) return [];
    const message = `is not a community that ${who} (${show(text)}); allowed: NUMBER:NUMBER, each up to 65535`;
    return [problem(code, `loadBalancer.bgp.communities[${index}]`, message, "correct it")];
  });
}

/** Names of pools and peers, and what the load balancer takes of BGP. */
export const checkBgp: Check = ({ parsed }) => {
  const { loadBalancer } = parsed;
  if (!announces(loadBalancer)) return [];
  const { bgp, pools } = loadBalancer;
  const code = ANNOUNCING[loadBalancer.type].bgp;
  const peers = bgp?.peers ?? [];
  return [
    ...repeats(
      "loadBalancer.pools",
      pools.map(({ name }) => name),
      "a pool's name",
    ),
    ...repeats(
      "loadBalancer.bgp.peers",
      peers.map(({ name }) => name),
      "a peer's name",
    ),
    ...peers.flatMap((peer, index) => multiHopProblems(peer, `loadBalancer.bgp.peers[${index}]`, code)),
    ...peers.flatMap((peer, index) => holdTimeProblems(peer, `loadBalancer.bgp.peers[${index}]`, code)),
    ...communityProblems(bgp?.communities ?? [], code),
  ];
};

/** Whether nodes have BGP sessions with the operator's routers. */
export function peersByBgp(loadBalancer: ParsedSpec["loadBalancer"]): boolean {
  return announces(loadBalancer) && loadBalancer.bgp !== undefined;
}
