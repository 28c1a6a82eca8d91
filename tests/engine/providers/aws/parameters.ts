/** Parameters of Systems Manager. */
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { secret, type Values } from "../values";
import { awsOf, explained } from "./client";
import { answered, defined, optionalFlag, text } from "./inputs";

/** The function `aws:ssm/getParameter:getParameter`. */
export async function getParameter(args: Values, configuration: Values): Promise<Values> {
  const name = text(args, "name");
  const withDecryption = optionalFlag(args, "withDecryption") ?? true;
  const aws = awsOf(configuration);
  try {
    const { Parameter } = await aws.ssm.send(new GetParameterCommand({ Name: name, WithDecryption: withDecryption }));
    const value = answered(Parameter?.Value, "parameter");
    return defined({
      arn: Parameter?.ARN,
      id: name,
      insecureValue: Parameter?.Type === "SecureString" ? undefined : value,
      name,
      region: aws.region,
      type: Parameter?.Type,
      value: secret(value),
      version: Parameter?.Version,
      withDecryption,
    });
  } catch (error) {
    throw explained(`reading parameter ${name}`, error);
  }
}
