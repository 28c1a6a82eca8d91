/** IPv6 in the packet lab: the program sets none up, but hosts have it. */
import { ends, type Try } from "./comparison";
import { hold } from "./hold";
import type { Speaker } from "./lab";
import type { Life } from "./life";

/** The link-local IPv6 address of an interface. */
async function linkLocal(speaker: Pick<Speaker, "namespace" | "device">): Promise<string> {
  const words = `ip -6 -o addr show dev ${speaker.device} scope link`;
  const shown = await speaker.namespace.must(words.split(" "));
  return /inet6 (\S+)\//.exec(shown)?.[1] ?? "";
}

/** By IPv6 neighbours find each other, and nothing comes in. `open`: without the firewall, as a check of this check. */
export async function holdIpv6({ lab, few }: Life, open = false): Promise<void> {
  const speakers = lab
    .speakers()
    .filter(({ node, address }) => node !== undefined || lab.parties.some(({ addresses }) => addresses[0] === address));
  const tries = await Promise.all(
    speakers.flatMap((speaker) =>
      lab.places
        .filter(({ node, network }) => node !== speaker.node && network === speaker.wire)
        .map(async ({ node, device }) => {
          const namespace = lab.namespace(node);
          const source = await linkLocal(speaker);
          const address = await linkLocal({ namespace, device });
          return ends(few).map(([protocol, port]): Try => ({
            speaker: { ...speaker, address: source },
            target: { protocol, device: speaker.device, address, port },
            to: `${node} (${address})`,
            expected: open,
          }));
        }),
    ),
  );
  await hold(tries.flat());
  for (const { namespace, device } of speakers.filter(({ wire }) => wire !== "backplane")) {
    const neighbours = await namespace.must(["ip", "-6", "neigh", "show", "dev", device]);
    expect(neighbours).toMatch(/lladdr/);
    expect(neighbours).not.toMatch(/FAILED|INCOMPLETE/);
  }
}
