/**
 * What a preview hands out: the resources that the program declares, as plain JSON. Nothing in it is invented: a value that only
 * exists after creation is a reference to the output that will hold it, and a secret is only a mark that there is one.
 */
import type { ClusterPlan, FlowPlan, WarningPlan } from "../plan/types";
import type { Problem } from "../spec/problems";

/** An output of another resource (`ref` is its URN) or of a provider function (`ref` is the call). */
export interface Reference {
  readonly ref: string;
  /** Name of the output, such as `id` or `privateIp`. */
  readonly output: string;
}

/** A text with references in it, in order. */
export interface Template {
  readonly template: readonly (string | Reference)[];
}

/** Stands for a secret, whatever it is. */
export interface SecretMark {
  readonly secret: true;
}

/** A text in base64 that has references in it, decoded. */
export interface EncodedTemplate {
  readonly base64: Template | Reference;
}

/** An input or output as recorded. */
export type Recorded =
  | string
  | number
  | boolean
  | null
  | Reference
  | Template
  | SecretMark
  | EncodedTemplate
  | readonly Recorded[]
  | { readonly [key: string]: Recorded };

/** Resource options that change what an update does to the resource; each is there only when the program sets it. */
export interface RecordedOptions {
  readonly deleteBeforeReplace?: boolean;
  readonly protect?: boolean;
  readonly retainOnDelete?: boolean;
  readonly ignoreChanges?: readonly string[];
  readonly replaceOnChanges?: readonly string[];
  readonly additionalSecretOutputs?: readonly string[];
  /** URN of the provider, where it is not the default one. */
  readonly provider?: string;
}

/** One resource of the program. */
export interface RecordedResource {
  /** The URN that the engine will give it. */
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** URN of the parent; null for the stack itself. */
  readonly parent: string | null;
  readonly inputs: Readonly<Record<string, Recorded>>;
  /** URNs of what it depends on, sorted. */
  readonly dependencies: readonly string[];
  readonly options?: RecordedOptions;
  /** Id of a resource that is read, not created. */
  readonly id?: Recorded;
  /** What a component or the stack registers as its outputs. */
  readonly outputs?: Readonly<Record<string, Recorded>>;
}

/** A preview of one stack. */
export interface PreviewDocument {
  readonly stack: string;
  /** In the order in which the program declares them: a parent stands before its children. */
  readonly resources: readonly RecordedResource[];
  readonly plan: ClusterPlan;
  readonly flows: readonly FlowPlan[];
  readonly warnings: readonly WarningPlan[];
}

/** A stack that has mistakes: all of them. */
export interface ProblemsDocument {
  readonly stack: string;
  readonly problems: readonly Problem[];
}

/** Whether a recorded value is a reference to an output. */
export function isReference(value: unknown): value is Reference {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.keys(value).length === 2 &&
    typeof (value as Partial<Reference>).ref === "string" &&
    typeof (value as Partial<Reference>).output === "string"
  );
}
