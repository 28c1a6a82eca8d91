/**
 * Hosts that cost nothing: one SSH server, in a process of its own, that stands for every address of this network namespace. It takes a
 * connection as sshd does (key exchange, host key, the user's key), reads a script's standard input to its end, and prints at once what
 * that script would, without running anything.
 *
 * Arguments: file of the private host key, and file of the public key that users have. Says `ready` when it listens.
 */
import { readFileSync } from "node:fs";
import { Server, utils, type Connection } from "ssh2";
import { readScript } from "../../../components/script";
import { SSH_PORT } from "../../../catalogue/ports";

const TOKENS = "server-token=K10cheap::server:cheap\nagent-token=K10cheap::node:cheap\nagent-password=cheap\n";
const KUBECONFIG = "apiVersion: v1\nkind: Config\nclusters: []\nusers: []\ncontexts: []\n";

/** What `check.sh` prints of a host that is in order: the addresses that its document names. */
function checked(document: string): string {
  const networks = [...document.matchAll(/^network=(\S+) (\S+) (\S+)$/gmu)];
  const lines = networks.map(([, network = "", address = "", name = ""]) => {
    return `address\t${network}\t${address}\t${name === "-" ? "eth0" : name}\n`;
  });
  return `ok\tprivileges\troot\n${lines.join("")}`;
}

/** What scripts print, by their texts. */
const ANSWERS: ReadonlyMap<string, (stdin: string) => string> = new Map([
  [readScript("check.sh"), checked],
  [readScript("firewall.sh"), () => "armed\n"],
  [readScript("converge.sh"), (stdin) => (/^step=bootstrap$/mu.test(stdin) ? TOKENS : "changed: k3s\n")],
  [readScript("kubeconfig.sh"), () => KUBECONFIG],
]);

function serve(connection: Connection, userKey: Buffer): void {
  connection.on("error", () => undefined);
  connection.on("authentication", (context) => {
    if (context.method === "publickey" && context.key.data.equals(userKey)) context.accept();
    else context.reject(["publickey"]);
  });
  connection.on("session", (accept) => {
    accept().on("exec", (acceptExec, _reject, { command }) => {
      const channel = acceptExec();
      let stdin = "";
      channel.on("data", (data: Buffer) => (stdin += data.toString()));
      channel.on("end", () => {
        channel.write(ANSWERS.get(command)?.(stdin) ?? "changed\n");
        channel.exit(0);
        channel.end();
      });
    });
  });
}

function main([hostKeyFile = "", userKeyFile = ""]: readonly string[]): void {
  const userKey = utils.parseKey(readFileSync(userKeyFile));
  if (userKey instanceof Error) throw userKey;
  const server = new Server({ hostKeys: [readFileSync(hostKeyFile)] }, (connection) => {
    serve(connection, userKey.getPublicSSH());
  });
  let connections = 0;
  server.on("connection", () => (connections += 1));
  server.listen(SSH_PORT, "0.0.0.0", () => {
    process.stdout.write("ready\n");
  });
  // Whoever started it asks with a line; the end of its input is its own end.
  process.stdin.on("data", () => process.stdout.write(`${connections}\n`));
  process.stdin.on("end", () => {
    process.exit();
  });
}

main(process.argv.slice(2));
