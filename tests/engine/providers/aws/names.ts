/** Names and ids that the official provider makes up. */
import { randomBytes } from "node:crypto";

const RANDOM_DIGITS = 7;

/**
 * A name for a resource whose program gives none: its name in the program and seven random hex digits.
 *
 * @throws where that is longer than AWS allows. The official provider does not shorten either.
 */
export function autoName(resource: string, longest: number): string {
  const digits = randomBytes(4).toString("hex").slice(0, RANDOM_DIGITS);
  const name = `${resource}-${digits}`;
  if (name.length > longest)
    throw new Error(`name '${resource}-' plus ${RANDOM_DIGITS} random chars is longer than maximum length ${longest}`);
  return name;
}

/** The ARN of something in EC2. */
export function ec2Arn(region: string, owner: string | undefined, resource: string): string {
  return `arn:aws:ec2:${region}:${owner ?? ""}:${resource}`;
}
