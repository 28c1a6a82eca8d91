/** PULUMI_HOME with the plugins that the program asks for: the official ones where the user has them, else this folder's. */
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { ROOT } from "./project";

/** The providers whose npm packages the program uses. */
const PROVIDERS = ["aws", "command", "kubernetes"] as const;

function packageVersion(name: string): string {
  const file = path.join(ROOT, "node_modules/@pulumi", name, "package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

/** Starts a plugin of `tests/engine/providers`. */
const launcher = (name: string): string => `#!/bin/sh
exec "${process.execPath}" -r "${ROOT}/tools/typescript.cjs" "${ROOT}/tests/engine/providers/${name}/main.ts" "$@"
`;

/**
 * Starts a policy pack of Node's, as the script does that comes with Pulumi's releases: with the SDK of the pack's own folder, in which
 * the engine starts it. The engine is built from its module here, which has no such script.
 */
const POLICY_RUNNER = `#!/bin/sh
runner=$("${process.execPath}" -e "console.log(require.resolve('@pulumi/pulumi/cmd/run-policy-pack'))") || exit 1
exec "${process.execPath}" "$runner" "$@"
`;

function putProgram(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, 0o755);
}

/**
 * Fills a folder.
 *
 * @returns which providers are the official ones.
 */
export function installPlugins(home: string): string[] {
  const official: string[] = [];
  for (const name of PROVIDERS) {
    const folder = `resource-${name}-v${packageVersion(name)}`;
    const target = path.join(home, "plugins", folder);
    const installed = path.join(process.env["PULUMI_HOME"] ?? path.join(homedir(), ".pulumi"), "plugins", folder);
    if (existsSync(installed)) {
      cpSync(installed, target, { recursive: true });
      official.push(name);
      continue;
    }
    putProgram(path.join(target, `pulumi-resource-${name}`), launcher(name));
  }
  putProgram(path.join(home, "plugins/analyzer-policy-v1.0.0/pulumi-analyzer-policy"), POLICY_RUNNER);
  return official;
}
