/** Forms of values that editors can check as they are typed: the zod schema's own patterns, and addresses and networks of both families. */
import { z } from "zod";
import { address, cidr } from "../../spec/settings/common";
import type { JsonSchema } from "./schema-types";

const OCTET = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const ADDRESS = `(${OCTET}\\.){3}${OCTET}`;
/** As RFC 5952 writes it, about: how many groups there are is the checks' to count. */
const ADDRESS_6 = "[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,7}";

/** A network; host bits, and the family that belongs there, are the checks' to find. */
export const NETWORK = `(${ADDRESS}/([12]?\\d|3[0-2])|${ADDRESS_6}/(\\d{1,2}|1[01]\\d|12[0-8]))`;

/** The words of a zod pattern's own message, as a sentence. */
function message(schema: z.ZodString): string | undefined {
  for (const check of schema._zod.def.checks ?? []) {
    const said = check._zod.def.error?.({} as never);
    const text = typeof said === "string" ? said : said?.message;
    if (text !== undefined) return sentence(text);
  }
  return undefined;
}

const sentence = (text: string): string => `Value ${text}.`;

/** Adds the form of a text to its schema, and what editors say of a text that has another. */
export function withPatterns(zodSchema: unknown, schema: JsonSchema): void {
  if (zodSchema === cidr) {
    schema.pattern = `^${NETWORK}$`;
    schema.patternErrorMessage = sentence("is not a network; it looks like 10.0.0.0/16 or fd00::/64");
  } else if (zodSchema === address) {
    schema.pattern = `^(${ADDRESS}|${ADDRESS_6})$`;
    schema.patternErrorMessage = sentence("is not an address; it looks like 10.0.0.10 or fd00::10");
  } else if (zodSchema instanceof z.ZodString) {
    const said = message(zodSchema);
    if (said !== undefined) schema.patternErrorMessage = said;
  }
}
