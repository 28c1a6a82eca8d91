/** The one line that a reviewer reads first: what an update opens. */
import type { ClusterPlan, HostFirewall } from "../../plan/types";
import { count } from "../words";
import { addressesOf, packetWords, weightOf } from "./reach-words";
import type { ReachChange, ReachDifference } from "./types";

/** How every verdict begins that opens nothing to the world, nor to a large part of it. */
export const OPENS_NOTHING = "opens nothing new to the world";

/** Whether a verdict says that something opens to the world or to much of it, or that nothing closes it any more. */
export const isLoud = (verdict: string): boolean => !verdict.startsWith(OPENS_NOTHING);

/** How many ways of a kind are named; the rest is counted. */
const NAMED = 3;

/** Items by name, the rest by number; each after the verb, since items have commas of their own. */
function named(items: readonly string[], verb: string, noun: string): string[] {
  const all = items.length <= NAMED + 1;
  return [
    ...(all ? items : items.slice(0, NAMED)).map((item) => `${verb}${item}`),
    ...(all ? [] : [`${verb}${count(items.length - NAMED, `more ${noun}`)}`]),
  ];
}

/** Changes of the same ends in one: `tcp 80, 443, udp 53 of node`. */
function byEnds(changes: readonly ReachChange[], words: (packets: string, change: ReachChange) => string): string[] {
  const groups = new Map<string, [ReachChange, string[]]>();
  for (const change of changes) {
    const key = JSON.stringify([change.from, change.to, change.because]);
    const group = groups.get(key) ?? [change, []];
    group[1].push(packetWords(change));
    groups.set(key, group);
  }
  return [...groups.values()].map(([change, packets]) => words([...new Set(packets)].join(", "), change));
}

const newMachine = ({ because }: ReachChange): string => (because === "machines" ? " (new machines)" : "");

const way = (packets: string, { from, to }: ReachChange): string => `${packets} of ${to} to ${from}`;

/** Ways for everyone, then ways for a large part of everyone. */
function loud(gained: readonly ReachChange[]): string[] {
  const world = gained.filter((change) => weightOf(change) === "world");
  const large = gained.filter((change) => weightOf(change) === "large");
  const toWorld = byEnds(world, (packets, change) => `${packets} of ${change.to}${newMachine(change)}`);
  const toLarge = byEnds(
    large,
    (packets, change) => `${way(packets, change)} (${addressesOf(change)} public addresses)${newMachine(change)}`,
  );
  return [
    ...(world.length === 0 ? [] : [`OPENS TO THE WORLD: ${named([...new Set(toWorld)], "", "way").join(" and ")}`]),
    ...(large.length === 0 ? [] : [`OPENS TO LARGE NETWORKS: ${named(toLarge, "", "way").join(" and ")}`]),
  ];
}

/** That a new machine may do what the others may already is no news. */
const isWideEgress = (change: ReachChange): boolean => weightOf(change) === "egress" && change.because === "rules";

function egress(gained: readonly ReachChange[]): string[] {
  const wide = gained.filter(isWideEgress);
  const words = byEnds(wide, (packets, { from, to }) => {
    return `${from} may now reach ${to === "the world" ? "any address" : to} (${packets})`;
  });
  return named(words, "", "way out");
}

/** Ways that rules open or close by name; those that come and go with machines by number. */
function rest(changes: readonly ReachChange[], verb: string, machines: string): string[] {
  const rules = byEnds(
    changes.filter((change) => change.because === "rules"),
    way,
  );
  const others = byEnds(
    changes.filter((change) => change.because === "machines"),
    way,
  ).length;
  return [
    ...named(rules, `${verb} `, "way"),
    ...(others === 0 ? [] : [`${verb} ${count(others, rules.length === 0 ? "way" : "more way")} ${machines}`]),
  ];
}

const firewallOf = (plan: ClusterPlan | undefined): HostFirewall | undefined =>
  plan?.target === "existing" ? plan.hostFirewall : undefined;

/** Where the program does not keep the flows itself, nothing above holds unless somebody else sees to it. */
function keeper(before: ClusterPlan | undefined, after: ClusterPlan | undefined): { first: string[]; last: string[] } {
  const [was, is] = [firewallOf(before), firewallOf(after)];
  const owner = "what reaches the hosts is up to their owner";
  if (is === "none" && was !== undefined && was !== "none") {
    return { first: [`TURNS THE HOST FIREWALL OFF (${was} → none): ${owner}`], last: [] };
  }
  return { first: [], last: is === "none" ? [`hostFirewall is none: ${owner}`] : [] };
}

/**
 * The verdict on an update: what it opens, and to whom. It begins with `OPENS_NOTHING` unless something becomes open to the world, or to a
 * large part of it, or nothing keeps ports closed any more. `after` is undefined for a stack that goes, `before` for one that is new, or
 * where it is not known.
 */
export function verdictOf(reach: ReachDifference, after: ClusterPlan | undefined, before?: ClusterPlan): string {
  const { gained, lost } = reach;
  const firewall = keeper(before, after);
  const first = [...firewall.first, ...loud(gained)];
  return [
    ...(first.length === 0 ? [OPENS_NOTHING] : first),
    ...egress(gained),
    ...rest(
      gained.filter((change) => ["named", "egress"].includes(weightOf(change)) && !isWideEgress(change)),
      "opens",
      "by new machines",
    ),
    ...rest(lost, "closes", "by machines that leave"),
    ...firewall.last,
  ].join("; ");
}
