/** A resource as the checks see it, and what its URN says of where it was declared. */
import { readValue, type Values } from "./values";

export interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** What the program declares. */
  readonly inputs: Values;
  /** Its id, once it is there and known. */
  readonly id?: string;
  /** URNs of the resources that a property's value comes from, by property. */
  readonly sources: Readonly<Record<string, readonly string[]>>;
}

/** What a check found. */
export interface Violation {
  readonly urn: string;
  readonly message: string;
}

/** Types of the components that a resource was declared in, outermost first. */
export function componentsOf(urn: string): readonly string[] {
  const types = urn.split("::")[2] ?? "";
  return types.split("$").slice(0, -1);
}

export const SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup";
export const DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup";

/** The id of a resource from what AWS answered: `id`, or the end of its ARN. */
export function idOf(outputs: object): string | undefined {
  const [id, arn] = ["id", "arn"].map((key) => readValue(outputs, key));
  if (typeof id === "string") return id;
  return typeof arn === "string" ? arn.split("/").at(-1) : undefined;
}
