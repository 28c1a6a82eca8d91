/** Reads what the Pulumi SDK puts on the wire back into plain JSON: tokens become references, secrets only a mark. */
import {
  specialArchiveSig,
  specialAssetSig,
  specialResourceSig,
  specialSecretSig,
  specialSigKey,
  unknownValue,
} from "@pulumi/pulumi/runtime/rpc";
import type { Recorded } from "./document";
import type { TokenTable } from "./tokens";

/** A value as the SDK serialises it: JSON, with special objects marked by a signature. */
export type Wire = string | number | boolean | null | Wire[] | { [key: string]: Wire };

/** Marks a value as secret, as the SDK does. */
export function wireSecret(value: Wire): Wire {
  return { [specialSigKey]: specialSecretSig, value };
}

/** Whether a serialised value is marked as secret. */
export function isWireSecret(value: Wire | undefined): boolean {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && value[specialSigKey] === specialSecretSig
  );
}

/**
 * A serialised value as plain JSON.
 *
 * @param path Where it stands, for messages.
 * @throws Error for an unknown value (nothing may be unknown: outputs are references) and for a cut reference.
 */
export function decodeWire(value: Wire, tokens: TokenTable, path: string): Recorded {
  if (typeof value === "string") return decodeText(value, tokens, path);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((element, index) => decodeWire(element, tokens, `${path}[${index}]`));
  const signature = value[specialSigKey];
  if (typeof signature === "string") return decodeSpecial(value, signature, tokens, path);
  const decoded: Record<string, Recorded> = {};
  for (const key of Object.keys(value).sort()) {
    const element = value[key];
    if (element !== undefined) decoded[key] = decodeWire(element, tokens, `${path}.${key}`);
  }
  return decoded;
}

/** The properties of a serialised object, as plain JSON with sorted keys. */
export function decodeWireObject(
  value: Readonly<Record<string, Wire>>,
  tokens: TokenTable,
  path: string,
): Record<string, Recorded> {
  const decoded: Record<string, Recorded> = {};
  for (const key of Object.keys(value).sort()) {
    const element = value[key];
    if (element !== undefined) decoded[key] = decodeWire(element, tokens, `${path}.${key}`);
  }
  return decoded;
}

function decodeText(value: string, tokens: TokenTable, path: string): Recorded {
  if (value === unknownValue) {
    throw new Error(`${path} is unknown in a preview: it is made from something that no resource of the program has`);
  }
  try {
    return tokens.decode(value);
  } catch (error) {
    throw new Error(`${path} ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function decodeSpecial(
  value: Readonly<Record<string, Wire>>,
  signature: string,
  tokens: TokenTable,
  path: string,
): Recorded {
  switch (signature) {
    case specialSecretSig:
      return { secret: true };
    case specialAssetSig:
    case specialArchiveSig: {
      // Without the SDK's own marks.
      const content = Object.fromEntries(
        Object.entries(value).filter(([key]) => key !== specialSigKey && !key.startsWith("__pulumi")),
      );
      // An asset that is a text is that text; a file or an address stays what it points at.
      if (typeof content["text"] === "string") return decodeText(content["text"], tokens, path);
      return { [signature === specialAssetSig ? "asset" : "archive"]: decodeWire(content, tokens, path) };
    }
    case specialResourceSig: {
      const { urn, id } = value;
      if (typeof urn !== "string") throw new Error(`${path} refers to a resource without a URN`);
      return { ref: urn, output: id === undefined ? "urn" : "id" };
    }
    default:
      throw new Error(`${path} has a kind of value that a preview cannot read (${signature})`);
  }
}
