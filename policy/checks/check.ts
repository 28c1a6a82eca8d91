/** What a check is: of one resource, of a whole program, or both; pure functions of what they are given. */
import type { Resource, Violation } from "../resource";
import type { View } from "../view";

export interface Check {
  /** The policy's name. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** What to do about a violation. */
  readonly remedy: string;
  /** Before a resource is made, by what it is declared with alone. */
  readonly resource?: (resource: Resource) => readonly Violation[];
  /** With all of the program; `viewOfOne` has a single resource's rules for the world. */
  readonly rules?: (view: View) => readonly Violation[];
  /** Whether `rules` also tells of a single resource before it is made. */
  readonly early?: boolean;
}

/** The violations of one resource. */
export const violations = (urn: string, messages: readonly string[]): Violation[] =>
  messages.map((message) => ({ urn, message }));
