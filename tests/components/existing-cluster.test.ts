/** A cluster on hosts that were there before, as the engine sees it: both committed stacks, and what they do not have. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { ExistingCluster } from "../../components/existing-cluster";
import { clusterSecrets } from "../../components/secrets";
import { createPlan } from "../../plan";
import type { ExistingClusterPlan } from "../../plan/types";
import { flattenConfig, loadStack } from "../../spec/load";
import {
  HOST_SECRETS,
  allDependencies,
  record,
  valueOf,
  type Declared,
  type Recording,
  type RecordOptions,
} from "../support/mocks";
import { existingSpecOf, host, publicKey, segregatedHost, type Settings } from "../support/stacks";

const COMMAND = "command:remote:Command";
const COPY = "command:remote:CopyToRemote";
const SECRETS = { privateKey: "NODE-KEY", bastionPrivateKey: "BASTION-KEY", bgpPasswords: { router: "BGP-PASSWORD" } };
const script = (name: string): string => readFileSync(join(__dirname, "../../components/scripts", name), "utf8");

function committed(stack: string): ExistingClusterPlan {
  const file = readFileSync(join(__dirname, `../../stacks/Pulumi.${stack}.yaml`), "utf8");
  const { config } = parse(file) as { config: Record<string, unknown> };
  const { spec } = loadStack(stack, flattenConfig(config));
  if (spec.target !== "existing") throw new Error(`${stack} is not a stack of target existing`);
  return createPlan(spec);
}

const planOf = (settings: Settings = {}): ExistingClusterPlan => createPlan(existingSpecOf(settings));

async function build(plan: ExistingClusterPlan, options?: RecordOptions): Promise<Recording<ExistingCluster>> {
  return await record(() => new ExistingCluster("k3s", { plan, secrets: clusterSecrets(SECRETS) }), options);
}

/** Three servers and two agents, each with two interfaces; the backplane's by name. */
const ha = (over: Settings = {}): Settings => ({
  layout: "segregated",
  nodes: [
    ...[1, 2, 3].map((ordinal) => segregatedHost("server", ordinal)),
    ...[1, 2].map((ordinal) => ({ ...host("agent", ordinal), backplane: { interface: "eth1" } })),
  ],
  ...over,
});
const HA_NODES = ["server-1", "server-2", "server-3", "agent-1", "agent-2"];

/** Everything that a resource depends on, however far, as `NODE-STEP`. */
function allSteps(recording: Recording<unknown>, of: Declared): Set<string> {
  return new Set([...allDependencies(recording, of)].map((key) => key.replace(/^\S+ k3s-/, "")));
}

/** The direct dependencies that are commands or copies, as `NODE-STEP`. */
const direct = ({ dependencies }: Declared): string[] =>
  dependencies.filter((key) => key.startsWith("command:")).map((key) => key.replace(/^\S+ k3s-/, ""));

const steps = (nodes: readonly string[], ...names: string[]): string[] =>
  nodes.flatMap((node) => names.map((step) => `k3s-${node}-${step}`));
const ALL_STEPS = ["check", "removal", "firewall", "confirm", "install", "member"];

