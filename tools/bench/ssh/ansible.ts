/** Ansible: its own Python environment, and the playbook on the lab's hosts. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { stringify } from "yaml";
import { knownText } from "../../../plan/known-addresses";
import type { TemplateText } from "../../../plan/types";
import { run, type Finished } from "../../../tests/engine/harness/process";
import { inPartialFolder, isCurrent, isProgram, keyOf, onPath, putFolder, type Place } from "../../engine/place";
import { SetupError, mustRun, withProgress } from "../../engine/step";
import { toolsOf } from "./inside";
import { isServer, type BenchHost, type LabCluster } from "./lab-cluster";

const SUBJECT = { name: "Python environment", purpose: "Ansible, which the program is measured against", seconds: 30 };
const ADVICE =
  "Ansible needs Python 3.11 or newer with venv (Debian: python3-venv), and the package index that pip uses.";
const REQUIREMENTS = path.join(__dirname, "python/requirements.txt");
const PLAYBOOK = path.join(__dirname, "ansible");

/** Makes the environment when it is missing or outdated. @returns its python. @throws SetupError */
export async function ensureAnsible(place: Place): Promise<string> {
  const base = onPath("python3", place.env);
  if (base === undefined) throw new SetupError(ADVICE);
  const folder = path.join(place.target, "ansible");
  const file = path.join(folder, "bin/python");
  const key = keyOf(base, readFileSync(REQUIREMENTS, "utf8"));
  const isReady = (): boolean => isProgram(file) && isCurrent(folder, key);
  if (isReady()) return file;
  const env = { ...place.env, PYTHONHOME: undefined, PYTHONPATH: undefined, PIP_DISABLE_PIP_VERSION_CHECK: "1" };
  await withProgress(place, ["Making", "Made"], SUBJECT, () =>
    inPartialFolder(place.target, async (partial) => {
      const finished = path.join(partial, "ansible");
      const common = { cwd: __dirname, env };
      await mustRun("Making a Python environment (python3 -m venv)", ADVICE, {
        ...common,
        file: base,
        args: ["-m", "venv", finished],
      });
      await mustRun("Installing Ansible (pip install)", ADVICE, {
        ...common,
        file: path.join(finished, "bin/python"),
        args: ["-m", "pip", "install", "--no-input", "--only-binary=:all:", "--require-hashes", "-r", REQUIREMENTS],
      });
      putFolder(finished, folder, key, isReady);
      return "with the packages of tools/bench/ssh/python/requirements.txt";
    }),
  );
  return file;
}

/** The content of a file in a document of the program's. */
function section(document: string, file: string): string {
  const from = document.indexOf(`--- ${file} `);
  if (from < 0) throw new Error(`a document has no ${file}`);
  const rest = document.slice(document.indexOf("\n", from) + 1);
  const end = rest.search(/^--- /mu);
  return end < 0 ? rest : rest.slice(0, end);
}

/** Writes the files that hosts get, with the names of their interfaces, and the variables of each. */
function describe(hosts: readonly BenchHost[], folder: string, cluster: LabCluster): unknown {
  const known = (text: TemplateText): string =>
    knownText(
      hosts.map(({ plan }) => plan),
      text,
    );
  const [first] = hosts;
  const group = (members: readonly BenchHost[]): unknown => ({
    hosts: Object.fromEntries(
      members.map(({ plan, host }) => {
        const place = path.join(folder, "files", plan.name);
        mkdirSync(place, { recursive: true });
        const device = host.nics[0]?.device ?? "";
        const rules = section(known(plan.firewallDocument ?? []), "/etc/k3s-networking/firewall.nft");
        writeFileSync(path.join(place, "firewall.nft"), `define shared = "${device}"\n${rules}`);
        writeFileSync(
          path.join(place, "config.yaml"),
          section(known(plan.hostDocument), "/etc/rancher/k3s/config.yaml"),
        );
        const isFirst = plan === first?.plan;
        const api = /^api-port=(\d+)$/mu.exec(known(plan.hostDocument))?.[1] ?? "";
        const variables = {
          ansible_host: plan.ssh.host,
          role: plan.role,
          unit: plan.role === "server" ? "k3s" : "k3s-agent",
          is_first: isFirst,
          interface: device,
          version: /^version=(\S+)$/mu.exec(known(plan.hostDocument))?.[1] ?? "",
          join: isFirst ? "cluster-init: true" : `server: https://${first?.plan.ssh.host ?? ""}:${api}`,
        };
        return [plan.name, variables];
      }),
    ),
  });
  const variables = {
    ansible_user: cluster.user,
    ansible_ssh_private_key_file: path.join(cluster.folder, "operator-key"),
    ansible_ssh_common_args: `-o UserKnownHostsFile=${path.join(folder, "known_hosts")} -o StrictHostKeyChecking=yes`,
    files: path.join(folder, "files"),
    own_token: "bench-server-token-0123456789",
    own_agent_token: "bench-agent-token-0123456789",
  };
  const children = {
    servers: group(hosts.filter(isServer)),
    agents: group(hosts.filter((one) => !isServer(one))),
  };
  return { all: { vars: variables, children } };
}

/** Runs the playbook on all hosts. @returns what it printed, and its time. @throws where it failed. */
export async function runPlaybook(cluster: LabCluster): Promise<Finished> {
  const folder = path.join(cluster.folder, "ansible");
  if (!existsSync(folder)) cpSync(PLAYBOOK, folder, { recursive: true });
  const hosts = cluster.hosts();
  writeFileSync(path.join(folder, "inventory.yml"), stringify(describe(hosts, folder, cluster), { lineWidth: 0 }));
  const known = hosts.map(({ plan }) => `${plan.ssh.host} ${plan.hostKey}\n`).join("");
  writeFileSync(path.join(folder, "known_hosts"), known);
  // Connections that an earlier run left open are not used again.
  const sockets = mkdtempSync(path.join(folder, "cp-"));
  const words = ["-m", "ansible", "playbook", "-i", "inventory.yml", "playbook.yml"];
  const settings = { ANSIBLE_CONFIG: path.join(folder, "ansible.cfg"), ANSIBLE_SSH_CONTROL_PATH_DIR: sockets };
  const env = { ...process.env, ...settings, HOME: folder, LC_ALL: "C.UTF-8" };
  const result = await run(toolsOf().ansible, words, { cwd: folder, env, limit: 1800 });
  if (result.code !== 0)
    throw new Error(`ansible-playbook ended with ${String(result.code)}:\n${result.output.slice(-6000)}`);
  return result;
}
