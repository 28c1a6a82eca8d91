/** The JSON Schema of a stack file, for editors: the zod schema's, with descriptions, under Pulumi's configuration keys. */
import { z } from "zod";
import { CATALOGUE_SERVICES } from "../../catalogue/ports";
import { NAMESPACE, REGION_KEY } from "../../spec/config";
import { DEFAULT_TARGET, TARGETS, TARGET_SCHEMAS, type Target } from "../../spec/schema";
import { isSecretSetting } from "../../spec/show";
import { settingDescriptions } from "./descriptions";

/** A JSON Schema, as far as it is used here. */
export interface JsonSchema {
  $schema?: string;
  title?: string;
  description?: string;
  type?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  pattern?: string;
  properties?: Record<string, JsonSchema>;
  patternProperties?: Record<string, JsonSchema | boolean>;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  minItems?: number;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  if?: JsonSchema;
  then?: JsonSchema;
  else?: JsonSchema;
}

/** Carries the keys that must be given through zod's own list, which names those with defaults too. */
const MUST = "x-must";

/** The schema of a target's settings, by the names of `spec/settings/` (`region` among them), described. */
export function settingsSchema(of: Target): JsonSchema {
  const schema = z.toJSONSchema(TARGET_SCHEMAS[of], {
    io: "output",
    target: "draft-7",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      if (!(zodSchema instanceof z.ZodObject)) return;
      const shape = Object.entries<z.core.$ZodType>(zodSchema.shape);
      jsonSchema[MUST] = shape.filter(([, value]) => value._zod.optin === undefined).map(([key]) => key);
    },
  }) as JsonSchema;
  return finish(schema, "", settingDescriptions(of));
}

/** Adds descriptions, says what must be given, and allows encrypted values and short forms where the program does. */
function finish(schema: JsonSchema, path: string, descriptions: ReadonlyMap<string, string>): JsonSchema {
  const { [MUST]: must, ...rest } = schema as JsonSchema & { [MUST]?: string[] };
  delete rest.required;
  const description = descriptions.get(path);
  const finished: JsonSchema = {
    ...(description === undefined ? {} : { description }),
    ...rest,
    ...(must === undefined || must.length === 0 ? {} : { required: must }),
  };
  if (rest.properties !== undefined) {
    const inside = Object.entries(rest.properties).map(
      ([key, value]) => [key, finish(value, path === "" ? key : `${path}.${key}`, descriptions)] as const,
    );
    finished.properties = Object.fromEntries(inside);
  }
  if (typeof rest.additionalProperties === "object") {
    finished.additionalProperties = finish(rest.additionalProperties, `${path}.*`, descriptions);
  }
  if (rest.items !== undefined) finished.items = finish(rest.items, `${path}[]`, descriptions);
  if (rest.oneOf !== undefined) finished.oneOf = rest.oneOf.map((option) => finish(option, path, descriptions));
  return shortForms(finished, path);
}

function shortForms(schema: JsonSchema, path: string): JsonSchema {
  // A secret may be encrypted.
  if (
    isSecretSetting(
      path
        .replaceAll("[]", "[0]")
        .split(/[.[\]]+/u)
        .map((part) => (part === "0" ? 0 : part)),
    )
  ) {
    const secure: JsonSchema = { type: "object", properties: { secure: { type: "string" } }, required: ["secure"] };
    const { description, ...value } = schema;
    return { ...(description === undefined ? {} : { description }), anyOf: [value, secure] };
  }
  switch (path) {
    case "loadBalancer":
      // The union's options pass here too, under the same path.
      return schema.oneOf === undefined
        ? schema
        : { default: "servicelb", anyOf: [{ enum: ["servicelb", "none"] }, ...schema.oneOf] };
    case "services[]":
      return { anyOf: [{ enum: [...CATALOGUE_SERVICES] }, schema] };
    case "services[].from":
      return {
        ...(schema.description === undefined ? {} : { description: schema.description }),
        anyOf: [{ type: "string" }, schema],
      };
    default:
      return schema;
  }
}

const TARGET_KEY = `${NAMESPACE}:target`;

const configKey = (name: string): string => (name === "region" ? REGION_KEY : `${NAMESPACE}:${name}`);

/** The `config:` mapping of one target. Settings of other providers are allowed; unknown ones of the program's own are not. */
function configSchema(target: Target): JsonSchema {
  const { properties = {}, required = [] } = settingsSchema(target);
  const own = Object.keys(properties).filter((name) => name !== "region");
  return {
    properties: Object.fromEntries(Object.entries(properties).map(([name, value]) => [configKey(name), value])),
    patternProperties: {
      [`^${NAMESPACE}:(?!(${own.join("|")})$)`]: false,
      ...(properties["region"] === undefined ? { [`^${REGION_KEY}$`]: false } : {}),
    },
    required: required.map(configKey),
  };
}

/** The schema of a whole stack file, by its target. */
export function stackFileSchema(): JsonSchema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "k3s-networking stack file",
    type: "object",
    properties: {
      config: {
        type: "object",
        properties: { [TARGET_KEY]: { enum: [...TARGETS], default: DEFAULT_TARGET } },
        if: { properties: { [TARGET_KEY]: { const: "existing" } }, required: [TARGET_KEY] },
        then: configSchema("existing"),
        else: configSchema("aws"),
      },
    },
    required: ["config"],
  };
}