describe("the committed stacks, resource for resource", () => {
  const nodes = {
    "edge-existing-shared": ["server-1", "server-2", "server-3", "edge-1", "edge-2"],
    "onprem-segregated": ["server-1", "server-2", "server-3", "worker-1", "worker-2", "worker-3"],
  };

  test("edge-existing-shared: six steps a host, formation, kubeconfig, and manifests over SSH", async () => {
    const plan = committed("edge-existing-shared");
    const { resources, names } = await build(plan);
    const own = names(COMMAND).filter((name) => !name.startsWith("k3s-manifest-"));
    expect(own.sort()).toEqual(
      [...steps(nodes["edge-existing-shared"], ...ALL_STEPS), "k3s-checked", "k3s-bootstrap", "k3s-kubeconfig"].sort(),
    );
    expect(
      names(COMMAND)
        .filter((name) => name.startsWith("k3s-manifest-"))
        .sort(),
    ).toEqual(["k3s-manifest-traefik-config", "k3s-manifest-traefik-config-removal"]);
    expect(new Set(resources.map(({ type }) => type))).toEqual(
      new Set([
        "k3s-networking:index:ExistingCluster",
        "k3s-networking:existing:HostNode",
        "k3s-networking:k3s:ManifestDelivery",
        COMMAND,
      ]),
    );
  });

  test("onprem-segregated: the same, and the API's objects by the kubeconfig", async () => {
    const plan = committed("onprem-segregated");
    const { resources, names, get } = await build(plan);
    expect(names(COMMAND).sort()).toEqual(
      [...steps(nodes["onprem-segregated"], ...ALL_STEPS), "k3s-checked", "k3s-bootstrap", "k3s-kubeconfig"].sort(),
    );
    expect(resources.filter(({ type }) => type.startsWith("kubernetes:")).map(({ name }) => name)).toEqual(
      plan.delivery.steps.map(({ key }) => `k3s-${key}`),
    );
    const provider = get("pulumi:providers:kubernetes", "k3s");
    expect(provider.inputs).toEqual({
      kubeconfig: { secret: HOST_SECRETS.kubeconfig },
      clusterIdentifier: "onprem-segregated",
    });
    expect(direct(provider)).toEqual(
      expect.arrayContaining(nodes["onprem-segregated"].map((node) => `${node}-install`)),
    );
  });

  test.each(Object.keys(nodes))("%s: a preview declares the same resources, all below the cluster", async (stack) => {
    const keys = ({ resources }: Recording<unknown>): string[] =>
      resources.map(({ type, name }) => `${type} ${name}`).sort();
    const [real, preview] = [await build(committed(stack)), await build(committed(stack), { preview: true })];
    expect(keys(preview)).toEqual(keys(real));
    expect(real.resources.filter(({ parent }) => parent === undefined).map(({ name }) => name)).toEqual(["k3s"]);
  });

  test("what a preview knows: the check to the letter; the firewall too where every address is given", async () => {
    const shared = await build(committed("edge-existing-shared"), { preview: true });
    const stdin = (recording: Recording<unknown>, name: string): unknown =>
      recording.get(COMMAND, name).inputs["stdin"];
    expect(stdin(shared, "k3s-edge-1-firewall")).toContain("192.0.2.11");
    const segregated = await build(committed("onprem-segregated"), { preview: true });
    expect(stdin(segregated, "k3s-worker-1-check")).toContain(
      "network=external - eno1\nnetwork=backplane 10.20.0.21 -\n",
    );
  });
});

