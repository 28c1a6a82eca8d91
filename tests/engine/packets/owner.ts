/** What is the host's owner's stays so: rules of their own, what they forward for others, and every packet while the table is replaced. */
import { FIREWALL_TABLE } from "../../../catalogue/host-network";
import { compare, everyFlow, ends, type Try } from "./comparison";
import type { Life } from "./life";
import { firewallText } from "./rendered";

const NETWORK = { gateway: "172.30.0.1", guest: "172.30.0.2", cidr: "172.30.0.0/24" };
const GUEST = "owners-guest";

const TABLE = `table inet owner {
  set blocked {
    type ipv4_addr
    flags interval
    elements = { 203.0.113.64/28, 203.0.113.200 }
  }

  chain input {
    type filter hook input priority filter - 5; policy accept;
    ip saddr @blocked counter drop comment "the owner's"
  }

  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${NETWORK.cidr} ip daddr != ${NETWORK.cidr} masquerade
  }
}
`;

const reloads = 200;

/** The owner's rules, as nft shows them, without counts. */
async function ownersRules({ lab, front }: Life): Promise<string> {
  return await lab.namespace(front).must(["nft", "-s", "list", "table", "inet", "owner"]);
}

/** A guest of the owner's on a host, on a bridge of its own, as Docker or libvirt make it. */
async function addGuest({ lab, front, free }: Life): Promise<void> {
  const host = lab.namespace(front);
  const guest = await lab.add(GUEST, {});
  await host.ip([
    "link add owner0 type bridge forward_delay 0",
    `addr add ${NETWORK.gateway}/24 dev owner0`,
    "link set owner0 up",
    `link add owner1 type veth peer name eth0 netns ${guest.pid}`,
    "link set owner1 master owner0 up",
  ]);
  await guest.ip([
    `addr add ${NETWORK.guest}/24 dev eth0`,
    "link set eth0 up",
    `route add default via ${NETWORK.gateway}`,
  ]);
  await guest.listen({ tcp: free, udp: free });
}

/** The guest to those outside, and they to the guest by a route through its host; not by the backplane, which is the cluster's. */
function guestTries({ lab, front, few }: Life): Try[] {
  const guest = {
    ...lab.speakers()[0]!,
    name: GUEST,
    namespace: lab.namespace(GUEST),
    address: NETWORK.guest,
    device: "eth0",
  };
  const others = lab.speakers().filter(({ node }) => node === undefined);
  const out = others
    .filter(({ wire }) => wire !== "backplane")
    .map((other) => [guest, other.address, true, other.name] as const);
  const into = others.map((other) => [other, NETWORK.guest, other.wire !== "backplane", GUEST] as const);
  return [...out, ...into].flatMap(([speaker, address, expected, answerer]) =>
    ends(few).map(([protocol, port]): Try => ({
      speaker,
      target: { protocol, source: speaker.address, device: "eth0", address, port },
      ...{ to: `${answerer} (${address}) through ${front}`, expected, answerer },
    })),
  );
}

/** The owner's rules are the same bytes and the owner's guests as reachable as before, with the firewall and after it. */
export async function tryOwner(life: Life): Promise<Try[]> {
  const { lab, plan, front } = life;
  await lab.namespace(front).must(["nft", "-f", "-"], TABLE);
  const before = await ownersRules(life);
  await addGuest(life);
  for (const { name, wire } of lab.parties)
    await lab
      .namespace(name)
      .ip([`route replace ${NETWORK.cidr} via ${lab.place(front, wire).address} dev eth0 onlink`]);
  await lab.load(front, firewallText(plan, front));
  expect(await ownersRules(life)).toBe(before);
  await lab.namespace(front).must(["nft", "delete", "table", "inet", FIREWALL_TABLE]);
  expect(await ownersRules(life)).toBe(before);
  await lab.load(front, firewallText(plan, front));
  expect(await ownersRules(life)).toBe(before);
  return guestTries(life);
}

interface Streamed {
  readonly sent: number;
  readonly answered: number;
  readonly tried: Readonly<Record<string, number>>;
  readonly made: Readonly<Record<string, number>>;
  /** Packets of these connections that were sent again. */
  readonly again: number;
}

