/** An SSH agent in this process, with the keys that a test gives it. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { AgentProtocol, utils, type ParsedKey } from "ssh2";

export interface TestAgent {
  readonly socket: string;
  stop(): Promise<void>;
}

function parse(key: string): ParsedKey {
  const parsed = utils.parseKey(key);
  if (parsed instanceof Error) throw parsed;
  return parsed;
}

/** Starts it. */
export async function startAgent(privateKeys: readonly string[]): Promise<TestAgent> {
  const keys = privateKeys.map(parse);
  const folder = mkdtempSync(path.join(tmpdir(), "k3s-networking-agent-"));
  const socket = path.join(folder, "agent");
  const server = createServer((stream) => {
    const protocol = new AgentProtocol(false);
    protocol.on("identities", (request) => {
      protocol.getIdentitiesReply(request, keys);
    });
    protocol.on("sign", (request, publicKey, data) => {
      const wanted = publicKey instanceof Buffer ? publicKey : publicKey.getPublicSSH();
      const key = keys.find((known) => known.getPublicSSH().equals(wanted));
      if (key === undefined) protocol.failureReply(request);
      else protocol.signReply(request, key.sign(data));
    });
    stream.on("error", () => undefined);
    stream.pipe(protocol).pipe(stream);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    stop: async () => {
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
