/** Visits to hosts over real SSH on loopback: what is sent, what is found, and every way in which a host cannot be looked at. */
import { createServer, type AddressInfo, type Server } from "node:net";
import type { Identity } from "../../doctor/keys";
import type { HostReport } from "../../doctor/report";
import type { HostTarget, Visit } from "../../doctor/target";
import { visitHosts, type VisitOptions } from "../../doctor/visit";
import { TestServer, keyPair, type Answer, type ServerOptions } from "./server";

const HOST_KEY = keyPair();
const OTHER_KEY = keyPair();
const USER_KEY = keyPair();
const SCRIPT = "#!/bin/sh\n# stands for the checks\n";
const IDENTITY: Identity = { kind: "file", file: "id", privateKey: USER_KEY.private };
const OPTIONS: VisitOptions = { script: SCRIPT, identity: IDENTITY, limits: { connect: 20, run: 20 } };
const QUICK: VisitOptions = { ...OPTIONS, limits: { connect: 0.3, run: 0.3 } };

const FINE = "ok\tprivileges\troot by sudo\nok\tports\tall free\n";

const started: { stop: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

async function server(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const made = await TestServer.start({
    hostKey: HOST_KEY,
    userKey: USER_KEY.public,
    answer: () => ({ stdout: FINE }),
    ...options,
  });
  started.push(made);
  return made;
}

/** A server that takes connections and says nothing, or the number of a port where none is. */
async function silent(): Promise<number> {
  const made: Server = createServer(() => undefined);
  await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", resolve));
  const { port } = made.address() as AddressInfo;
  const sockets = new Set<{ destroy: () => void }>();
  made.on("connection", (socket) => sockets.add(socket));
  started.push({
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => made.close(resolve));
    },
  });
  return port;
}

async function nobody(): Promise<number> {
  const made = createServer();
  await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", resolve));
  const { port } = made.address() as AddressInfo;
  await new Promise((resolve) => made.close(resolve));
  return port;
}

function target(port: number, change: Partial<HostTarget> = {}): HostTarget {
  const node = change.node ?? "server-1";
  return {
    node,
    host: "127.0.0.1",
    port,
    user: "ops",
    hostKey: HOST_KEY.public,
    document: `clock=true\nnode=${node}\n`,
    ...change,
  };
}

async function visit(
  hosts: readonly HostTarget[],
  options = OPTIONS,
  bastion?: Visit["bastion"],
): Promise<HostReport[]> {
  return visitHosts(bastion === undefined ? { hosts } : { hosts, bastion }, options);
}

const rows = (reports: readonly HostReport[]): string[] =>
  reports.flatMap(({ node, checks }) =>
    checks.map(({ check, result, detail }) => `${node} ${check} ${result} ${detail}`),
  );

test("a host gets the script as its command and the document on standard input, on one connection", async () => {
  const host = await server();
  expect(await visit([target(host.port)])).toEqual([
    {
      node: "server-1",
      endpoint: `127.0.0.1:${host.port}`,
      addresses: [],
      checks: [
        { check: "privileges", result: "ok", detail: "root by sudo", remedy: "" },
        { check: "ports", result: "ok", detail: "all free", remedy: "" },
      ],
    },
  ]);
  expect(host.asked).toEqual([{ command: SCRIPT, stdin: "clock=true\nnode=server-1\n" }]);
  expect({ users: host.users, connections: host.connections }).toEqual({ users: ["ops"], connections: 1 });
});

test("checks that fail are rows with their remedies, and reports keep the stack's order", async () => {
  const slow: Answer = {
    stdout: "fail\tports\ttcp 10250 is taken\tstop it\naddress\texternal\t192.0.2.1\teth0\n",
    code: 1,
  };
  const [one, other] = [await server({ answer: () => slow }), await server()];
  const reports = await visit([target(one.port, { node: "b" }), target(other.port, { node: "a" })]);
  expect(reports.map(({ node }) => node)).toEqual(["b", "a"]);
  expect(reports[0]).toMatchObject({
    checks: [{ check: "ports", result: "fail", detail: "tcp 10250 is taken", remedy: "stop it" }],
    addresses: [{ network: "external", address: "192.0.2.1", interface: "eth0" }],
  });
});

