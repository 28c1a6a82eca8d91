/** What the comments in `spec/schema.ts` say about each setting, by its path: the one place where settings are described. */
import { readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

const SCHEMA = path.resolve(__dirname, "../../spec/schema.ts");

/** Descriptions by path, such as `network.vpcCidr` or `nodes[].count`. */
export function settingDescriptions(): ReadonlyMap<string, string> {
  const file = ts.createSourceFile(SCHEMA, readFileSync(SCHEMA, "utf8"), ts.ScriptTarget.ES2022, true);
  const constants = new Map<string, ts.Expression>();
  for (const statement of file.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations) {
      if (ts.isIdentifier(name) && initializer !== undefined) constants.set(name.text, initializer);
    }
  }
  const descriptions = new Map<string, string>();
  const root = constants.get("stackSchema");
  if (root === undefined) throw new Error("spec/schema.ts has no stackSchema");
  describe(root, "", constants, descriptions);
  return descriptions;
}

type Constants = ReadonlyMap<string, ts.Expression>;

function describe(node: ts.Node, at: string, constants: Constants, found: Map<string, string>): void {
  if (ts.isCallExpression(node)) {
    const callee = node.expression;
    const method = ts.isPropertyAccessExpression(callee) ? callee.name.text : "";
    // The values of an array stand one level deeper; a default or a check says nothing about the shape.
    const inner = method === "array" ? `${at}[]` : at;
    if (ts.isPropertyAccessExpression(callee)) describe(callee.expression, at, constants, found);
    if (["default", "prefault", "regex", "enum", "literal", "record"].includes(method)) return;
    for (const argument of node.arguments) describe(argument, inner, constants, found);
  } else if (ts.isIdentifier(node)) {
    const constant = constants.get(node.text);
    if (constant !== undefined) describe(constant, at, constants, found);
  } else if (ts.isArrayLiteralExpression(node)) {
    for (const element of node.elements) describe(element, at, constants, found);
  } else if (ts.isObjectLiteralExpression(node)) {
    for (const property of node.properties) describeProperty(property, at, constants, found);
  }
}

function describeProperty(
  property: ts.ObjectLiteralElementLike,
  at: string,
  constants: Constants,
  found: Map<string, string>,
): void {
  if (property.name === undefined || !ts.isIdentifier(property.name)) return;
  const path = at === "" ? property.name.text : `${at}.${property.name.text}`;
  const comment = ts.getJSDocCommentsAndTags(property).map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? "");
  const text = comment.join(" ").replace(/\s+/gu, " ").trim();
  if (text !== "") found.set(path, text);
  if (ts.isPropertyAssignment(property)) describe(property.initializer, path, constants, found);
  if (ts.isShorthandPropertyAssignment(property)) describe(property.name, path, constants, found);
}
