/** The folder that every host has as /usr/local/lib/lab, read-only: Node, kubectl, the stand-in for K3s, and the lab's own scripts. */
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { run } from "../harness/process";

/** Where hosts have the folder. */
export const SHARED_ON_HOSTS = "/usr/local/lib/lab";
/** The backend's certificate in it. */
const AUTHORITY = "backend-ca.crt";

export interface SharedOptions {
  /** The folder, which is made. */
  readonly folder: string;
  /** The folder of what is put on hosts. */
  readonly guest: string;
  /** Folder of the stand-in's TypeScript. */
  readonly k3s: string;
  /** The kubectl command. Left out: hosts have none. */
  readonly kubectl?: string;
  /** Folder of custom resource definitions. Left out: hosts have none. */
  readonly crds?: string;
}

/** Fills it. */
export async function createShared({ folder, guest, k3s, kubectl, crds }: SharedOptions): Promise<void> {
  mkdirSync(folder, { recursive: true });
  cpSync(guest, path.join(folder, "guest"), { recursive: true });
  if (existsSync(k3s)) transpile(k3s, path.join(folder, "k3s"));
  if (crds !== undefined) cpSync(crds, path.join(folder, "crds"), { recursive: true });
  // Users read it too, whatever the umask.
  await run("chmod", ["-R", "a+rX", folder]);
  await bind(process.execPath, path.join(folder, "node"));
  if (kubectl !== undefined) await bind(kubectl, path.join(folder, "kubectl"));
  const modules = path.join(folder, "node_modules/yaml");
  mkdirSync(modules, { recursive: true });
  await bind(path.dirname(require.resolve("yaml/package.json")), modules);
}

/** Puts the certificate that the backend is trusted by where hosts see it. @returns its path there. */
export function shareAuthority(folder: string, file: string): string {
  copyFileSync(file, path.join(folder, AUTHORITY));
  return `${SHARED_ON_HOSTS}/${AUTHORITY}`;
}

/** Shows a file or folder in another place, where nobody can write to it: of what is big, no host gets a copy. */
async function bind(source: string, target: string): Promise<void> {
  if (!existsSync(target)) writeFileSync(target, "");
  const result = await run("mount", ["-o", "bind,ro", source, target]);
  if (result.code !== 0) throw new Error(`${source} cannot be shown to hosts: ${result.output}`);
}

/** TypeScript to CommonJS, file by file: types are checked elsewhere. */
function transpile(source: string, target: string): void {
  mkdirSync(target, { recursive: true });
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const from = path.join(source, entry.name);
    if (entry.isDirectory()) transpile(from, path.join(target, entry.name));
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
    const { outputText } = ts.transpileModule(readFileSync(from, "utf8"), {
      fileName: entry.name,
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
    });
    writeFileSync(path.join(target, entry.name.replace(/\.ts$/, ".js")), outputText);
  }
}
