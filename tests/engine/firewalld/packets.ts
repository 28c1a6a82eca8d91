/** A stack in the packet lab whose hosts run firewalld, with the files that the firewall's script put there. */
import { FIREWALL_TABLE } from "../../../catalogue/host-network";
import type { ExistingClusterPlan } from "../../../plan/types";
import { step } from "../harness/steps";
import { compare } from "../packets/comparison";
import { hold } from "../packets/hold";
import { holdIpv6 } from "../packets/ipv6";
import type { Protect } from "../packets/lab";
import { Life } from "../packets/life";
import { everyServicePort } from "../packets/pods";
import { filledDocument } from "../packets/rendered";
import { lead, leadNothing } from "../packets/services";
import { holdBackDoors, holdFlows, holdForgeries, holdPods, holdServices, holdVirtualAddress } from "../packets/steps";
import { Machine } from "./machine";

/** Host ports that are led to the host itself, as to a pod in its network: firewalld takes those unasked. */
async function holdOwnPorts({ lab, expectation, pods, free, front }: Life): Promise<void> {
  const bridge = pods.find(({ node }) => node === front)!.address.replace(/\d+$/, "1");
  const itself = { name: front, node: front, address: bridge, namespace: lab.namespace(front) };
  await lead(lab, front, { match: "fib daddr type local", ports: free, to: itself });
  const tries = everyServicePort(lab, expectation, front, itself, free, false);
  await hold(tries);
  // Without the companion's part of it this check sees them.
  await lab.namespace(front).must(["nft", "flush", "chain", "inet", FIREWALL_TABLE, "input"]);
  expect((await compare(tries)).mismatches).not.toEqual([]);
  await leadNothing(lab, front);
}

export function packetSteps(title: string, plan: ExistingClusterPlan): void {
  const machines = new Map<string, Machine>();
  const protect: Protect = async (lab, node) => {
    const machine = machines.get(node) ?? new Machine("firewalld");
    machines.set(node, machine);
    await machine.off();
    await machine.boot(lab.namespace(node).pid);
  };
  let life: Life | undefined;
  const alive = (): Life => {
    if (life === undefined) throw new Error("the lab was not built");
    return life;
  };
  const end = async (): Promise<void> => {
    await Promise.all([...machines.values()].map((machine) => machine.dispose()));
    machines.clear();
    await life?.lab.destroy();
    life = undefined;
  };
  afterAll(end);
  step(`${title}: what passes firewalld is what the plan says`, async () => {
    life = await Life.start(plan, protect);
    for (const [node, machine] of machines) {
      const document = filledDocument(plan, node);
      const { code, stderr } = await machine.apply(document);
      expect([node, code, stderr]).toEqual([node, 0, ""]);
      expect((await machine.confirm(document)).code).toBe(0);
    }
    await holdFlows(life);
    await holdIpv6(life);
  });
  step(`${title}: after the hosts were switched off and on, pods reach pods, and hosts as the plan says`, async () => {
    await holdPods(alive());
  });
  step(`${title}: nobody reaches a pod or a service by other ways, and forged packets arrive nowhere`, async () => {
    await holdBackDoors(alive());
    await holdForgeries(alive());
  });
  step(`${title}: service ports are open as the plan says`, async () => {
    await holdServices(alive());
    await holdVirtualAddress(alive());
    await holdOwnPorts(alive());
    await end();
  });
}
