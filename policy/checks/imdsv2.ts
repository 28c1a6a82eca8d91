import type { Resource, Violation } from "../resource";
import { isMapping, listOf } from "../values";
import { violations, type Check } from "./check";

const TYPES = [
  "aws:ec2/instance:Instance",
  "aws:ec2/launchTemplate:LaunchTemplate",
  "aws:ec2/launchConfiguration:LaunchConfiguration",
  "aws:ec2/spotInstanceRequest:SpotInstanceRequest",
];

function check({ urn, type, inputs }: Resource): Violation[] {
  if (!TYPES.includes(type)) return [];
  const [options] = listOf(inputs["metadataOptions"]);
  const { httpTokens, httpEndpoint } = isMapping(options) ? options : {};
  if (httpTokens === "required" || httpEndpoint === "disabled") return [];
  return violations(urn, [
    "metadataOptions.httpTokens is not `required`: instance credentials can be fetched without a session (IMDSv1).",
  ]);
}

/** Instance metadata is given to sessions only. */
export const imdsv2: Check = {
  name: "imdsv2",
  title: "IMDSv2 is required",
  description:
    "Instances, launch templates and launch configurations require session tokens for their metadata, or have none.",
  remedy: 'Set metadataOptions: { httpTokens: "required" }.',
  resource: check,
};
