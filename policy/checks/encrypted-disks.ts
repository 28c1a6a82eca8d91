import type { Resource, Violation } from "../resource";
import { isMapping, listOf, type Value } from "../values";
import { violations, type Check } from "./check";

/** Launch templates have texts where instances have booleans. */
const isTrue = (value: Value | undefined): boolean => value === true || value === "true";
const isEncrypted = (disk: Value | undefined): boolean => isMapping(disk) && isTrue(disk["encrypted"]);

function machine({ inputs }: Resource): string[] {
  const [root] = listOf(inputs["rootBlockDevice"]);
  const others = listOf(inputs["ebsBlockDevices"]).filter((disk) => !isEncrypted(disk));
  return [
    ...(isEncrypted(root)
      ? []
      : ["rootBlockDevice.encrypted is not true: the root disk is what the image says, in plain."]),
    ...others.map(() => "A disk of ebsBlockDevices is not encrypted."),
  ];
}

function template({ inputs }: Resource): string[] {
  const mappings = listOf(inputs["blockDeviceMappings"]);
  if (mappings.length === 0) return ["No blockDeviceMappings: the root disk is what the image says, in plain."];
  const isOpen = (mapping: Value): boolean => {
    if (!isMapping(mapping)) return true;
    // What is taken away, or is the host's own disk, is none of EBS's.
    if (isMapping(mapping["ebs"])) return !isEncrypted(mapping["ebs"]);
    return mapping["ebs"] !== undefined || (mapping["noDevice"] === undefined && mapping["virtualName"] === undefined);
  };
  return mappings.filter(isOpen).map(() => "A disk of blockDeviceMappings is not encrypted.");
}

const READERS: Readonly<Record<string, (resource: Resource) => string[]>> = {
  "aws:ec2/instance:Instance": machine,
  "aws:ec2/spotInstanceRequest:SpotInstanceRequest": machine,
  "aws:ec2/launchConfiguration:LaunchConfiguration": machine,
  "aws:ec2/launchTemplate:LaunchTemplate": template,
  "aws:ebs/volume:Volume": ({ inputs }) => (isEncrypted(inputs) ? [] : ["The volume is not encrypted."]),
};

const check = (resource: Resource): Violation[] => violations(resource.urn, READERS[resource.type]?.(resource) ?? []);

/** Disks are encrypted. */
export const encryptedDisks: Check = {
  name: "encrypted-disks",
  title: "Disks are encrypted",
  description:
    "Root and further disks of instances and launch templates, and volumes, are encrypted by what the program says of them.",
  remedy: "Set encrypted: true on each disk, the root disk too.",
  resource: check,
};
