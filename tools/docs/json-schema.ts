/** The JSON Schema of a target's settings: the zod schema's, with descriptions and examples, and with what the program's checks take. */
import { z } from "zod";
import { CATALOGUE_SERVICES } from "../../catalogue/ports";
import { SOURCE_WORDS } from "../../spec/normalize";
import { DISABLEABLE, FLANNEL_BACKENDS, TARGET_SCHEMAS, type Target } from "../../spec/schema";
import { isSecretSetting } from "../../spec/show";
import { plainPath, settingWords, type SettingWords } from "./descriptions";
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
function finish(schema: JsonSchema, of: string, words: ReadonlyMap<string, SettingWords>): JsonSchema {
  const { [MUST]: must, ...rest } = schema as JsonSchema & { [MUST]?: string[] };
  delete rest.required;
  const path = plainPath(of);
  // A kind of a thing is not described again as the thing.
  const { description, examples = [] } = of.endsWith(">") ? {} : (words.get(of) ?? words.get(path) ?? {});
  const finished: JsonSchema = {
    ...(description === undefined ? {} : { description }),
    ...(examples.length === 0 ? {} : { examples: [...examples] }),
    ...rest,
    ...(must === undefined || must.length === 0 ? {} : { required: must }),
  };
  if (rest.properties !== undefined) {
    const inside = Object.entries(rest.properties).map(
      ([key, value]) => [key, finish(value, of === "" ? key : `${of}.${key}`, words)] as const,
    );
    finished.properties = Object.fromEntries(inside);
  }
  if (typeof rest.additionalProperties === "object") {
    finished.additionalProperties = finish(rest.additionalProperties, `${of}.*`, words);
  }
  if (rest.items !== undefined) {
    const title = rest.items.properties === undefined ? {} : { title: `an entry of ${path}` };
    finished.items = finish({ ...title, ...rest.items }, `${of}[]`, words);
  }
  if (rest.oneOf !== undefined)
    finished.oneOf = rest.oneOf.map((option) => {
      const kind = option.properties?.["type"]?.const;
      return finish(option, typeof kind === "string" ? `${of}<${kind}>` : of, words);
    });
  return shortForms(finished, path);
}

/** The kinds that a stack gets when it says nothing; of those that are not here, the description says which. */
const DEFAULT_KINDS = {
  cni: "flannel",
  loadBalancer: "servicelb",
  serviceMesh: "none",
  ingress: undefined,
  dns: undefined,
};

/** Kinds of a thing, each a mapping by its `type`: those whose settings all have defaults may be written as the plain word. */
function wordOrMapping(schema: JsonSchema, chosen: string | undefined): JsonSchema {
  const { oneOf, description, examples } = schema;
  // The union's options pass here too, under the same path.
  if (oneOf === undefined) return schema;
  const words = oneOf.flatMap(({ properties, required = [] }) => {
    const kind = properties?.["type"]?.const;
    return required.every((key) => key === "type") && typeof kind === "string" ? kind : [];
  });
  return {
    ...(description === undefined ? {} : { description }),
    ...(examples === undefined ? {} : { examples }),
    ...(chosen === undefined ? {} : { default: chosen }),
    anyOf: [{ enum: words }, ...oneOf],
  };
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
    case "cni":
    case "ingress":
    case "dns":
    case "serviceMesh":
    case "loadBalancer":
      return wordOrMapping(schema, DEFAULT_KINDS[path]);
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
        patternErrorMessage: `Value is neither ${SOURCE_WORDS.join(", ")} nor a network such as 10.0.0.0/16 or fd00::/64.`,
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
