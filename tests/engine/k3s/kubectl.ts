/** `k3s kubectl`: the real kubectl with K3s's kubeconfig. */
import { spawn } from "node:child_process";
import { ADMIN_KUBECONFIG, KUBECTL } from "./paths";

/** Runs it to its end. @returns its exit code. */
export function runKubectl(args: readonly string[]): Promise<number> {
  const env = { ...process.env, KUBECONFIG: process.env["KUBECONFIG"] ?? ADMIN_KUBECONFIG };
  const child = spawn(KUBECTL, args, { env, stdio: "inherit" });
  // K3s is kubectl itself: what ends the one must end the other.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      resolve(code ?? 1);
    });
  });
}
