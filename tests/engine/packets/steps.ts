/** What is asked of every stack in the packet lab, step by step. */
import { addressAt } from "../../../catalogue/cidr";
import { FIREWALL_TABLE } from "../../../catalogue/host-network";
import type { ExistingClusterPlan, KubernetesObject } from "../../../plan/types";
import { run } from "../harness/process";
import { step } from "../harness/steps";
import { ends, everyFlow, everyWayOut, mayPing, type Try } from "./comparison";
import { forge, forgeriesOf } from "./forgeries";
import { hold, total } from "./hold";
import { holdIpv6 } from "./ipv6";
import type { Speaker } from "./lab";
import { Life } from "./life";
import { addOverlay, overlayFacts } from "./overlay";
import { holdMutations, holdReloads, tryOwner } from "./owner";
import { everyBackDoor, everyHostFromPods, everyPod, everyServicePort, everyVirtualPort, serviceAddress } from "./pods";
import { firewallText } from "./rendered";
import { lead, leadNothing } from "./services";

/** nft takes the text, without a change of anything. */
export async function checkTexts(plan: ExistingClusterPlan): Promise<void> {
  for (const { name } of plan.nodes) {
    const { code, output } = await run("nft", ["-c", "-f", "-"], { input: firewallText(plan, name) });
    expect(`${name}: ${code} ${output}`).toBe(`${name}: 0 `);
  }
}

/** Every flow, every way out, every echo. */
export async function holdFlows({ lab, expectation, ports, few }: Life): Promise<void> {
  await hold(everyFlow(lab, expectation, ports));
  await hold(everyWayOut(lab, expectation, few));
  const wrong = await Promise.all(
    lab.speakers().flatMap((speaker) =>
      lab.places
        .filter(({ node }) => node !== speaker.node)
        .map(async (place) => {
          const { address: source, device } = speaker;
          const expected = mayPing(lab, speaker, place);
          const request = { source, device, address: place.address, timeout: expected ? 5 : 0.7 };
          const answered = await speaker.namespace.call("ping", request);
          total.tried += 1;
          return answered === expected
            ? []
            : [`${speaker.name} (${source}) ping ${place.address}: ${String(answered)}`];
        }),
    ),
  );
  total.mismatches += wrong.flat().length;
  expect(wrong.flat()).toEqual([]);
}

/** Hosts are switched off and on again: the firewall is there before any interface is. */
export async function reboot(life: Life, ports = life.ports): Promise<void> {
  const names = life.plan.nodes.map(({ name }) => name);
  await Promise.all(names.map((name) => life.lab.boot(name)));
  await life.listen(names, ports);
}

/** Flannel's packets: pods and hosts reach each other's pods, and pods reach hosts as the plan says. */
export async function holdPods(life: Life): Promise<void> {
  const { lab, expectation, free, few } = life;
  await reboot(life, free);
  life.pods = await addOverlay(lab);
  await life.listen(
    life.pods.map(({ name }) => name),
    free,
  );
  await hold(everyPod(lab, life.pods, few));
  await hold(everyHostFromPods(lab, expectation, life.pods, free));
}

/** Forged packets arrive nowhere but where nobody could tell them apart; those are counted. */
export async function holdForgeries({ lab, pods, free }: Life): Promise<void> {
  const forgeries = forgeriesOf(
    lab,
    pods,
    free.find((port) => port > 1024)!,
  );
  const arrived = await forge(forgeries);
  const limits = forgeries.filter(({ limit }) => limit).map(({ name }) => name);
  total.tried += forgeries.length;
  process.stderr.write(
    `  ${forgeries.length} forgeries, ${limits.length} of them from the cluster's own wire with a host's address\n`,
  );
  expect([...arrived].sort()).toEqual([...new Set(limits)].sort());
}

