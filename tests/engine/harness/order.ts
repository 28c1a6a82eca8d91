/** What the lab's event log says of the order in which things were done. */
import type { LabEvent } from "../lab/events";

/** The nodes whose K3s became ready, in the order in which they did. */
export function nodesThatStarted(events: readonly LabEvent[]): string[] {
  return events.flatMap(({ event, node }) => (event === "ready" && node !== undefined ? [node] : []));
}

/** Where an event of a node, or of a host by its name, stands for the first time; -1 where it does not. */
export function indexOf(events: readonly LabEvent[], event: string, who: string): number {
  return events.findIndex((one) => one.event === event && (one.node === who || one["name"] === who));
}

/** Whether every server started only after the one before it was ready, and every other node after all of them. */
export function serialStarts(events: readonly LabEvent[], servers: readonly string[]): boolean {
  const at = (event: string, node: string): number =>
    events.findIndex((one) => one.event === event && one.node === node);
  const last = servers.at(-1);
  const inTurn = servers.every((server, index) => {
    const before = servers[index - 1];
    return before === undefined || at("ready", before) < at("start", server);
  });
  const agentsAfter = events.every(
    ({ event, node = "" }, index) =>
      event !== "start" || servers.includes(node) || (last !== undefined && index > at("ready", last)),
  );
  return inTurn && agentsAfter;
}

/** Moments at which a server saw no majority of etcd's members. */
export function quorumLosses(events: readonly LabEvent[]): LabEvent[] {
  return events.filter(({ event, ...details }) => {
    if (event !== "quorum") return false;
    const { members, alive } = details as unknown as { members: number; alive: number };
    return alive * 2 <= members;
  });
}
