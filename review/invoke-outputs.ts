/**
 * The names of a provider function's results. A preview calls no provider, so they are read from the type declarations that the
 * provider's package carries: the interface `XResult` of function `x`.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const requireHere = createRequire(__filename);
const known = new Map<string, readonly string[]>();

/**
 * Names of the results of a provider function, by its token, such as `aws:ssm/getParameter:getParameter`.
 *
 * @throws Error when the installed package does not declare them.
 */
export function invokeOutputs(token: string): readonly string[] {
  let names = known.get(token);
  if (names === undefined) {
    names = readDeclaration(token);
    known.set(token, names);
  }
  return names;
}

function readDeclaration(token: string): readonly string[] {
  const [provider, modulePath, name] = token.split(":");
  if (provider === undefined || modulePath === undefined || name === undefined) {
    throw new Error(`${token} is not the token of a provider function`);
  }
  // Functions of a package's index module have a token such as aws:index/getRegion:getRegion.
  const file = modulePath.replace(/^index\//u, "");
  const root = path.dirname(requireHere.resolve(`@pulumi/${provider}/package.json`));
  const declaration = readFileSync(path.join(root, `${file}.d.ts`), "utf8");
  const result = `${name.charAt(0).toUpperCase()}${name.slice(1)}Result`;
  const body = new RegExp(`export interface ${result} \\{([\\s\\S]*?)\\n\\}`, "u").exec(declaration)?.[1];
  const names = [...(body ?? "").matchAll(/^ {4}readonly (\w+)\??:/gmu)].map((match) => match[1] ?? "");
  if (names.length === 0) throw new Error(`@pulumi/${provider} does not declare the results of ${token}`);
  return names;
}