/** Whoever leads pods' and services' addresses through a host reaches none of them. */
export async function holdBackDoors({ lab, pods, few }: Life): Promise<void> {
  const { pods: podNetwork, services } = overlayFacts(lab);
  for (const node of lab.plan.nodes.slice(0, 2).map(({ name }) => name)) {
    const pod = pods.find((each) => each.node === node)!;
    await lead(lab, node, { match: `ip daddr ${serviceAddress(lab)}`, ports: few, to: pod });
    for (const { name, wire } of lab.parties) {
      const via = lab.place(node, wire).address;
      await lab
        .namespace(name)
        .ip([podNetwork, services].map((to) => `route replace ${to} via ${via} dev eth0 onlink`));
    }
    const addresses = [serviceAddress(lab), ...pods.map(({ address }) => address)];
    await hold(everyBackDoor(lab, node, addresses, pods, few));
    await leadNothing(lab, node);
  }
}

/** Ports that hosts lead to pods: ServiceLB's host ports, NodePorts to a pod elsewhere, and a service's address from inside. */
export async function holdServices({ lab, plan, expectation, pods, free, front, few }: Life): Promise<void> {
  const own = pods.find(({ node }) => node === front)!;
  const other = pods.find(({ node }) => node !== front)!;
  const match = "fib daddr type local";
  await lead(lab, front, { match, ports: free, to: own });
  await hold(everyServicePort(lab, expectation, front, own, free, false));
  await lead(lab, front, { match, ports: free, to: other, masquerade: true });
  await hold(everyServicePort(lab, expectation, front, other, free, true));
  const service = serviceAddress(lab);
  await lead(lab, front, { match: `ip daddr ${service}`, ports: free, to: other, own: true });
  const inside = lab.speakers().find(({ node }) => node === front)!;
  const senders: Speaker[] = [inside, { ...inside, name: own.name, namespace: own.namespace, address: own.address }];
  const toService = senders.flatMap((speaker) =>
    ends(few).map(([protocol, port]): Try => ({
      ...{ speaker, target: { protocol, address: service, port } },
      ...{ to: `service ${service}`, expected: true, answerer: other.name },
    })),
  );
  await hold(toService);
  if (plan.layout === "segregated") {
    // A host whose routes would lead services' addresses into the backplane: kube-proxy puts a pod's in their place first.
    await lab.namespace(front).ip([`route add ${service}/32 dev ${lab.place(front, "backplane").device}`]);
    await hold(toService);
  }
  await leadNothing(lab, front);
}

/** Objects of the plan by kind. */
function objects(plan: ExistingClusterPlan, kind: string): KubernetesObject[] {
  return plan.delivery.steps.flatMap((each) =>
    each.kind === "object" && each.object.kind === kind ? [each.object] : [],
  );
}

/** MetalLB's address: a speaker answers ARP where the plan says, and the kernel nowhere; its ports are open as the plan says. */
export async function holdVirtualAddress({ lab, plan, expectation, pods, free, front }: Life): Promise<void> {
  const pool = objects(plan, "IPAddressPool")[0]?.spec?.["addresses"] as readonly string[] | undefined;
  const virtual = /^[\d.]+/.exec(pool?.[0] ?? "")?.[0] ?? "100.90.0.0";
  const address = pool?.[0]?.includes("/") === false ? virtual : addressAt(`${virtual}/32`, 7);
  const external = lab.place(front, plan.nodes[0]!.externalNetwork);
  const own = lab.places.filter(({ node }) => node === front);
  const advertisement = objects(plan, "L2Advertisement")[0];
  const asked = async (): Promise<Record<string, unknown>> => {
    const wires = lab.parties.filter(({ name }) => name === "outsider" || name === "stranger");
    const answers = wires.map(async ({ name, wire, addresses }) => {
      const request = { device: "eth0", source: addresses[0], address, timeout: 0.5 };
      return [wire, await lab.namespace(name).call("arp", request)] as const;
    });
    return Object.fromEntries(await Promise.all(answers));
  };
  const silence = Object.fromEntries(own.map(({ network }) => [network, []]));
  expect(await asked()).toEqual(silence);
  const named = advertisement?.spec?.["interfaces"] as readonly string[] | undefined;
  const devices = named ?? (advertisement === undefined ? [external.device] : own.map(({ device }) => device));
  await lab
    .namespace(front)
    .call("arp_answerer", { devices: devices.filter((device) => own.some((at) => at.device === device)), address });
  expect(await asked()).toEqual({ ...silence, [external.network]: [lab.mac(external)] });
  const pod = pods.find(({ node }) => node === front)!;
  await lead(lab, front, { match: `ip daddr ${address}`, ports: free, to: pod });
  // Nobody answers on the backplane; those there who know better are not let in either.
  for (const { namespace, device, wire } of lab
    .speakers()
    .filter(({ wire, node }) => wire === "backplane" && node !== front))
    await namespace.ip([`neigh replace ${address} lladdr ${lab.mac(lab.place(front, wire))} dev ${device}`]);
  await hold(everyVirtualPort(lab, expectation, external, address, pod, free));
  await leadNothing(lab, front);
}

