/** Who is in which security group: the groups of what has an interface. */
import type { Group, Groups } from "./groups";
import type { Resource } from "./resource";
import { referenceOf } from "./rules";
import { UNKNOWN, isMapping, listOf, type Value } from "./values";

/** Properties that put a resource's interfaces into groups, by type. A dot leads into a list's mappings. */
const MEMBERSHIPS: Readonly<Record<string, readonly string[]>> = {
  "aws:ec2/instance:Instance": ["vpcSecurityGroupIds", "securityGroups"],
  "aws:ec2/spotInstanceRequest:SpotInstanceRequest": ["vpcSecurityGroupIds", "securityGroups"],
  "aws:ec2/networkInterface:NetworkInterface": ["securityGroups"],
  "aws:ec2/launchTemplate:LaunchTemplate": ["vpcSecurityGroupIds", "networkInterfaces.securityGroups"],
  "aws:ec2/launchConfiguration:LaunchConfiguration": ["securityGroups"],
  "aws:ec2/networkInterfaceSecurityGroupAttachment:NetworkInterfaceSecurityGroupAttachment": ["securityGroupId"],
  "aws:lb/loadBalancer:LoadBalancer": ["securityGroups"],
  "aws:alb/loadBalancer:LoadBalancer": ["securityGroups"],
  "aws:elb/loadBalancer:LoadBalancer": ["securityGroups"],
  "aws:rds/instance:Instance": ["vpcSecurityGroupIds"],
  "aws:ec2/vpcEndpoint:VpcEndpoint": ["securityGroupIds"],
  "aws:lambda/function:Function": ["vpcConfig.securityGroupIds"],
  "aws:efs/mountTarget:MountTarget": ["securityGroups"],
};

/** Machines, what makes them, and their interfaces: of all else nothing is a node. */
const MACHINES = /^aws:ec2\/(?:instance|spotInstanceRequest|networkInterface|launchTemplate|launchConfiguration):/u;

/** Groups of one resource's interfaces. */
export interface Membership {
  readonly resource: Resource;
  readonly groups: readonly Group[];
  /** Whether one of them is none of the program's, or cannot be told. */
  readonly others: boolean;
  /** Whether it is a machine, makes some, or is an interface of one. */
  readonly isMachine: boolean;
}

function valuesAt(holder: Value | undefined, path: readonly string[]): readonly Value[] {
  const [key, ...rest] = path;
  if (key === undefined) return listOf(holder);
  return listOf(holder).flatMap((item) =>
    isMapping(item) ? valuesAt(item[key], rest) : item === UNKNOWN ? [item] : [],
  );
}

/** Whether a type is read for its groups. */
export const hasMembers = (type: string): boolean => type in MEMBERSHIPS;

/** The memberships of a program's resources; those that name no group are left out. */
export function membershipsOf(resources: readonly Resource[], groups: Groups): Membership[] {
  return resources.flatMap((resource) => {
    const properties = MEMBERSHIPS[resource.type] ?? [];
    const resolved = properties.flatMap((property) => {
      const path = property.split(".");
      return valuesAt(resource.inputs, path).map((value) =>
        groups.resolve(referenceOf(value, resource.sources[path[0] ?? ""])),
      );
    });
    if (resolved.length === 0) return [];
    const found = resolved.flatMap((one) => (one.kind === "groups" ? one.groups : []));
    return [
      {
        resource,
        groups: [...new Set(found)],
        others: resolved.some(({ kind }) => kind !== "groups"),
        isMachine: MACHINES.test(resource.type),
      },
    ];
  });
}
