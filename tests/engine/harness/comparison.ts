/** The preview without credentials beside the engine's own: what each declares, in the same words. */
import type { PreviewDocument, RecordedResource } from "../../../review/document";
import type { PreviewStep } from "./engine";

/** A resource with its inputs; what is only known after creation, and what is secret, stand as words. */
export interface DeclaredResource {
  readonly type: string;
  readonly inputs: unknown;
}

const UNKNOWN = "(known after creation)";
const SECRET = "(secret)";
/** What a provider's function answers: the engine asks it, the preview without credentials does not. */
const ANSWER = "(answered by the provider)";
/** How the engine marks them. */
const UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SIGNATURE = "4dabf18193072939515e22adb298388d";
/** The mark of a file, which is no secret. */
const ASSET = "c44067f5952c0a294b673a41bacd8c17";

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mapped(value: Readonly<Record<string, unknown>>, map: (inner: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !key.startsWith("__"))
      .map(([key, inner]) => [key, map(inner)]),
  );
}

function fromRecorded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromRecorded);
  if (!isMapping(value)) return value;
  if (value["secret"] === true) return SECRET;
  if (typeof value["ref"] === "string" && !value["ref"].startsWith("urn:")) return ANSWER;
  // A workload's own `template` is a mapping.
  if ("ref" in value || Array.isArray(value["template"]) || "base64" in value) return UNKNOWN;
  return mapped(value, fromRecorded);
}

function fromEngine(value: unknown): unknown {
  if (value === UNKNOWN_TEXT) return UNKNOWN;
  if (value === "[secret]") return SECRET;
  if (Array.isArray(value)) return value.map(fromEngine);
  if (!isMapping(value)) return value;
  // The engine has read the file, and knows its checksum.
  if (value[SIGNATURE] === ASSET) return { asset: { path: value["path"] } };
  return SIGNATURE in value ? SECRET : mapped(value, fromEngine);
}

/** What the preview without credentials declares, by URN; the stack itself is left out. */
export function declaredByReview(document: PreviewDocument): Record<string, DeclaredResource> {
  const resources = document.resources.filter(({ parent }: RecordedResource) => parent !== null);
  return Object.fromEntries(resources.map(({ urn, type, inputs }) => [urn, { type, inputs: fromRecorded(inputs) }]));
}

/** What the engine's own preview declares, by URN; the stack itself and its default providers are left out. */
export function declaredByEngine(steps: readonly PreviewStep[]): Record<string, DeclaredResource> {
  return Object.fromEntries(
    steps.flatMap(({ urn, newState }) => {
      if (newState === undefined || newState.type === "pulumi:pulumi:Stack") return [];
      if (/::default(_[\w.]+)?$/u.test(urn) && newState.type.startsWith("pulumi:providers:")) return [];
      // The engine notes a provider's version among its inputs.
      const noted = newState.type.startsWith("pulumi:providers:") ? ["version"] : [];
      const own = Object.entries(newState.inputs ?? {}).filter(([key]) => !noted.includes(key));
      return [[urn, { type: newState.type, inputs: fromEngine(Object.fromEntries(own)) }]];
    }),
  );
}

/**
 * What the engine declares, in the words of the other preview where both mean the same: a secret that is made of something unknown is
 * unknown to the engine, and what a provider's function answers is known to it.
 */
export function inReviewWords(engine: unknown, review: unknown): unknown {
  if (review === SECRET && engine === UNKNOWN) return SECRET;
  if (review === ANSWER && typeof engine === "string" && engine !== UNKNOWN) return ANSWER;
  if (Array.isArray(engine))
    return engine.map((one, i) => inReviewWords(one, Array.isArray(review) ? review[i] : undefined));
  if (!isMapping(engine)) return engine;
  return Object.fromEntries(
    Object.entries(engine).map(([key, one]) => [key, inReviewWords(one, isMapping(review) ? review[key] : undefined)]),
  );
}
