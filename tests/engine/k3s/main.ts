/**
 * A stand-in for K3s on lab hosts: the commands, files, ports and refusals of K3s, on a Kubernetes API that the hosts of a lab share. No
 * containers run. The launcher in `/usr/local/bin/k3s` gives the release as `--lab-version`.
 */
import { log } from "./log";

const DEFAULT_VERSION = "v1.36.5+k3s1";
const COMMIT = "0123abcd";

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const given = args[0] === "--lab-version" ? args.splice(0, 2)[1] : undefined;
  const version = given ?? DEFAULT_VERSION;
  const [command = "", ...rest] = args;
  // What only a service needs is not loaded for every kubectl.
  switch (command) {
    case "--version":
    case "-v":
      process.stdout.write(`k3s version ${version} (${COMMIT})\ngo version go1.26.0\n`);
      return;
    case "kubectl":
      process.exitCode = await (await import("./kubectl.js")).runKubectl(rest);
      return;
    case "server":
    case "agent":
      await (await import("./roles.js")).startRole(command, rest, version, COMMIT);
      return;
    default:
      log.fatal(`k3s ${command} is not in the lab's K3s: it has server, agent, kubectl and --version`);
      process.exitCode = 1;
  }
}

void main();