/**
 * The table is replaced again and again under traffic: a conversation that the host began loses no datagram, every new connection to an
 * open port is made, none to a closed one. @returns how many packets and connections that were.
 */
export async function holdReloads(life: Life): Promise<number> {
  const { lab, plan, front, expectation, free } = life;
  const flows = everyFlow(lab, expectation, free).filter(
    ({ speaker, answerer, target }) => speaker.node === undefined && answerer === front && target.protocol === "tcp",
  );
  const open = flows.find(({ expected }) => expected)!;
  const closed = flows.find(
    (each) => !each.expected && each.speaker === open.speaker && each.target.address === open.target.address,
  )!;
  const external = lab.place(front, plan.nodes[0]!.externalNetwork);
  const common = { udp: free[0], every: 0.01 };
  const outsider = lab.parties.find(({ name }) => name === "outsider")!.addresses[0];
  const talking = lab.namespace(front).call("stream", {
    ...common,
    address: outsider,
    source: external.address,
    device: external.device,
    talk: true,
    tcp: [],
  });
  // Many at once: what is lost, is lost within microseconds.
  const opens = Array.from({ length: 8 }, () => [open.target.port, 10]);
  const ask = {
    ...common,
    ...open.target,
    talk: false,
    tcp: [...opens, [closed.target.port, 0.7]],
  };
  const asking = open.speaker.namespace.call("stream", ask);
  const file = await lab.load(front, firewallText(plan, front));
  await lab.namespace(front).must(["sh", "-ec", `for i in $(seq ${reloads}); do nft -f "$1"; done`, "sh", file]);
  await Promise.all([lab.namespace(front), open.speaker.namespace].map((each) => each.call("halt")));
  const [talk, asked] = (await Promise.all([talking, asking])) as [Streamed, Streamed];
  expect(talk.sent).toBeGreaterThan(reloads / 2);
  expect(talk.answered).toBe(talk.sent);
  expect(asked.made[open.target.port]).toBe(asked.tried[open.target.port]);
  // A set that is deleted and made anew is for microseconds in the way without the old one: what begins just then is sent once more.
  expect(asked.again).toBeLessThan(reloads / 10);
  expect(asked.made[closed.target.port]).toBe(0);
  return talk.sent + asked.tried[open.target.port]! + asked.tried[closed.target.port]!;
}

/** One rule less, and one more: the comparison says exactly that. */
export async function holdMutations(life: Life): Promise<number> {
  const { lab, plan, front, expectation, free } = life;
  const text = firewallText(plan, front);
  const flows = everyFlow(lab, expectation, free).filter(({ answerer }) => answerer === front);
  const { ssh, externalNetwork } = plan.nodes.find(({ name }) => name === front)!;
  const line = text.split("\n").find((each) => each.includes(`proto-dst ${ssh.port} accept`))!;
  const report = async (mutated: string): Promise<readonly string[]> => {
    expect(mutated).not.toBe(text);
    await lab.load(front, mutated);
    return [...(await compare(flows, [3])).mismatches].sort();
  };
  const by = (port: number, words: string): string[] => {
    const allowed = flows.filter(
      ({ target, speaker }) =>
        target.protocol === "tcp" && target.port === ssh.port && speaker.wire === externalNetwork,
    );
    const asked = allowed.filter(({ expected }) => expected);
    return asked
      .map(({ speaker, to }) => `${speaker.name} (${speaker.address}, ${speaker.wire}) -> ${to} tcp/${port}: ${words}`)
      .sort();
  };
  const foreign = free.find((port) => flows.every(({ target, expected }) => target.port !== port || !expected))!;
  expect(await report(text.replace(`${line}\n`, ""))).toEqual(by(ssh.port, "plan open, packets do not pass"));
  const more = line.replace(`proto-dst ${ssh.port}`, `proto-dst ${foreign}`);
  expect(await report(text.replace(line, `${line}\n${more}`))).toEqual(by(foreign, "plan closed, packets pass"));
  await lab.load(front, text);
  return 2 * flows.length;
}
