import { InstanceProfile } from "@pulumi/aws/iam/instanceProfile";
import { Role } from "@pulumi/aws/iam/role";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import * as pulumi from "@pulumi/pulumi";
import type { InstanceRolePlan } from "../plan/types";
import type { Tagger } from "./tags";

/** The language of IAM policies that the plan's are in. */
const POLICY_VERSION = "2012-10-17";

export interface InstanceRoleArgs {
  readonly plan: InstanceRolePlan;
  readonly tags: Tagger;
}

/** A role that instances have: what programs on their own network may do in AWS. */
export class InstanceRole extends pulumi.ComponentResource {
  /** What an instance is given. */
  readonly profileName: pulumi.Output<string>;
  /** What must be there before the role is of use, and until nothing needs it any more. */
  readonly policy: pulumi.Resource;

  constructor(name: string, args: InstanceRoleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k3s-networking:aws:InstanceRole", name, {}, opts);
    const { plan } = args;
    const tags = args.tags(plan.key);
    const trust = { Effect: "Allow", Principal: { Service: plan.service }, Action: "sts:AssumeRole" };
    const role = new Role(name, { assumeRolePolicy: policy([trust]), tags }, { parent: this });
    this.policy = new RolePolicy(name, { role: role.name, policy: policy(plan.statements) }, { parent: this });
    this.profileName = new InstanceProfile(name, { role: role.name, tags }, { parent: this }).name;
    this.registerOutputs({ profileName: this.profileName });
  }
}

function policy(statements: readonly object[]): string {
  return JSON.stringify({ Version: POLICY_VERSION, Statement: statements });
}
