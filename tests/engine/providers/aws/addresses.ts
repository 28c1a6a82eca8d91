/** Elastic IPs and where they lead. */
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  DescribeAddressesCommand,
  DisassociateAddressCommand,
  ReleaseAddressCommand,
  type DomainType,
} from "@aws-sdk/client-ec2";
import { answered, optionalText, text } from "./inputs";
import { refuseAddressOf, refuseUsedAddress } from "./refusals";
import { resource } from "./resource";
import { retag, tagged, tagMap } from "./tags";

/** Its outputs say nothing about an association: that is another resource's, made later. */
export const eip = resource({
  replacedBy: ["domain"],
  async create(aws, inputs) {
    const { AllocationId } = await aws.ec2.send(
      new AllocateAddressCommand({
        Domain: (optionalText(inputs, "domain") ?? "vpc") as DomainType,
        TagSpecifications: tagged("elastic-ip", inputs),
      }),
    );
    return answered(AllocationId, "allocation");
  },
  async find(aws, id) {
    const { Addresses } = await aws.ec2.send(new DescribeAddressesCommand({ AllocationIds: [id] }));
    return Addresses?.[0];
  },
  inputs: (found) => ({ domain: found.Domain, tags: tagMap(found.Tags) }),
  outputs: (found, { region }) => ({
    allocationId: found.AllocationId,
    // The official provider leaves the account to AWS here; the rest of the ARN tells the address apart.
    arn: `arn:aws:ec2:${region}::elastic-ip/${found.AllocationId ?? ""}`,
    publicIp: found.PublicIp,
    publicDns: `ec2-${(found.PublicIp ?? "").replaceAll(".", "-")}.${region}.compute.amazonaws.com`,
  }),
  async modify(aws, id, { olds, news }) {
    await retag(aws.ec2, id, olds, news);
    return undefined;
  },
  async remove(aws, id) {
    await refuseUsedAddress(aws, id);
    await aws.ec2.send(new ReleaseAddressCommand({ AllocationId: id }));
  },
});

/** Which network interface an Elastic IP leads to. */
export const eipAssociation = resource({
  replacedBy: ["allocationId", "networkInterfaceId"],
  async create(aws, inputs) {
    const networkInterfaceId = text(inputs, "networkInterfaceId");
    await refuseAddressOf(aws, networkInterfaceId);
    const { AssociationId } = await aws.ec2.send(
      new AssociateAddressCommand({
        AllocationId: text(inputs, "allocationId"),
        NetworkInterfaceId: networkInterfaceId,
      }),
    );
    return answered(AssociationId, "association");
  },
  async find(aws, id) {
    const { Addresses } = await aws.ec2.send(
      new DescribeAddressesCommand({ Filters: [{ Name: "association-id", Values: [id] }] }),
    );
    return Addresses?.[0];
  },
  inputs: (found) => ({ allocationId: found.AllocationId, networkInterfaceId: found.NetworkInterfaceId }),
  // Not the instance: the interface's may change.
  outputs: (found) => ({ privateIpAddress: found.PrivateIpAddress, publicIp: found.PublicIp }),
  async remove(aws, id) {
    await aws.ec2.send(new DisassociateAddressCommand({ AssociationId: id }));
  },
});
