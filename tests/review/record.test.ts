/** The recording monitor, on small programs of real AWS resources. */
import * as pulumi from "@pulumi/pulumi";
import { Eip } from "@pulumi/aws/ec2/eip";
import { Instance } from "@pulumi/aws/ec2/instance";
import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup";
import { Vpc } from "@pulumi/aws/ec2/vpc";
import { Provider } from "@pulumi/aws/provider";
import { getParameterOutput } from "@pulumi/aws/ssm/getParameter";
import { remote } from "@pulumi/command";
import { recordProgram, type RecordOptions } from "../../review/record";
import type { RecordedResource } from "../../review/document";

const STACK = "urn:pulumi:test::net::pulumi:pulumi:Stack::net-test";
const VPC = "urn:pulumi:test::net::aws:ec2/vpc:Vpc::v";
const AMI_PARAMETER = "/aws/service/ami";

async function record(
  program: () => unknown,
  options: Partial<RecordOptions> = {},
): Promise<readonly RecordedResource[]> {
  return recordProgram({ project: "net", stack: "test", config: {}, secretKeys: [], program, ...options });
}

function byName(resources: readonly RecordedResource[], name: string): RecordedResource {
  const found = resources.find((resource) => resource.name === name);
  if (found === undefined) throw new Error(`no resource ${name}`);
  return found;
}

class Outer extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  constructor(name: string) {
    super("test:Outer", name);
    const inner = new Inner(name, this);
    this.vpcId = inner.vpcId;
    this.registerOutputs({ vpcId: this.vpcId, fixed: 1 });
  }
}

class Inner extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  constructor(name: string, parent: pulumi.Resource) {
    super("test:Inner", name, {}, { parent });
    this.vpcId = new Vpc(name, { cidrBlock: "10.0.0.0/16" }, { parent: this }).id;
    this.registerOutputs();
  }
}

describe.each([true, false])("with dryRun %s", (dryRun) => {
  test("a whole resource is recorded, with nothing invented", async () => {
    const resources = await record(
      () => {
        new Vpc("v", { cidrBlock: "10.0.0.0/16", tags: { Name: "v" } });
      },
      { dryRun },
    );
    expect(resources).toEqual([
      { urn: STACK, type: "pulumi:pulumi:Stack", name: "net-test", parent: null, inputs: {}, dependencies: [] },
      {
        urn: VPC,
        type: "aws:ec2/vpc:Vpc",
        name: "v",
        parent: STACK,
        inputs: { cidrBlock: "10.0.0.0/16", tags: { Name: "v" } },
        dependencies: [],
      },
    ]);
  });

  test("an output of another resource is a reference, inside a text a template", async () => {
    const resources = await record(
      () => {
        const vpc = new Vpc("v", { cidrBlock: "10.0.0.0/16" });
        new SecurityGroup("g", {
          vpcId: vpc.id,
          description: pulumi.interpolate`net ${vpc.arn} in ${vpc.cidrBlock}`,
          tags: { json: pulumi.jsonStringify({ vpc: vpc.id }) },
        });
      },
      { dryRun },
    );
    const group = byName(resources, "g");
    expect(group.dependencies).toEqual([VPC]);
    expect(group.inputs).toEqual({
      vpcId: { ref: VPC, output: "id" },
      description: { template: ["net ", { ref: VPC, output: "arn" }, " in 10.0.0.0/16"] },
      tags: { json: { template: ['{"vpc":"', { ref: VPC, output: "id" }, '"}'] } },
    });
  });

  test("a secret is only a mark, and what is made of it too", async () => {
    const resources = await record(
      () => {
        const password = pulumi.secret("hunter2");
        new Vpc("v", { cidrBlock: "10.0.0.0/16", tags: { plain: "x", password } });
        return { kubeconfig: pulumi.interpolate`token: ${password}` };
      },
      { dryRun },
    );
    expect(byName(resources, "v").inputs["tags"]).toEqual({ plain: "x", password: { secret: true } });
    expect(byName(resources, "net-test").outputs).toEqual({ kubeconfig: { secret: true } });
    expect(JSON.stringify(resources)).not.toContain("hunter2");
  });

  test("additionalSecretOutputs make an output secret", async () => {
    const resources = await record(
      () => {
        const vpc = new Vpc("v", { cidrBlock: "10.0.0.0/16" }, { additionalSecretOutputs: ["arn"] });
        new Vpc("w", { cidrBlock: "10.1.0.0/16", tags: { arn: vpc.arn, owner: vpc.ownerId } });
      },
      { dryRun },
    );
    expect(byName(resources, "v").options).toEqual({ additionalSecretOutputs: ["arn"] });
    expect(byName(resources, "w").inputs["tags"]).toEqual({
      arn: { secret: true },
      owner: { ref: VPC, output: "ownerId" },
    });
  });

  test("a provider function's result is a reference to the call", async () => {
    const resources = await record(
      () => {
        const ami = getParameterOutput({ name: AMI_PARAMETER });
        new Instance("i", { ami: ami.value, instanceType: "t3.medium" });
      },
      { dryRun },
    );
    expect(byName(resources, "i").inputs).toEqual({
      ami: { ref: `aws:ssm/getParameter:getParameter(name=${AMI_PARAMETER})`, output: "value" },
      instanceType: "t3.medium",
    });
  });
});

