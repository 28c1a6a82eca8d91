/** The real kubectl on one cluster. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Values } from "../values";

/** What a refusal is about. */
export type Reason = "NotFound" | "AlreadyExists" | "Conflict" | "NoMatch" | "Other";

/** kubectl failed. The message is what it printed. */
export class KubectlError extends Error {
  constructor(
    readonly reason: Reason,
    message: string,
  ) {
    super(message);
  }
}

function reasonOf(printed: string): Reason {
  const status = /^Error from server \((\w+)\):/m.exec(printed)?.[1];
  if (status === "NotFound" || status === "AlreadyExists" || status === "Conflict") return status;
  if (/^error: Apply failed with \d+ conflict/m.test(printed)) return "Conflict";
  const noMatch = /no matches for kind|doesn't have a resource type|could not find the requested resource/;
  return noMatch.test(printed) ? "NoMatch" : "Other";
}

/** What the API server says, without what kubectl says around it. */
function essence(printed: string): string {
  return printed
    .trim()
    .replace(/^Error from server(?: \(\w+\))?: /, "")
    .replace(/^error when \w+ "STDIN": /, "")
    .replace(/\nPlease review the fields above.*$/s, "");
}

/** kubectl with a kubeconfig of its own, in a folder that nobody else may read and that goes with the process. */
export class Kubectl {
  private readonly folder = mkdtempSync(path.join(tmpdir(), "pulumi-resource-kubernetes-"));

  constructor(kubeconfig: string) {
    writeFileSync(path.join(this.folder, "kubeconfig"), kubeconfig, { mode: 0o600 });
    const remove = (): void => {
      rmSync(this.folder, { recursive: true, force: true });
    };
    process.once("exit", remove);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(0));
  }

  /**
   * Runs kubectl.
   *
   * @param input objects for `-f -`.
   * @returns what it printed.
   * @throws KubectlError where it failed.
   */
  async run(args: readonly string[], input?: Values): Promise<string> {
    const binary = process.env["ENGINE_TEST_KUBECTL"];
    if (binary === undefined) throw new Error("ENGINE_TEST_KUBECTL does not say where kubectl is");
    const own = [
      `--kubeconfig=${path.join(this.folder, "kubeconfig")}`,
      `--cache-dir=${path.join(this.folder, "cache")}`,
    ];
    const child = spawn(binary, [...own, ...args], { env: { PATH: process.env["PATH"], HOME: this.folder } });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input === undefined ? "" : JSON.stringify(input));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (code === 0) return output.stdout;
    throw new KubectlError(reasonOf(output.stderr), essence(output.stderr));
  }

  /**
   * Runs kubectl for an object.
   *
   * @returns the object as it is then.
   */
  async object(args: readonly string[], input: Values): Promise<Values> {
    const answer = JSON.parse(await this.run([...args, "-o", "json", "-f", "-"], input)) as Values;
    // What is read by a file's contents comes in a list.
    const items = answer["kind"] === "List" ? (answer["items"] as readonly Values[]) : [answer];
    const [first] = items;
    if (first === undefined) throw new KubectlError("NotFound", "not found");
    return first;
  }
}
