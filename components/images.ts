import { getParameterOutput } from "@pulumi/aws/ssm/getParameter";
import * as pulumi from "@pulumi/pulumi";
import type { AwsNodePlan } from "../plan/types";

/** AMI ids: the given one, or what a public parameter names at this moment, asked once for each distinct parameter. */
export class Images {
  private readonly parameters = new Map<string, pulumi.Output<string>>();

  constructor(private readonly parent: pulumi.Resource) {}

  of(ami: AwsNodePlan["ami"]): pulumi.Input<string> {
    if (ami.kind === "given") return ami.id;
    const known = this.parameters.get(ami.name);
    if (known !== undefined) return known;
    // The public id of a public image. All that the call answers counts as secret, because a parameter's value may be one.
    const id = pulumi.unsecret(getParameterOutput({ name: ami.name }, { parent: this.parent }).insecureValue);
    this.parameters.set(ami.name, id);
    return id;
  }
}