test("a URN holds the types of all ancestors but the stack", async () => {
  const resources = await record(() => {
    const outer = new Outer("o");
    new SecurityGroup("g", { vpcId: outer.vpcId });
  });
  const outer = "urn:pulumi:test::net::test:Outer::o";
  const inner = "urn:pulumi:test::net::test:Outer$test:Inner::o";
  const vpc = "urn:pulumi:test::net::test:Outer$test:Inner$aws:ec2/vpc:Vpc::o";
  expect(resources.map(({ urn, parent }) => ({ urn, parent }))).toEqual([
    { urn: STACK, parent: null },
    { urn: outer, parent: STACK },
    { urn: inner, parent: outer },
    { urn: vpc, parent: inner },
    { urn: "urn:pulumi:test::net::aws:ec2/securityGroup:SecurityGroup::g", parent: STACK },
  ]);
  expect(resources[1]?.outputs).toEqual({ vpcId: { ref: vpc, output: "id" }, fixed: 1 });
  expect(resources[2]).not.toHaveProperty("outputs");
  expect(byName(resources, "g").inputs).toEqual({
    description: "Managed by Pulumi",
    vpcId: { ref: vpc, output: "id" },
  });
});

test("the options that change what an update does are recorded", async () => {
  const resources = await record(() => {
    const provider = new Provider("p", { region: "eu-west-1", defaultTags: { tags: { a: "b" } } });
    const vpc = new Vpc(
      "v",
      { cidrBlock: "10.0.0.0/16" },
      { provider, protect: true, deleteBeforeReplace: true, ignoreChanges: ["tags"], replaceOnChanges: ["cidrBlock"] },
    );
    new Eip("e", {}, { dependsOn: vpc, retainOnDelete: true });
  });
  expect(byName(resources, "v").options).toEqual({
    deleteBeforeReplace: true,
    protect: true,
    ignoreChanges: ["tags"],
    replaceOnChanges: ["cidrBlock"],
    provider: "urn:pulumi:test::net::pulumi:providers:aws::p",
  });
  expect(byName(resources, "e")).toMatchObject({ dependencies: [VPC], options: { retainOnDelete: true } });
});

test("a resource that exists already is recorded with its id", async () => {
  const resources = await record(() => {
    const vpc = Vpc.get("v", "vpc-0123");
    new SecurityGroup("g", { vpcId: vpc.id, description: vpc.cidrBlock });
  });
  expect(byName(resources, "v")).toEqual({
    urn: VPC,
    type: "aws:ec2/vpc:Vpc",
    name: "v",
    parent: STACK,
    inputs: {},
    dependencies: [],
    id: "vpc-0123",
  });
  expect(byName(resources, "g").inputs).toEqual({
    vpcId: "vpc-0123",
    description: { ref: VPC, output: "cidrBlock" },
  });
});

test("texts in base64 and assets are read", async () => {
  const resources = await record(() => {
    const vpc = new Vpc("v", { cidrBlock: "10.0.0.0/16" });
    new Instance("i", { userDataBase64: vpc.id.apply((id) => Buffer.from(`vpc=${id}\n`).toString("base64")) });
    new remote.CopyToRemote("c", {
      connection: { host: "h" },
      source: new pulumi.asset.StringAsset("echo hello"),
      remotePath: "/tmp/x",
    });
  });
  expect(byName(resources, "i").inputs).toEqual({
    userDataBase64: { base64: { template: ["vpc=", { ref: VPC, output: "id" }, "\n"] } },
  });
  expect(byName(resources, "c").inputs).toMatchObject({ source: "echo hello" });
});

test("resources come in the order of their declaration, whatever they wait for", async () => {
  const resources = await record(() => {
    const slow = new Eip("slow", { tags: { x: new Promise<string>((resolve) => setTimeout(resolve, 20, "x")) } });
    new Eip("after", { tags: { x: slow.id } });
    new Eip("quick", {});
  });
  expect(resources.map((resource) => resource.name)).toEqual(["net-test", "slow", "after", "quick"]);
});

describe("a program that fails", () => {
  test("by cutting a value that it cannot know: where", async () => {
    await expect(
      record(() => {
        const vpc = new Vpc("v", { cidrBlock: "10.0.0.0/16" });
        new SecurityGroup("g", { description: vpc.id.apply((id) => id.slice(0, 1)) });
      }),
    ).rejects.toThrow(
      /securityGroup:SecurityGroup::g input\.description holds a piece of a value that only exists after creation/u,
    );
  });

  test("by two resources of one name: which", async () => {
    await expect(
      record(() => {
        new Vpc("v", { cidrBlock: "10.0.0.0/16" });
        new Vpc("v", { cidrBlock: "10.0.0.0/16" });
      }),
    ).rejects.toThrow(`two resources have the URN ${VPC}`);
  });

  test("leaves nothing behind for the next one", async () => {
    const before = { limit: Error.stackTraceLimit, console: { ...globalThis.console } };
    await expect(
      record(() => {
        new SecurityGroup("g", { description: new Vpc("v", {}).id.apply((id) => id.slice(0, 1)) });
      }),
    ).rejects.toThrow("holds a piece");
    expect({ limit: Error.stackTraceLimit, console: { ...globalThis.console } }).toEqual(before);
    const resources = await record(() => {
      new Vpc("v", { cidrBlock: "10.0.0.0/16" });
    });
    expect(resources.map((resource) => resource.name)).toEqual(["net-test", "v"]);
  });
});

test("configuration and its secrets reach the program", async () => {
  const resources = await record(
    () => {
      const config = new pulumi.Config("app");
      new Eip("e", { tags: { plain: config.require("plain"), hidden: config.requireSecret("hidden") } });
    },
    { config: { "app:plain": "seen", "app:hidden": "unseen" }, secretKeys: ["app:hidden"] },
  );
  expect(byName(resources, "e").inputs["tags"]).toEqual({ plain: "seen", hidden: { secret: true } });
});
