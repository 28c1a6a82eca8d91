/** JSON Schema in draft-07, with the words that the YAML language server knows besides. */

/** A JSON Schema, as far as it is used here. */
export interface JsonSchema {
  $schema?: string;
  title?: string;
  description?: string;
  /** The description as editors show it. */
  markdownDescription?: string;
  examples?: unknown[];
  type?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  pattern?: string;
  /** What editors say of a text that the pattern does not match. */
  patternErrorMessage?: string;
  /** What editors say of whatever is wrong here. */
  errorMessage?: string;
  properties?: Record<string, JsonSchema>;
  patternProperties?: Record<string, JsonSchema | boolean>;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  minItems?: number;
  allOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  if?: JsonSchema;
  then?: JsonSchema;
  else?: JsonSchema;
}