/** Taking the firewall away, everywhere. */
export async function disarm({ lab, plan }: Life): Promise<void> {
  for (const { name } of plan.nodes) await lab.namespace(name).must(["nft", "delete", "table", "inet", FIREWALL_TABLE]);
}

/** Without the firewall all forgeries arrive, and IPv6 is open: the lab could tell. */
export async function holdWithoutFirewall(life: Life): Promise<void> {
  await disarm(life);
  const forgeries = forgeriesOf(
    life.lab,
    life.pods,
    life.free.find((port) => port > 1024)!,
  );
  const arrived = await forge(forgeries);
  expect(forgeries.filter(({ name }) => !arrived.has(name)).map(({ name }) => name)).toEqual([]);
  await holdIpv6(life, true);
}

/** Every step, for a stack that somebody will copy. */
export function stackSteps(title: string, plan: ExistingClusterPlan): void {
  let life: Life | undefined;
  const alive = (): Life => {
    if (life === undefined) throw new Error("the lab was not built");
    return life;
  };
  afterAll(async () => {
    await life?.lab.destroy();
  });
  step(`${title}: nft takes every host's text`, async () => {
    await checkTexts(plan);
  });
  step(`${title}: what passes is what the plan says`, async () => {
    life = await Life.start(plan);
    await holdFlows(life);
    await holdIpv6(life);
  });
  step(`${title}: also after the hosts were switched off and on`, async () => {
    await reboot(alive());
    await holdFlows(alive());
  });
  step(`${title}: pods reach pods, and hosts as the plan says`, async () => {
    await holdPods(alive());
  });
  step(`${title}: nobody outside reaches a pod or a service by a route of their own`, async () => {
    await holdBackDoors(alive());
  });
  step(`${title}: forged packets arrive nowhere`, async () => {
    await holdForgeries(alive());
  });
  step(`${title}: service ports are open as the plan says`, async () => {
    await holdServices(alive());
    await holdVirtualAddress(alive());
  });
  step(
    `${title}: the owner's rules and guests stay as they are, and no packet is lost while the table is replaced`,
    async () => {
      await hold(await tryOwner(alive()));
      total.tried += await holdReloads(alive());
    },
  );
  step(`${title}: one rule less or more, and the comparison says so`, async () => {
    total.tried += await holdMutations(alive());
  });
  step(`${title}: without the firewall the lab sees all of that pass`, async () => {
    await holdWithoutFirewall(alive());
    await alive().lab.destroy();
    life = undefined;
  });
}

/** The flows alone, for a stack that nobody looked at. */
export function randomSteps(title: string, plan: ExistingClusterPlan): void {
  const { layout, fixed, nodes } = plan;
  step(
    `${title} (${layout}, ${fixed["k3s.flannelBackend"]!}, ${nodes.length} hosts): what passes is what the plan says`,
    async () => {
      await checkTexts(plan);
      const life = await Life.start(plan);
      try {
        await holdFlows(life);
      } finally {
        await life.lab.destroy();
      }
    },
  );
}

/** Pods and their services alone, for a flannel backend that no committed stack has. */
export function backendSteps(title: string, plan: ExistingClusterPlan): void {
  step(`${title}: pods, forged packets, services`, async () => {
    const life = await Life.start(plan);
    try {
      await holdPods(life);
      await holdBackDoors(life);
      await holdForgeries(life);
      await holdServices(life);
    } finally {
      await life.lab.destroy();
    }
  });
}
