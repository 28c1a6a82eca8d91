/** Service ports on the lab's hosts, led to pods the way CNI's portmap and kube-proxy do it: by DNAT, in a table of their own. */
import type { PacketLab } from "./lab";
import type { Pod } from "./overlay";

const TABLE = "lab_services";

interface Leading {
  /** Which packets: `fib daddr type local`, or an address. */
  readonly match: string;
  readonly ports: readonly number[];
  readonly to: Pod;
  /** Whether it holds for what the host itself sends, as a service's address does. */
  readonly own?: boolean;
  /** Whether the pod sees the host in the place of the sender, as with `externalTrafficPolicy: Cluster`. */
  readonly masquerade?: boolean;
}

/** Leads ports of a host to a pod, in the place of what was led before. */
export async function lead(
  lab: PacketLab,
  node: string,
  { match, ports, to, own, masquerade }: Leading,
): Promise<void> {
  const rule = `${match} meta l4proto { tcp, udp } th dport { ${ports.join(", ")} } dnat ip to ${to.address}`;
  const text = `table ip ${TABLE}
delete table ip ${TABLE}
table ip ${TABLE} {
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    ${rule}
  }
  chain output {
    type nat hook output priority -100; policy accept;
    ${own === true ? rule : ""}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat - 10; policy accept;
    ${masquerade === true ? "ct status dnat masquerade" : ""}
  }
}
`;
  await lab.namespace(node).must(["nft", "-f", "-"], text);
}

/** Leads nothing any more. */
export async function leadNothing(lab: PacketLab, node: string): Promise<void> {
  await lab.namespace(node).must(["nft", "delete", "table", "ip", TABLE]);
}