test("another host key: nothing is sent, and both keys are named", async () => {
  const host = await server({ hostKey: OTHER_KEY });
  const [report] = await visit([target(host.port)]);
  expect(report?.checks).toHaveLength(1);
  expect(report?.checks[0]).toMatchObject({ check: "host-key", result: "fail" });
  expect(report?.checks[0]?.detail).toMatch(
    /^the host shows ssh-ed25519 SHA256:[\w+/]{43}, and the stack pins ssh-ed25519 SHA256:[\w+/]{43}: nothing was sent to it$/u,
  );
  expect(report?.checks[0]?.remedy).toContain(`ssh-keyscan -p ${host.port} 127.0.0.1`);
  expect({ users: host.users, asked: host.asked }).toEqual({ users: [], asked: [] });
});

test("a host whose key is of another kind is told by the key that it has", async () => {
  const host = await server({ hostKey: keyPair("ecdsa") });
  expect(rows(await visit([target(host.port)]))[0]).toMatch(
    /^server-1 host-key fail the host shows ecdsa-sha2-nistp256 SHA256:.*pins ssh-ed25519 SHA256:/u,
  );
});

test("an ECDSA key can be pinned", async () => {
  const key = keyPair("ecdsa");
  const host = await server({ hostKey: key });
  expect(rows(await visit([target(host.port, { hostKey: key.public })]))).toHaveLength(2);
});

test("nobody listens", async () => {
  const port = await nobody();
  expect(rows(await visit([target(port)]))).toEqual([
    `server-1 connection fail 127.0.0.1:${port}: the connection was refused`,
  ]);
});

test("a name without an address", async () => {
  const [row] = rows(await visit([target(1, { host: "no-such-host.invalid" })]));
  expect(row).toMatch(
    /^server-1 connection fail no-such-host\.invalid:1: the name (has no address|cannot be looked up)$/u,
  );
});

test("who does not answer is given up, and keeps no other host waiting", async () => {
  const [port, other] = [await silent(), await server()];
  const reports = await visit([target(port), target(other.port, { node: "agent-1" })], QUICK);
  expect(rows(reports)).toEqual([
    `server-1 connection fail 127.0.0.1:${port}: nothing answers within 0.3 s`,
    "agent-1 privileges ok root by sudo",
    "agent-1 ports ok all free",
  ]);
});

test("checks that do not end are given up", async () => {
  const host = await server({ answer: () => undefined });
  expect(rows(await visit([target(host.port)], QUICK))).toEqual([
    `server-1 connection fail 127.0.0.1:${host.port}: its checks did not end within 0.3 s`,
  ]);
});

test("a connection that breaks off during the checks is no result", async () => {
  const host = await server({
    answer: (_asked, connection) => {
      connection.end();
      return undefined;
    },
  });
  expect(rows(await visit([target(host.port)]))).toEqual([
    `server-1 connection fail 127.0.0.1:${host.port}: the connection was lost during the checks`,
  ]);
});

test("a key that the host does not take", async () => {
  const host = await server({ userKey: OTHER_KEY.public });
  expect(rows(await visit([target(host.port)]))).toEqual([
    "server-1 login fail user ops is not let in with the key id",
  ]);
});

test("an SSH agent that is not there", async () => {
  const host = await server();
  const [row] = rows(
    await visit([target(host.port)], { ...OPTIONS, identity: { kind: "agent", socket: "/no/agent" } }),
  );
  expect(row).toBe("server-1 login fail user ops is not let in with the SSH agent's keys (/no/agent)");
});

test.each([
  [{ stdout: "", stderr: "sh: not found\n", code: 127 }, "the checks ended with exit code 127: sh: not found"],
  [{ stdout: "This account is not available.\n" }, "the checks ended with exit code 0 and said nothing"],
  [
    { stdout: "ok\tprivileges\tfine\n", stderr: "\u001b[2Jno space\n", code: 2 },
    "the checks ended with exit code 2: [2Jno space",
  ],
])("a script that did not do its work (%#)", async (answer: Answer, detail) => {
  const host = await server({ answer: () => answer });
  expect(rows(await visit([target(host.port)])).at(-1)).toBe(`server-1 checks fail ${detail}`);
});