describe("the commands of a host, to the letter", () => {
  const connection = (last: number, letter: string): unknown => ({
    secret: {
      host: `10.1.0.${last}`,
      user: "ops",
      port: 22,
      privateKey: "NODE-KEY",
      hostKey: publicKey(letter),
      dialErrorLimit: 30,
      perDialTimeout: 10,
    },
  });
  const sum = (text: string): string => createHash("sha256").update(text).digest("hex");

  test("an agent's", async () => {
    const plan = planOf(ha());
    const { get } = await build(plan);
    const common = { connection: connection(101, "B"), addPreviousOutputInEnv: false };
    const document = plan.nodes.find(({ name }) => name === "agent-1")!;
    expect(get(COMMAND, "k3s-agent-1-check").inputs).toEqual({
      ...common,
      create: script("check.sh"),
      stdin: document.checkDocument,
    });
    expect(get(COMMAND, "k3s-agent-1-removal").inputs).toEqual({
      ...common,
      delete: script("removal.sh"),
      stdin: "stack=test\nnode=agent-1\nrole=agent\n",
    });
    const { stdin: firewall, ...rest } = get(COMMAND, "k3s-agent-1-firewall").inputs;
    expect(rest).toEqual({ ...common, create: script("firewall.sh") });
    expect(firewall).toContain("10.20.0.11");
    expect(firewall).toContain("k3s-agent-2.backplane");
    expect(get(COMMAND, "k3s-agent-1-confirm").inputs).toEqual({
      ...common,
      create: script("confirm-firewall.sh"),
      stdin: `node=agent-1\nfirewall=${sum(String(firewall))}\n`,
    });
    const { stdin, ...install } = get(COMMAND, "k3s-agent-1-install").inputs;
    expect(install).toEqual({ ...common, create: script("converge.sh") });
    const { secret } = stdin as { secret: string };
    const lines = secret.split("\n");
    expect(lines.slice(0, 4)).toEqual([
      `token=${HOST_SECRETS.agent}`,
      "stack=test",
      "version=v1.36.5+k3s1",
      "node=agent-1",
    ]);
    expect(lines).toContain("node-ip=k3s-agent-1.backplane");
    expect(lines).toContain("join=10.20.0.11 10.20.0.12 10.20.0.13");
    expect(get(COMMAND, "k3s-agent-1-member").inputs).toEqual({
      ...common,
      connection: connection(11, "b"),
      delete: script("leave.sh"),
      stdin: "node=agent-1\n",
    });
  });

  test("a server gets the server token and the agents' password", async () => {
    const { get } = await build(planOf(ha()));
    const { secret } = get(COMMAND, "k3s-server-2-install").inputs["stdin"] as { secret: string };
    expect(secret.split("\n").slice(0, 3)).toEqual([
      `token=${HOST_SECRETS.server}`,
      `agent-token=${HOST_SECRETS.agentPassword}`,
      "stack=test",
    ]);
  });

  test("the cluster is formed once, on the first server, and nothing makes it run again", async () => {
    const { get } = await build(planOf(ha()));
    const bootstrap = get(COMMAND, "k3s-bootstrap");
    expect(bootstrap.parent).toBe("k3s");
    expect(Object.keys(bootstrap.inputs).filter((key) => !bootstrap.options.ignoreChanges?.includes(key))).toEqual([]);
    const { secret } = get(COMMAND, "k3s-server-1-install").inputs["stdin"] as { secret: string };
    expect(bootstrap.inputs["stdin"]).toBe(`step=bootstrap\n${secret.split("\n").slice(2).join("\n")}`);
    expect([bootstrap.inputs["logging"], bootstrap.options.additionalSecretOutputs?.slice(0, 2)]).toEqual([
      "none",
      ["stdout", "stderr"],
    ]);
  });

  test("every connection is to the host's own port and key, by the bastion where there is one", async () => {
    const bastion = { host: "bastion.example.org", user: "jump", hostKey: publicKey("z"), cidr: "10.9.0.0/24" };
    const { resources } = await build(
      planOf({
        access: { ssh: { bastion } },
        nodes: [
          host("server", 1, { port: 2222, address: "node.example.org", external: { address: "10.1.0.11" } }),
          host("agent", 1),
        ],
      }),
    );
    for (const { name, inputs } of resources.filter(({ type }) => type.startsWith("command:"))) {
      const { secret } = inputs["connection"] as { secret: Record<string, unknown> };
      const atAgent = name.startsWith("k3s-agent-1") && !name.endsWith("-member");
      expect([name, secret["host"], secret["port"], secret["hostKey"], secret["proxy"]]).toEqual([
        name,
        ...(atAgent ? ["10.1.0.101", 22, publicKey("B")] : ["node.example.org", 2222, publicKey("b")]),
        expect.objectContaining({ host: "bastion.example.org", hostKey: bastion.hostKey, privateKey: "BASTION-KEY" }),
      ]);
    }
  });

  test("no trigger, so that nothing replaces what does something on deletion; no environment", async () => {
    const { resources } = await build(planOf(ha({ delivery: "manifests" })));
    for (const { name, inputs, options } of resources.filter(({ type }) => type.startsWith("command:"))) {
      expect([name, inputs["triggers"], inputs["environment"], options.deleteBeforeReplace]).toEqual([
        name,
        undefined,
        undefined,
        undefined,
      ]);
      // What does something on deletion does nothing else.
      if ("delete" in inputs) expect([name, inputs["create"]]).toEqual([name, undefined]);
    }
  });
});

