/**
 * What the comments in `spec/settings/` say about each setting, by its path: the one place where settings are described. Values that it
 * takes follow as `@example`, in YAML.
 */
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { parse } from "yaml";
import type { Target } from "../../spec/schema";

const SETTINGS = path.resolve(__dirname, "../../spec/settings");

/** What the module that describes a target calls itself and its whole schema. */
const ROOTS: Readonly<Record<Target, { readonly file: string; readonly name: string }>> = {
  aws: { file: "aws.ts", name: "awsStack" },
  existing: { file: "existing.ts", name: "existingStack" },
};

/** The constants of a module, by name. */
function constantsOf(name: string): [string, ts.Expression][] {
  const file = path.join(SETTINGS, name);
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);
  return source.statements
    .filter(ts.isVariableStatement)
    .flatMap((statement) =>
      statement.declarationList.declarations.flatMap(({ name: own, initializer }): [string, ts.Expression][] =>
        ts.isIdentifier(own) && initializer !== undefined ? [[own.text, initializer]] : [],
      ),
    );
}

/** What is said of a setting. */
export interface SettingWords {
  readonly description: string;
  readonly examples: readonly unknown[];
}

/**
 * What is said of a target's settings by path, such as `network.vpcCidr` or `nodes[].count`; `*` is any key of a mapping. Where a thing has
 * several kinds, their settings stand under `cni<calico>.version`, and under `cni.version` as the first of them says.
 */
export function settingWords(target: Target): ReadonlyMap<string, SettingWords> {
  const { file, name } = ROOTS[target];
  const others = Object.values(ROOTS).map((root) => root.file);
  const files = [...readdirSync(SETTINGS).filter((each) => !others.includes(each)), file];
  const constants = new Map(files.flatMap(constantsOf));
  const words = new Map<string, SettingWords>();
  const root = constants.get(name);
  if (root === undefined) throw new Error(`spec/settings/${file} has no ${name}`);
  describe(root, "", constants, words);
  return words;
}

type Constants = ReadonlyMap<string, ts.Expression>;

function describe(node: ts.Node, at: string, constants: Constants, found: Map<string, SettingWords>): void {
  if (ts.isCallExpression(node)) {
    const callee = node.expression;
    const method = ts.isPropertyAccessExpression(callee) ? callee.name.text : "";
    // The values of an array or of a mapping stand one level deeper; a default or a check says nothing about the shape.
    const inner = method === "array" ? `${at}[]` : method === "record" ? `${at}.*` : at;
    if (ts.isPropertyAccessExpression(callee)) describe(callee.expression, at, constants, found);
    if (["default", "prefault", "regex", "enum", "literal"].includes(method)) return;
    for (const argument of node.arguments) describe(argument, inner, constants, found);
  } else if (ts.isIdentifier(node)) {
    const constant = constants.get(node.text);
    if (constant !== undefined) describe(constant, at, constants, found);
  } else if (ts.isArrayLiteralExpression(node)) {
    for (const element of node.elements) describe(element, at, constants, found);
  } else if (ts.isObjectLiteralExpression(node)) {
    const kind = kindOf(node);
    const inside = kind === undefined ? at : `${at}<${kind}>`;
    for (const property of node.properties) describeProperty(property, inside, constants, found);
  }
}

/** The word of `type: z.literal("…")`, by which the kinds of a thing are told apart. */
function kindOf({ properties }: ts.ObjectLiteralExpression): string | undefined {
  const type = properties.find(
    (one) => one.name !== undefined && ts.isIdentifier(one.name) && one.name.text === "type",
  );
  if (type === undefined || !ts.isPropertyAssignment(type) || !ts.isCallExpression(type.initializer)) return undefined;
  const { expression, arguments: given } = type.initializer;
  if (!ts.isPropertyAccessExpression(expression) || expression.name.text !== "literal") return undefined;
  const [word] = given;
  return word !== undefined && ts.isStringLiteral(word) ? word.text : undefined;
}

/** A path without the kinds in it. */
export function plainPath(path: string): string {
  return path.replace(/<[^>]*>/gu, "");
}

function examplesOf(property: ts.Node): unknown[] {
  return ts
    .getJSDocTags(property)
    .filter((tag) => tag.tagName.text === "example")
    .map((tag): unknown => parse(ts.getTextOfJSDocComment(tag.comment) ?? ""));
}

function describeProperty(
  property: ts.ObjectLiteralElementLike,
  at: string,
  constants: Constants,
  found: Map<string, SettingWords>,
): void {
  if (ts.isSpreadAssignment(property)) {
    describe(property.expression, at, constants, found);
    return;
  }
  if (!ts.isIdentifier(property.name)) return;
  const path = at === "" ? property.name.text : `${at}.${property.name.text}`;
  const comment = ts
    .getJSDocCommentsAndTags(property)
    .filter(ts.isJSDoc)
    .map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? "");
  const description = comment.join(" ").replace(/\s+/gu, " ").trim();
  if (description !== "") {
    const said = { description, examples: examplesOf(property) };
    for (const one of new Set([path, plainPath(path)])) if (one === path || !found.has(one)) found.set(one, said);
  }
  if (ts.isPropertyAssignment(property)) describe(property.initializer, path, constants, found);
  if (ts.isShorthandPropertyAssignment(property)) describe(property.name, path, constants, found);
}
