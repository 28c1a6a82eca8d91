/** The JSON Schema of a stack file, for editors: both targets' settings under Pulumi's configuration keys, among keys of others. */
import { NAMESPACE, REGION_KEY } from "../../spec/config";
import { DEFAULT_TARGET, TARGETS, type Target } from "../../spec/schema";
import { settingsSchema } from "./json-schema";
import type { JsonSchema } from "./schema-types";

const TARGET_KEY = `${NAMESPACE}:target`;

const configKey = (name: string): string => (name === "region" ? REGION_KEY : `${NAMESPACE}:${name}`);

/** The schema with what editors show: each description in Markdown, with the default behind it. */
function shown(schema: JsonSchema): JsonSchema {
  const { description, default: value } = schema;
  const plain = ["string", "number", "boolean"].includes(typeof value) ? ` Default: \`${String(value)}\`.` : "";
  const each = (of: Record<string, JsonSchema>): Record<string, JsonSchema> =>
    Object.fromEntries(Object.entries(of).map(([key, inner]) => [key, shown(inner)]));
  return {
    ...schema,
    ...(description === undefined ? {} : { markdownDescription: `${description}${plain}` }),
    ...(schema.properties === undefined ? {} : { properties: each(schema.properties) }),
    ...(schema.items === undefined ? {} : { items: shown(schema.items) }),
    ...(schema.anyOf === undefined ? {} : { anyOf: schema.anyOf.map(shown) }),
    ...(typeof schema.additionalProperties === "object"
      ? { additionalProperties: shown(schema.additionalProperties) }
      : {}),
  };
}

/** Keys that match are refused, in these words. */
function refused(patterns: readonly string[], errorMessage: string): JsonSchema {
  return { patternProperties: Object.fromEntries(patterns.map((pattern) => [pattern, false])), errorMessage };
}

/** Names of a target's settings, as keys. */
const keysOf = (target: Target): string[] => Object.keys(settingsSchema(target).properties ?? {}).map(configKey);

/** The `config:` mapping of one target. Settings of other namespaces are allowed; unknown ones of the program's own are not. */
function configSchema(target: Target): JsonSchema {
  const { properties = {}, required = [] } = settingsSchema(target);
  const own = Object.entries(properties).map(([name, value]) => [configKey(name), shown(value)] as const);
  const [other = target] = TARGETS.filter((one) => one !== target);
  const others = keysOf(other).filter((key) => !keysOf(target).includes(key));
  const otherKeys = `^(${others.join("|")})$`;
  return {
    // The target itself is read above, where it decides which of the two schemas counts.
    properties: { ...Object.fromEntries(own), [TARGET_KEY]: {} },
    patternProperties: { [`^(?!${NAMESPACE}:)`]: true, [otherKeys]: true },
    additionalProperties: false,
    required: required.map(configKey),
    allOf: [refused([otherKeys], `A setting of target ${other}; the target here is ${target}.`)],
  };
}

/** A pattern of the program's namespace with one letter wrong, missing or too much, or two in each other's place. */
function misspelt(): string {
  const near = Array.from(NAMESPACE).flatMap((_, at) => {
    const [before, letter = "", after] = [NAMESPACE.slice(0, at), NAMESPACE[at], NAMESPACE.slice(at + 1)];
    const swapped = `${before}${after.slice(0, 1)}${letter}${after.slice(1)}`;
    return [`${before}[^:]?${after}`, `${before}[^:]${letter}${after}`, swapped];
  });
  return `^(?!${NAMESPACE}:)(${[...new Set(near)].join("|")}):`;
}

/** What Pulumi itself keeps in a stack file. */
const PULUMI: Readonly<Record<string, JsonSchema>> = {
  secretsprovider: { type: "string", description: "Pulumi's: what the stack's secrets are encrypted by." },
  encryptedkey: { type: "string", description: "Pulumi's: the encrypted key of the stack's secrets." },
  encryptionsalt: { type: "string", description: "Pulumi's: the salt of the stack's passphrase." },
  environment: { description: "Pulumi's: ESC environments that the stack takes configuration from." },
};

/** The schema of a whole stack file, by its target. */
export function stackFileSchema(): JsonSchema {
  const target = settingsSchema(DEFAULT_TARGET).properties?.["target"]?.description ?? "";
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "k3s-networking stack file",
    type: "object",
    properties: {
      config: {
        description: `Settings of the stack: the program's own under ${NAMESPACE}:, and those of providers.`,
        type: "object",
        properties: {
          [TARGET_KEY]: shown({ description: target, enum: [...TARGETS], default: DEFAULT_TARGET }),
        },
        allOf: [
          refused(["^[^:]*$"], `A key without a namespace; the program's are ${NAMESPACE}:NAME.`),
          refused([misspelt()], `A namespace that nobody reads; the program's is ${NAMESPACE}.`),
        ],
        if: { properties: { [TARGET_KEY]: { const: "existing" } }, required: [TARGET_KEY] },
        then: configSchema("existing"),
        else: configSchema("aws"),
      },
      ...PULUMI,
    },
    // Further keys are allowed: they hold what aliases in `config:` refer to.
    required: ["config"],
  };
}
