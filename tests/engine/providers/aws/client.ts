/** Clients of the AWS API at AWS_ENDPOINT_URL, and what its errors mean. */
import { EC2Client } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { SSMClient } from "@aws-sdk/client-ssm";
import { setTimeout as sleep } from "node:timers/promises";
import type { Values } from "../values";
import { ApiError } from "./errors";
import { iamAt, type Iam } from "./iam-client";
import { text } from "./inputs";

export { ApiError } from "./errors";

/** The API in one region. */
export interface Aws {
  readonly region: string;
  readonly ec2: EC2Client;
  readonly elb: ElasticLoadBalancingV2Client;
  readonly ssm: SSMClient;
  /** The same in every region. */
  readonly iam: Iam;
}

const regions = new Map<string, Aws>();

function connect(region: string): Aws {
  const endpoint = process.env["AWS_ENDPOINT_URL"];
  // Never the real AWS: whatever this plugin is tried on, nothing costs money.
  if (endpoint === undefined) throw new Error("AWS_ENDPOINT_URL must name the API of the tests");
  // The engine shows what a plugin says on standard error, and this says nothing about the tests.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  // One attempt: a failed creation that is tried again could create twice.
  const options = {
    region,
    endpoint,
    maxAttempts: 1,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  };
  return {
    region,
    ec2: new EC2Client(options),
    elb: new ElasticLoadBalancingV2Client(options),
    ssm: new SSMClient(options),
    iam: iamAt(endpoint),
  };
}

/** The API in the region of the provider's configuration. */
export function awsOf(configuration: Values): Aws {
  const region = text(configuration, "region");
  const known = regions.get(region);
  if (known !== undefined) return known;
  const aws = connect(region);
  regions.set(region, aws);
  return aws;
}

/** AWS's code of an error; undefined for an error that is not the API's. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof ApiError || (error instanceof Error && "$metadata" in error) ? error.name : undefined;
}

/** The error as it is shown: what was done, and for one of the API's its code and message. */
export function explained(action: string, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  return new Error(`${action}: ${code === undefined ? message : `api error ${code}: ${message}`}`, { cause: error });
}

/** What the API answers; undefined where it says that there is no such thing. */
export async function orGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (/NotFound(Exception)?$|^NoSuchEntity$/.test(codeOf(error) ?? "")) return undefined;
    throw error;
  }
}

/** Milliseconds between two looks at the API. */
const PAUSE = 100;
/** Milliseconds after which a state that does not come is an error. */
const STATE_WAIT = 60_000;

/** Seconds for which a refused deletion is tried again. The official provider does so for 2 to 20 minutes. */
const PATIENCE = Number(process.env["ENGINE_TEST_AWS_PATIENCE_SECONDS"] ?? 10);

/** Looks until there is something. Throws after a minute. */
export async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + STATE_WAIT;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`timeout while waiting for ${what}`);
    await sleep(PAUSE);
  }
}

/** Tries again while AWS refuses with one of these codes, where the official provider does so. Throws the last refusal. */
export async function insist<T>(codes: readonly string[], attempt: () => Promise<T>): Promise<T> {
  const end = Date.now() + PATIENCE * 1000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!codes.includes(codeOf(error) ?? "") || Date.now() > end) throw error;
    }
    await sleep(PAUSE);
  }
}