describe("order", () => {
  test("everything of every host waits for all checks, which wait for nothing", async () => {
    const recording = await build(planOf(ha()));
    const checks = HA_NODES.map((node) => `${node}-check`);
    for (const resource of recording.resources.filter(({ type }) => type.startsWith("command:"))) {
      const before = allSteps(recording, resource);
      if (resource.name.endsWith("-check")) expect([resource.name, ...before]).toEqual([resource.name]);
      else expect([resource.name, checks.filter((check) => !before.has(check))]).toEqual([resource.name, []]);
    }
  });

  test("servers one after another, firewall and all; agents after the servers, not after each other", async () => {
    const recording = await build(planOf(ha()));
    const command = (name: string): Declared => recording.get(COMMAND, `k3s-${name}`);
    // Without the checks that found addresses in a document.
    const before = (name: string): string[] => direct(command(name)).filter((key) => !key.endsWith("-check"));
    expect(direct(command("checked"))).toEqual(HA_NODES.map((node) => `${node}-check`).sort());
    for (const node of HA_NODES) expect(direct(command(`${node}-removal`))).toEqual(["checked"]);
    expect(before("server-1-firewall")).toEqual(["server-1-removal"]);
    expect(before("server-1-confirm")).toEqual(["server-1-firewall", "server-1-removal"]);
    expect(before("bootstrap")).toEqual(["server-1-confirm", "server-1-firewall", "server-1-removal"]);
    expect(before("server-2-firewall")).toEqual(["server-1-install", "server-2-removal"]);
    expect(before("server-3-firewall")).toEqual(["server-2-install", "server-3-removal"]);
    for (const agent of ["agent-1", "agent-2"]) {
      const all = allSteps(recording, command(`${agent}-firewall`));
      expect(all.has("server-3-install")).toBe(true);
      expect([...all].filter((key) => key.startsWith("agent") && !key.endsWith("-check"))).toEqual([
        `${agent}-removal`,
      ]);
      // Its confirmation waits for no other node: the host would take the firewall back meanwhile.
      expect(before(`${agent}-confirm`)).toEqual([`${agent}-firewall`, `${agent}-removal`, "server-3-install"]);
      expect(direct(command(`${agent}-install`))).toContain(`${agent}-confirm`);
    }
  });

  test("a host's end: drained and out of the cluster before it is undone, and the first server last", async () => {
    const recording = await build(planOf(ha()));
    const command = (name: string): Declared => recording.get(COMMAND, `k3s-${name}`);
    for (const node of HA_NODES) {
      const before = allSteps(recording, command(`${node}-member`));
      expect([node, before.has(`${node}-removal`), before.has(`${node}-install`)]).toEqual([node, true, true]);
    }
    expect(direct(command("server-1-member"))).toEqual(["server-1-install", "server-2-install"]);
    for (const node of HA_NODES.slice(1)) {
      expect(direct(command(`${node}-member`))).toEqual(
        expect.arrayContaining([`${node}-install`, "server-1-install", "server-1-member"]),
      );
      // The first server keeps K3s until all others have left: its removal is below everything of theirs.
      expect(allSteps(recording, command(`${node}-firewall`)).has("server-1-removal")).toBe(true);
    }
  });

  test("one server alone: its data is guarded", async () => {
    const { names, get } = await build(planOf());
    expect(
      names(COMMAND)
        .filter((name) => !name.startsWith("k3s-manifest"))
        .sort(),
    ).toEqual([...steps(["server-1"], ...ALL_STEPS), "k3s-checked", "k3s-bootstrap", "k3s-kubeconfig"].sort());
    expect(get(COMMAND, "k3s-server-1-member").inputs).toMatchObject({
      delete: script("keep-last.sh"),
      connection: get(COMMAND, "k3s-server-1-check").inputs["connection"],
    });
  });

  test("manifests go to the first server after all servers, and anew where that host is set up anew", async () => {
    const { get } = await build(planOf(ha({ delivery: "manifests" })));
    const apply = get(COMMAND, "k3s-manifest-traefik-config");
    expect(direct(apply)).toEqual(["server-1-install", "server-2-install", "server-3-install"]);
    expect(apply.inputs["stdin"]).toContain(`\ninstance=${publicKey("b")}\n\n`);
    const removal = get(COMMAND, "k3s-manifest-traefik-config-removal");
    expect(removal.inputs["connection"]).toEqual(apply.inputs["connection"]);
  });
});

test("without a firewall of the program's: none is put there, and one that is there goes", async () => {
  const { names, get } = await build(planOf(ha({ hostFirewall: "none" })));
  expect(names(COMMAND).filter((name) => name.endsWith("-firewall") || name.endsWith("-confirm"))).toEqual([]);
  expect(direct(get(COMMAND, "k3s-agent-1-install"))).toEqual(
    expect.arrayContaining(["agent-1-removal", "server-3-install"]),
  );
  const { secret } = get(COMMAND, "k3s-agent-1-install").inputs["stdin"] as { secret: string };
  expect(secret).toContain("\nfirewall=none\n");
});

