/** The policy pack on the real engine: on the program as it is, on the program with something added, and on a program of somebody else. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { stringify } from "yaml";
import { CHECKS } from "../../policy/checks/index";
import { Account } from "./harness/account";
import { brief, succeeded, type Engine } from "./harness/engine";
import { keyPair } from "./harness/keys";
import { ownEngine, ownTools } from "./harness/own-engine";
import { run } from "./harness/process";
import { Project, ROOT, setSetting, setting, type Config } from "./harness/project";
import { step } from "./harness/steps";
import { IMAGES } from "./lab/moto";

const STACK = "dev-shared";
const OWN = "own";
const PACK = path.join(ROOT, "policy");
const NAMES = CHECKS.map(({ name }) => name);

let folder: string;
let account: Account;
let project: Project;
let engine: Engine;
let own: Engine;
let baseline: readonly string[];

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "k3s-engine-policy-"));
  project = new Project(path.join(folder, "project"), STACK);
  // The namespace has nothing yet, and the API listens on loopback.
  await run("ip", ["link", "set", "lo", "up"]);
  account = await Account.open(ownTools().python, String(project.config()["aws:region"]));
  baseline = await account.contents();
  const { publicKey } = await keyPair(folder, "operator-key", "operator");
  project.edit((config) => {
    const access = setting<{ ssh: Config }>(config, "access");
    setSetting(config, "access", { ...access, ssh: { ...access.ssh, publicKey } });
  });
  engine = await engineOn(project.folder, STACK);
  own = await engineOn(ownFolder(), OWN);
});

afterAll(async () => {
  await account.close();
  if (process.env["ENGINE_TEST_KEEP"] === undefined) rmSync(folder, { recursive: true, force: true });
});

async function engineOn(program: string, stack: string): Promise<Engine> {
  const home = path.join(folder, `engine-${stack}`);
  mkdirSync(home);
  const made = ownEngine(home, { folder: program, stack }, ownTools(), account);
  await made.must(["stack", "init", stack]);
  return made;
}

/** A program that knows nothing of this one, in plain JavaScript. */
function ownFolder(): string {
  const at = path.join(folder, OWN);
  mkdirSync(path.join(at, "tools"), { recursive: true });
  // The engine's environment here names it for every program.
  writeFileSync(path.join(at, "tools/tsconfig.pulumi.json"), "{}");
  symlinkSync(path.join(ROOT, "node_modules"), path.join(at, "node_modules"));
  writeFileSync(
    path.join(at, "Pulumi.yaml"),
    stringify({ name: OWN, runtime: { name: "nodejs", options: { typescript: false } } }),
  );
  writeFileSync(path.join(at, "package.json"), JSON.stringify({ name: OWN, main: "index.js" }));
  writeFileSync(
    path.join(at, `Pulumi.${OWN}.yaml`),
    stringify({
      config: {
        "aws:region": String(project.config()["aws:region"]),
        "k3s-networking-policy:settings": {
          component: "own:Groups",
          groups: [{ name: "nodes", peer: "anyNode" }],
          admin: ["203.0.113.0/24"],
        },
      },
    }),
  );
  return at;
}

/** What every form of that program begins with. */
const BEGINNING = `"use strict";
const aws = require("@pulumi/aws");
const pulumi = require("@pulumi/pulumi");
class Groups extends pulumi.ComponentResource {
  constructor(name, vpcId) {
    super("own:Groups", name);
    this.nodes = new aws.ec2.SecurityGroup("nodes", { vpcId }, { parent: this });
  }
}
const vpc = new aws.ec2.Vpc("vpc", { cidrBlock: "10.30.0.0/16" });
const subnet = new aws.ec2.Subnet("subnet", { vpcId: vpc.id, cidrBlock: "10.30.0.0/24" });
const groups = new Groups("groups", vpc.id);
const { nodes } = groups;
const rule = (name, from, to, protocol, peer, parent = groups) =>
  new aws.vpc.SecurityGroupIngressRule(
    name,
    { securityGroupId: nodes.id, ipProtocol: protocol, fromPort: from, toPort: to, ...peer },
    { parent },
  );
const face = new aws.ec2.NetworkInterface("face", { subnetId: subnet.id, securityGroups: [nodes.id] });
const machine = (options) =>
  new aws.ec2.Instance("machine", {
    ami: "${IMAGES.amd64.current}",
    instanceType: "t3.medium",
    primaryNetworkInterface: { networkInterfaceId: face.id },
    ...options,
  });
const self = { referencedSecurityGroupId: nodes.id };
`;

const SOUND = `
new aws.ec2.DefaultSecurityGroup("default", { vpcId: vpc.id, ingress: [], egress: [] });
rule("kubelet-from-nodes", 10250, 10250, "tcp", self);
rule("vxlan-from-nodes", 8472, 8472, "udp", self);
rule("api-from-nodes", 6443, 6443, "tcp", self);
rule("api-from-operators", 6443, 6443, "tcp", { cidrIpv4: "203.0.113.0/24" });
machine({ metadataOptions: { httpTokens: "required" }, rootBlockDevice: { encrypted: true, volumeSize: 20, volumeType: "gp3" } });
`;

