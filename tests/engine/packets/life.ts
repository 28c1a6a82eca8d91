/** A stack in the packet lab, while its steps run. */
import type { ExistingClusterPlan } from "../../../plan/types";
import { Expectation, interestingPorts } from "./comparison";
import { PacketLab, type Protect } from "./lab";
import { overlayFacts, type Pod } from "./overlay";

export class Life {
  readonly expectation: Expectation;
  readonly ports: readonly number[];
  pods: readonly Pod[] = [];

  private constructor(
    readonly plan: ExistingClusterPlan,
    readonly lab: PacketLab,
  ) {
    this.expectation = new Expectation(plan);
    this.ports = interestingPorts(plan);
  }

  static async start(plan: ExistingClusterPlan, protect?: Protect): Promise<Life> {
    const life = new Life(plan, await PacketLab.create(plan, protect));
    await life.listen([...plan.nodes, ...life.lab.parties].map(({ name }) => name));
    return life;
  }

  async listen(names: readonly string[], ports = this.ports): Promise<void> {
    await Promise.all(names.map((name) => this.lab.namespace(name).listen({ tcp: ports, udp: ports })));
  }

  /** Ports that anything but the overlay may listen on. */
  get free(): number[] {
    const { port: overlay } = overlayFacts(this.lab);
    return this.ports.filter((port) => port !== overlay);
  }

  /** A few of those: what the plan opens first, and some spread over all of them. */
  get few(): number[] {
    const opened = this.plan.flows.map(({ ports }) => (ports === "all" ? 0 : ports.from));
    return this.free.filter((port, index) => opened.includes(port) || index % 7 === 0);
  }

  /** The host whose external interface the most is open on. */
  get front(): string {
    const { rules, nodes } = this.plan;
    const open = (name: string): number => {
      const node = nodes.find((each) => each.name === name)!;
      const groups = node.interfaces.flatMap((at) => at.groups);
      return rules.filter((rule) => rule.direction === "ingress" && groups.includes(rule.group)).length;
    };
    return nodes.map(({ name }) => name).sort((a, b) => open(b) - open(a))[0]!;
  }
}