test("a clock that is wrong", async () => {
  const clock = (offset: number): Partial<ServerOptions> => ({
    answer: () => ({ stdout: `${FINE}clock\t${Math.floor(Date.now() / 1000) + offset}\n` }),
  });
  const hosts = [await server(clock(0)), await server(clock(-30)), await server(clock(300))];
  const found = rows(await visit(hosts.map(({ port }, i) => target(port, { node: `n${i}` }))));
  expect(found.filter((row) => row.includes("clock-skew"))).toEqual([
    "n0 clock-skew ok within 5 s of this machine's clock",
    expect.stringMatching(/^n1 clock-skew warn (29|30) s behind this machine's clock; allowed: 5 s$/u),
    expect.stringMatching(/^n2 clock-skew fail (299|300) s ahead of this machine's clock; allowed: 5 s$/u),
  ]);
});

describe("through a bastion", () => {
  const BASTION_KEY = keyPair();
  const BASTION_USER = keyPair();
  const options: VisitOptions = {
    ...OPTIONS,
    bastionIdentity: { kind: "file", file: "bastion-id", privateKey: BASTION_USER.private },
  };
  const through = (port: number): NonNullable<Visit["bastion"]> => ({
    host: "127.0.0.1",
    port,
    user: "jump",
    hostKey: BASTION_KEY.public,
  });
  const bastionServer = (change: Partial<ServerOptions> = {}): Promise<TestServer> =>
    server({ hostKey: BASTION_KEY, userKey: BASTION_USER.public, forwards: true, ...change });

  test("one connection to it, and one through it to each host", async () => {
    const [bastion, one, other] = [await bastionServer(), await server(), await server()];
    const hosts = [target(one.port), target(other.port, { node: "agent-1" })];
    const found = rows(await visit(hosts, options, through(bastion.port)));
    expect(found).toEqual([
      "server-1 privileges ok root by sudo",
      "server-1 ports ok all free",
      "agent-1 privileges ok root by sudo",
      "agent-1 ports ok all free",
    ]);
    expect([bastion.connections, one.connections, other.connections]).toEqual([1, 1, 1]);
    expect({ bastion: bastion.users, host: one.users }).toEqual({ bastion: ["jump"], host: ["ops"] });
  });

  test("a host's key is held to behind it too", async () => {
    const [bastion, host] = [await bastionServer(), await server({ hostKey: OTHER_KEY })];
    expect(rows(await visit([target(host.port)], options, through(bastion.port)))[0]).toMatch(
      /^server-1 host-key fail/u,
    );
  });

  test("a host that it does not reach", async () => {
    const [bastion, host] = [await bastionServer(), await server()];
    const port = await nobody();
    const found = rows(await visit([target(port), target(host.port, { node: "b" })], options, through(bastion.port)));
    expect(found[0]).toMatch(
      new RegExp(`^server-1 connection fail 127.0.0.1:${port}: the bastion does not reach it`, "u"),
    );
    expect(found).toContain("b ports ok all free");
  });

  test("a bastion with another key is not talked to, and is the only report", async () => {
    const [bastion, host] = [await bastionServer({ hostKey: OTHER_KEY }), await server()];
    const found = rows(await visit([target(host.port)], options, through(bastion.port)));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^bastion host-key fail/u);
    expect({ users: bastion.users, connections: host.connections }).toEqual({ users: [], connections: 0 });
  });
});

test("many hosts at once, each looked at once", async () => {
  const host = await server();
  const nodes = Array.from({ length: 60 }, (_, i) => target(host.port, { node: `n${i}` }));
  const reports = await visit(nodes);
  expect(reports.map(({ node }) => node)).toEqual(nodes.map(({ node }) => node));
  expect(host.connections).toBe(60);
});
