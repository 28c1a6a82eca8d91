/** From the plan's references to what exists: the one place where a `TemplateText` becomes an Output. */
import * as pulumi from "@pulumi/pulumi";
import type { AddressRef, TemplateText } from "../plan/types";

/** Addresses by node, network and scope, filled by the resources that own them. */
export class AddressBook {
  private readonly addresses = new Map<string, pulumi.Output<string>>();
  private readonly instances = new Map<string, pulumi.Output<string>>();
  private loadBalancer: pulumi.Output<string> | undefined;

  /** Notes the address that a reference stands for. */
  add(reference: AddressRef, address: pulumi.Output<string>): void {
    this.addresses.set(keyOf(reference), address);
  }

  /** Notes the DNS name of the API's load balancer. */
  addLoadBalancer(dnsName: pulumi.Output<string>): void {
    this.loadBalancer = dnsName;
  }

  /** Notes the id of a node's instance. */
  addInstance(node: string, id: pulumi.Output<string>): void {
    this.instances.set(node, id);
  }

  /** The address that a reference stands for. A reference to something that the plan does not build is a defect of the plan. */
  get(reference: AddressRef): pulumi.Output<string> {
    return found(this.addresses.get(keyOf(reference)), keyOf(reference));
  }

  /** A text of the plan with its references filled in. */
  fill(text: TemplateText): pulumi.Output<string> {
    const pieces = text.map((piece): pulumi.Input<string> => {
      if (typeof piece === "string") return piece;
      if ("apiLoadBalancer" in piece) return found(this.loadBalancer, "the API load balancer");
      if ("instance" in piece) return found(this.instances.get(piece.instance), `the instance of ${piece.instance}`);
      return this.get(piece);
    });
    return pulumi.concat(...pieces);
  }
}

function keyOf({ node, network, scope, family }: AddressRef): string {
  return [node, network, scope, ...(family === undefined ? [] : [family])].join(":");
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the plan refers to ${what}, which it does not build`);
  return value;
}
