/** The JSON Schema of a target's settings: the zod schema's, with descriptions and examples, and with what the program's checks take. */
import { z } from "zod";
import { CATALOGUE_SERVICES } from "../../catalogue/ports";
import { SOURCE_WORDS } from "../../spec/normalize";
import { DISABLEABLE, FLANNEL_BACKENDS, TARGET_SCHEMAS, type Target } from "../../spec/schema";
import { isSecretSetting } from "../../spec/show";
import { settingWords, type SettingWords } from "./descriptions";
import { NETWORK, withPatterns } from "./patterns";
import type { JsonSchema } from "./schema-types";

/** Carries the keys that must be given through zod's own list, which names those with defaults too. */
const MUST = "x-must";

/** The schema of a target's settings, by the names of `spec/settings/` (`region` among them), described. */
export function settingsSchema(of: Target): JsonSchema {
  const schema = z.toJSONSchema(TARGET_SCHEMAS[of], {
    io: "output",
    target: "draft-7",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      withPatterns(zodSchema, jsonSchema as JsonSchema);
      if (!(zodSchema instanceof z.ZodObject)) return;
      const shape = Object.entries<z.core.$ZodType>(zodSchema.shape);
      jsonSchema[MUST] = shape.filter(([, value]) => value._zod.optin === undefined).map(([key]) => key);
    },
  }) as JsonSchema;
  return finish(schema, "", settingWords(of));
}

/** Adds descriptions, says what must be given, and allows encrypted values and short forms where the program does. */
function finish(schema: JsonSchema, path: string, words: ReadonlyMap<string, SettingWords>): JsonSchema {
  const { [MUST]: must, ...rest } = schema as JsonSchema & { [MUST]?: string[] };
  delete rest.required;
  const { description, examples = [] } = words.get(path) ?? {};
  const finished: JsonSchema = {
    ...(description === undefined ? {} : { description }),
    ...(examples.length === 0 ? {} : { examples: [...examples] }),
    ...rest,
    ...(must === undefined || must.length === 0 ? {} : { required: must }),
  };
  if (rest.properties !== undefined) {
    const inside = Object.entries(rest.properties).map(
      ([key, value]) => [key, finish(value, path === "" ? key : `${path}.${key}`, words)] as const,
    );
    finished.properties = Object.fromEntries(inside);
  }
  if (typeof rest.additionalProperties === "object") {
    finished.additionalProperties = finish(rest.additionalProperties, `${path}.*`, words);
  }
  if (rest.items !== undefined) {
    const title = rest.items.properties === undefined ? {} : { title: `an entry of ${path}` };
    finished.items = finish({ ...title, ...rest.items }, `${path}[]`, words);
  }
  if (rest.oneOf !== undefined) finished.oneOf = rest.oneOf.map((option) => finish(option, path, words));
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
    return {
      ...(description === undefined ? {} : { description }),
      anyOf: [
        { title: "in clear", ...value },
        { title: "encrypted", ...secure },
      ],
    };
  }
  switch (path) {
    case "loadBalancer":
      // The union's options pass here too, under the same path.
      return schema.oneOf === undefined
        ? schema
        : { default: "servicelb", anyOf: [{ enum: ["servicelb", "none"] }, ...schema.oneOf] };
    case "k3s.flannelBackend":
      return { ...schema, enum: [...FLANNEL_BACKENDS] };
    case "k3s.disable[]":
      return { ...schema, enum: [...DISABLEABLE] };
    case "services[]":
      return { anyOf: [{ enum: [...CATALOGUE_SERVICES] }, { ...schema, title: "a service with its settings" }] };
    case "services[].from[]":
      return {
        ...schema,
        pattern: `^(${SOURCE_WORDS.join("|")}|${NETWORK})$`,
        patternErrorMessage: `Value is neither ${SOURCE_WORDS.join(", ")} nor an IPv4 network such as 10.0.0.0/16.`,
        examples: [...SOURCE_WORDS],
      };
    case "services[].from":
      return {
        ...(schema.description === undefined ? {} : { description: schema.description }),
        anyOf: [schema.items ?? {}, schema],
      };
    default:
      return schema;
  }
}
