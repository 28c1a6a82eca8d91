/**
 * The life of a small cluster with other layers than K3s's own: one server and one agent, built, left alone, changed, and taken away without
 * a trace. Every object is held against the API, and the order in which things come against the cluster's own events.
 */
import { fixedChanges } from "../../plan/fixed";
import type { ClusterPlan } from "../../plan/types";
import { isError } from "../../spec/problems";
import { withFragments } from "../support/fragments";
import { brief, succeeded, type EngineResult } from "./harness/engine";
import { ownTable } from "./harness/host-firewall";
import { nodesThatStarted } from "./harness/order";
import { setSetting, setting, type Config } from "./harness/project";
import { step } from "./harness/steps";
import { World } from "./harness/world";

/** A life. */
export interface LayersLife {
  /** A committed stack. */
  readonly stack: string;
  /** The hosts of it that are left: a server and an agent. Left out: all. */
  readonly hosts?: readonly string[];
  readonly delivery: "api" | "manifests";
  /** Examples of the layers' pages that it has from the start. */
  readonly fragments: readonly string[];
  /** Further settings, where two examples say different things. */
  readonly settings?: Config;
  /** What stays in the API in the end: a CNI goes with its cluster, whose store is the lab's here and outlives the hosts. */
  readonly stays: readonly string[];
  /** Examples that come later, one update each, with what goes with each. */
  readonly changes: readonly {
    readonly title: string;
    readonly fragments: readonly string[];
    readonly settings?: Config;
    /** Of a change that leaves K3s as it is: what the host firewalls let in from then on, and what no longer, by the ports' titles. */
    readonly firewall?: { readonly opened: readonly string[]; readonly closed: readonly string[] };
  }[];
}

function replaceSettings(config: Config, settings: Config = {}): void {
  for (const [key, value] of Object.entries(settings)) {
    if (value === null) Reflect.deleteProperty(config, `k3s-networking:${key}`);
    else setSetting(config, key, value);
  }
}

/** Puts examples into a stack file's settings. */
function applyFragments(config: Config, names: readonly string[], settings?: Config): void {
  const merged = withFragments(config, names);
  for (const key of Object.keys(config)) if (!(key in merged)) Reflect.deleteProperty(config, key);
  Object.assign(config, merged);
  replaceSettings(config, settings);
}

/** Charts of a plan by their releases' names, the CNI's apart. */
function releasesOf({ delivery }: ClusterPlan): { readonly cni: string[]; readonly others: string[] } {
  const releases = delivery.steps.flatMap((one) => (one.kind === "helmRelease" ? [one.release] : []));
  const names = (bootstrap: boolean): string[] =>
    releases.filter((release) => (release.bootstrap ?? false) === bootstrap).map(({ name }) => name);
  return { cni: names(true), others: names(false) };
}

/** Declares the steps of a life. */
export function describeLayers(life: LayersLife): void {
  let world: World;
  beforeAll(async () => {
    world = await World.create({
      stack: life.stack,
      edit: (config) => {
        const nodes = setting<{ name: string }[]>(config, "nodes");
        const { hosts } = life;
        const left = hosts === undefined ? nodes : nodes.filter(({ name }) => hosts.includes(name));
        setSetting(config, "nodes", left);
        setSetting(config, "delivery", life.delivery);
        applyFragments(config, life.fragments, life.settings);
      },
    });
  });
  afterAll(async () => {
    await world.stop();
  });

  const nodeNames = (): string[] =>
    world
      .plan()
      .nodes.map(({ name }) => name)
      .sort();
  const up = async (): Promise<EngineResult> => succeeded(await world.engine.up());

  const inPlace = async (): Promise<void> => {
    expect(await world.cluster.differences(world.plan())).toEqual([]);
    const states = Object.entries(await world.cluster.nodes()).map(([name, { ready }]) => [name, ready]);
    expect(states.sort()).toEqual(nodeNames().map((name) => [name, "True"]));
  };

  step("the preview without credentials declares what the engine's own preview declares", async () => {
    const { review, engine } = await world.previews();
    expect(engine).toEqual(review);
  });

  step("up: nodes get ready once the CNI is there, and then come the others", async () => {
    const mark = world.events().length;
    const result = await up();
    expect(result.steps.every(({ op }) => op === "create")).toBe(true);
    await inPlace();
    const { cni, others } = releasesOf(world.plan());
    expect(cni.length).toBeGreaterThan(0);
    const events = world.events().slice(mark);
    const ready = events.filter(({ event, status }) => event === "node-ready" && status === "True");
    expect(ready.map(({ node }) => node).sort()).toEqual(nodeNames());
    if (life.delivery === "manifests") {
      const charts = events.flatMap(({ event, name }) => (event === "chart" ? [String(name)] : []));
      expect(charts.filter((name) => cni.includes(name))).toEqual(cni);
      const first = events.findIndex(({ event }) => event === "node-ready");
      const early = events.slice(0, first).flatMap(({ event, name }) => (event === "chart" ? [String(name)] : []));
      expect(early.filter((name) => !cni.includes(name))).toEqual([]);
      expect(others.filter((name) => !charts.includes(name))).toEqual([]);
    }
  });

  step("a second up changes nothing", async () => {
    expect(brief(await up())).toEqual([]);
  });

  step("a refresh finds nothing changed", async () => {
    expect(brief(succeeded(await world.engine.refresh()))).toEqual([]);
  });

  step("a node that reboots is ready again, with the CNI that it has", async () => {
    const name = world.plan().k3s.agents[0] ?? "";
    const since = Date.now();
    await world.host(name).reboot();
    await world.lab.events.wait(({ event, node }) => event === "ready" && node === name, { since });
    await inPlace();
    expect(brief(await up())).toEqual([]);
  });

  /** Those of these ports that a host's firewall lets in. */
  const letIn = async (titles: readonly string[]): Promise<string[]> => {
    const tables = await Promise.all(nodeNames().map((name) => ownTable(world.host(name))));
    return titles.filter((title) => tables.some((table) => table.includes(`"${title}"`)));
  };

  for (const { title, fragments, settings, firewall } of life.changes) {
    step(title, async () => {
      const mark = world.events().length;
      const before = world.plan();
      world.project.edit((config) => {
        applyFragments(config, fragments, settings);
      });
      const interrupted = fixedChanges(before.fixed, world.plan());
      const result = await up();
      await inPlace();
      expect(interrupted.filter(isError)).toEqual([]);
      for (const { path } of interrupted) expect(result.output).toContain(`${path}: changes (`);
      if (firewall !== undefined) {
        expect(nodesThatStarted(world.events().slice(mark))).toEqual([]);
        expect(await letIn([...firewall.opened, ...firewall.closed])).toEqual(firewall.opened);
      }
      expect(
        world
          .events()
          .slice(mark)
          .filter(({ event }) => event === "second-cluster"),
      ).toEqual([]);
      expect(brief(await up())).toEqual([]);
    });
  }

  step("no secret stands in plain, and no file is loose", async () => {
    expect(await world.looseFiles()).toEqual([]);
    expect(await world.secretsInPlain()).toEqual([]);
  });

  step("destroy leaves nothing: machines are as they were or gone, and the cluster has its CNI alone", async () => {
    succeeded(await world.engine.destroy());
    expect(await world.leftovers()).toEqual(life.stays);
  });
}