describe("a host that is gone for good", () => {
  const lost = "agent-1";
  const nodes = (ha()["nodes"] as Settings[]).map((node) => (node["name"] === lost ? { ...node, lost: true } : node));

  test("nothing changes on it any more, and nothing is taken away from it", async () => {
    const { resources } = await build(planOf(ha({ nodes })));
    for (const { name, inputs, options } of resources.filter(({ type }) => type === COMMAND)) {
      const kept = Object.keys(inputs).filter((key) => !options.ignoreChanges?.includes(key));
      const still = name.startsWith(`k3s-${lost}-`) && !name.endsWith("-member");
      if (still) expect([name, kept]).toEqual([name, []]);
      else if (name !== "k3s-bootstrap") expect([name, options.ignoreChanges]).toEqual([name, undefined]);
      expect([name, options.retainOnDelete ?? false]).toEqual([name, name === `k3s-${lost}-removal`]);
    }
  });
});

describe("without the internet", () => {
  const sha256 = "a".repeat(64);
  const files = {
    binary: { path: "artefacts/k3s", sha256 },
    images: { url: "https://mirror.internal/images.tar.zst", sha256 },
  };
  const airGap = { installScript: { path: "/srv/install.sh", sha256 }, amd64: files };

  test("files of the operator's are copied to every host before its installation; those of a mirror are not", async () => {
    const plan = planOf(ha({ k3s: { airGap } }));
    const recording = await build(plan);
    const { get, names } = recording;
    expect(names(COPY).sort()).toEqual(steps(HA_NODES, "artefact-binary", "artefact-install-script").sort());
    const copy = get(COPY, "k3s-agent-1-artefact-binary");
    expect(copy.inputs).toEqual({
      connection: get(COMMAND, "k3s-agent-1-check").inputs["connection"],
      source: expect.objectContaining({ path: "artefacts/k3s" }) as unknown,
      remotePath: "k3s-networking-aaaaaaaaaaaa-binary",
    });
    expect(direct(copy)).toEqual(["checked"]);
    expect(direct(get(COMMAND, "k3s-agent-1-install"))).toEqual(
      expect.arrayContaining(["agent-1-artefact-binary", "agent-1-artefact-install-script"]),
    );
    expect(allSteps(recording, get(COMMAND, "k3s-bootstrap")).has("server-1-artefact-binary")).toBe(true);
  });
});

describe("secrets", () => {
  const withoutSecrets = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(withoutSecrets);
    if (typeof value !== "object" || value === null) return value;
    if ("secret" in value) return "(secret)";
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner)]));
  };

  test.each(["api", "manifests"])("none stands in plain in any input, delivery %s", async (delivery) => {
    const { resources } = await build(planOf(ha({ delivery })));
    const plain = JSON.stringify(resources.map(({ inputs }) => withoutSecrets(inputs)));
    const all = JSON.stringify(resources.map(({ inputs }) => inputs));
    for (const secret of ["NODE-KEY", "SERVER-PASSWORD", "AGENT-PASSWORD"]) {
      expect([secret, all.includes(secret), plain.includes(secret)]).toEqual([secret, true, false]);
    }
  });

  test("only installations are given tokens; what checks, filters and removes is plain, for a reviewer to read", async () => {
    const { resources } = await build(planOf(ha()));
    for (const { name, inputs } of resources.filter(({ type }) => type === COMMAND)) {
      const secret = typeof (inputs["stdin"] ?? "") !== "string";
      expect([name, secret]).toEqual([name, name.endsWith("-install")]);
    }
  });

  test("the kubeconfig is a secret output", async () => {
    const { result } = await build(planOf());
    expect(await valueOf(result.kubeconfig)).toBe(HOST_SECRETS.kubeconfig);
    expect(await pulumi.isSecret(result.kubeconfig)).toBe(true);
  });
});

test("addresses by node: the stack's, or those that the check found", async () => {
  const { result } = await build(planOf(ha()));
  expect(Object.keys(result.nodes)).toEqual(HA_NODES);
  const [server, agent] = [result.nodes["server-1"]!, result.nodes["agent-1"]!];
  expect(await valueOf(server.clusterAddress)).toBe("10.20.0.11");
  expect(await valueOf(server.externalAddress!)).toBe("10.1.0.11");
  expect([agent.role, await valueOf(agent.clusterAddress)]).toEqual(["agent", "k3s-agent-1.backplane"]);
  expect(await valueOf(result.apiUrl)).toBe("https://10.1.0.11:6443");
  const shared = await build(planOf());
  expect(shared.result.nodes["server-1"]).not.toHaveProperty("externalAddress");
});