/** Each mistake is one policy's, or two's. */
const UNSOUND = `
const address = new aws.ec2.Eip("address", { domain: "vpc" });
rule("kubelet-0", 10250, 10250, "tcp", { cidrIpv6: "::/0" });
rule("vxlan", 8472, 8472, "udp", { cidrIpv4: "10.0.0.0/8" });
rule("ssh", 22, 22, "tcp", { cidrIpv4: "0.0.0.0/0" });
rule("https", 443, 443, "tcp", { cidrIpv4: pulumi.interpolate\`\${address.publicIp}/32\` });
rule("https-by-hand", 443, 443, "tcp", { cidrIpv4: "0.0.0.0/0" }, vpc);
machine({});
`
  .replaceAll("\\`", "`")
  .replaceAll("\\$", "$");

/** A rule that says by itself that it must not be. */
const OPEN = `
new aws.ec2.DefaultSecurityGroup("default", { vpcId: vpc.id, ingress: [], egress: [] });
rule("vxlan", 8472, 8472, "udp", { cidrIpv4: "0.0.0.0/0" });
`;

function write(program: string): void {
  writeFileSync(path.join(folder, OWN, "index.js"), `${BEGINNING}${program}`);
}

/** The policies that the engine says are broken, sorted. */
function broken({ output }: { readonly output: string }): string[] {
  const said = [...output.matchAll(/\[mandatory\]\s+(?:\[[a-z]+\]\s+)?([a-z0-9-]+)/gu)].map(([, name = ""]) => name);
  return [...new Set(said)].sort();
}

/** Changes a file of the program's copy. */
function change(file: string, from: string, to: string): void {
  const at = path.join(project.folder, file);
  const text = readFileSync(at, "utf8");
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  writeFileSync(at, text.replace(from, to));
}

step("the program as it is breaks no policy", async () => {
  const result = succeeded(await engine.preview(["--policy-pack", "policy"]));
  expect(result.output).toMatch(/k3s-networking\|local\|policy/u);
  expect(broken(result)).toEqual([]);
  expect(result.steps.length).toBeGreaterThan(40);
});

step(
  "an update of the program with a rule by hand, and machines less careful, is stopped before anything is made",
  async () => {
    change(
      "components/k3s-cluster.ts",
      "    this.registerOutputs({ apiUrl",
      `    new aws.vpc.SecurityGroupIngressRule("by-hand", {
      securityGroupId: this.groups.groupId("shared-node"),
      ipProtocol: "tcp",
      fromPort: 10250,
      toPort: 10250,
      cidrIpv4: "0.0.0.0/0",
    });
    this.registerOutputs({ apiUrl`,
    );
    change(
      "components/k3s-cluster.ts",
      "import * as pulumi",
      'import * as aws from "@pulumi/aws";\nimport * as pulumi',
    );
    change("components/node.ts", 'httpTokens: "required"', 'httpTokens: "optional"');
    change("components/node.ts", "encrypted: true", "encrypted: false");
    const result = await engine.cli(["up", "--yes", "-s", STACK, "--policy-pack", "policy"]);
    expect(result.code).not.toBe(0);
    expect(broken(result)).toEqual(["catalogue-ports", "encrypted-disks", "imdsv2", "internal-ports", "managed-rules"]);
    expect(result.output).toContain("10250");
    expect(await account.contents()).toEqual(baseline);
    expect(await engine.exported()).toEqual([]);
  },
);

step("a program of somebody else with every mistake is told of each", async () => {
  write(UNSOUND);
  const result = await own.preview(["--policy-pack", PACK]);
  expect(result.code).not.toBe(0);
  expect(broken(result)).toEqual([...NAMES].sort());
});

step("without a preview, what says by itself that it must not be is not made", async () => {
  write(OPEN);
  const result = await own.up(["--policy-pack", PACK]);
  expect(result.code).not.toBe(0);
  expect(broken(result)).toEqual(["flannel-vxlan"]);
  expect(brief(result).filter((line) => line.includes("vxlan"))).toEqual([]);
});

step("that program without mistakes is made, and breaks no policy once its ids are known", async () => {
  write(SOUND);
  succeeded(await own.up(["--policy-pack", PACK]));
  // Now the group's own answer has the rules that are resources of their own.
  succeeded(await own.refresh());
  const result = succeeded(await own.preview(["--policy-pack", PACK]));
  expect(broken(result)).toEqual([]);
  expect(brief(result)).toEqual([]);
});

step("the pack's own configuration lies over the stack's", async () => {
  const file = path.join(folder, "pack.json");
  writeFileSync(file, JSON.stringify({ "administration-ports": { admin: ["198.51.100.0/24"] }, imdsv2: "advisory" }));
  const result = await own.preview(["--policy-pack", PACK, "--policy-pack-config", file]);
  expect(result.code).not.toBe(0);
  expect(broken(result)).toEqual(["administration-ports"]);
});
