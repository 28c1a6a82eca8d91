/** `npm run doctor`: options, stacks, and its answers, on hosts of a stack that are SSH servers in this process. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { stringify } from "yaml";
import { main } from "../../doctor/cli";
import type { DoctorDocument } from "../../doctor/report";
import { ROOT, run, temporaryFile } from "../review/support";
import { startAgent } from "./agent";
import { TestServer, keyPair, type Answer } from "./server";

const HOST_KEY = keyPair();
const USER_KEY = keyPair();
const NAMES = ["server-1", "agent-1"];

const started: { stop: () => Promise<void> }[] = [];
const socketBefore = process.env["SSH_AUTH_SOCK"];
beforeEach(() => {
  delete process.env["SSH_AUTH_SOCK"];
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.stop()));
  if (socketBefore !== undefined) process.env["SSH_AUTH_SOCK"] = socketBefore;
});

async function host(answer: Answer = { stdout: "ok\tprivileges\troot\n" }): Promise<TestServer> {
  const server = await TestServer.start({ hostKey: HOST_KEY, userKey: USER_KEY.public, answer: () => answer });
  started.push(server);
  return server;
}

/** A stack of two hosts at these ports of this machine. */
function stackFile(ports: readonly number[]): string {
  const nodes = NAMES.map((name, i) => ({
    name,
    role: name.split("-")[0],
    address: "localhost",
    port: ports[i] ?? 1,
    hostKey: HOST_KEY.public.trim(),
    external: { address: `198.51.100.${10 + i}` },
  }));
  const config = {
    "k3s-networking:target": "existing",
    "k3s-networking:layout": "shared",
    "k3s-networking:access": {
      admin: ["203.0.113.0/24"],
      clients: ["203.0.113.0/24"],
      ssh: { user: "ops", privateKey: { secure: "v1:abc:def" } },
    },
    "k3s-networking:nodes": nodes,
  };
  return temporaryFile("Pulumi.mine.yaml", stringify({ config }));
}

const identity = (text = USER_KEY.private): string => temporaryFile("id", text);

async function doctor(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const said = { stdout: "", stderr: "" };
  const code = await main(args, {
    stdout: (text) => (said.stdout += text),
    stderr: (text) => (said.stderr += text),
  });
  return { code, ...said };
}

const lines = (text: string): string[] => text.trimEnd().split("\n");

test("hosts that are in order: exit code 0, a row each; each gets the script and its own document", async () => {
  const [one, other] = [await host(), await host()];
  const ran = await doctor("--file", stackFile([one.port, other.port]), "--identity", identity());
  expect({ ...ran, stdout: lines(ran.stdout) }).toEqual({
    code: 0,
    stderr: "",
    stdout: [
      "Stack mine: 2 hosts, 0 failures, 0 warnings",
      "",
      "result  node      check    detail    remedy",
      "ok      server-1  1 check  in order",
      "ok      agent-1   1 check  in order",
    ],
  });
  const script = readFileSync(path.join(ROOT, "components/scripts/check.sh"), "utf8");
  expect(one.asked.map(({ command }) => command)).toEqual([script]);
  expect(lines(one.asked[0]?.stdin ?? "").slice(0, 4)).toEqual([
    "clock=true",
    "stack=mine",
    "node=server-1",
    "role=server",
  ]);
  expect(lines(other.asked[0]?.stdin ?? "")).toContain("node=agent-1");
  expect(one.users).toEqual(["ops"]);
});

test("a check that fails, and a host that is not there: exit code 1", async () => {
  const server = await host({ stdout: "fail\tports\ttcp 6443 is taken\tstop it\n", code: 1 });
  const ran = await doctor("--file", stackFile([server.port, 1]), "--identity", identity());
  expect(ran.code).toBe(1);
  expect(lines(ran.stdout)[0]).toBe("Stack mine: 2 hosts, 2 failures on server-1, agent-1, 0 warnings");
  expect(ran.stdout).toMatch(/^fail +server-1 +ports +tcp 6443 is taken +stop it$/mu);
  expect(ran.stdout).toMatch(/^fail +agent-1 +connection +localhost:1: the connection was refused +check address/mu);
});

test("--node alone, --json as one document", async () => {
  const [one, other] = [await host(), await host({ stdout: "warn\tswap\ton\tswapoff -a\n" })];
  const file = stackFile([one.port, other.port]);
  const ran = await doctor("--file", file, "--identity", identity(), "--node", "agent-1", "--json");
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  const document: DoctorDocument = {
    stack: "mine",
    hosts: [
      {
        node: "agent-1",
        endpoint: `localhost:${other.port}`,
        checks: [{ check: "swap", result: "warn", detail: "on", remedy: "swapoff -a" }],
        addresses: [],
      },
    ],
    failed: 0,
    warned: 1,
  };
  expect(JSON.parse(ran.stdout)).toEqual(document);
  expect(one.connections).toBe(0);
});

test("the keys of an SSH agent, without --identity", async () => {
  const [one, other] = [await host(), await host()];
  const agent = await startAgent([keyPair().private, USER_KEY.private]);
  started.push(agent);
  process.env["SSH_AUTH_SOCK"] = agent.socket;
  const { code, stdout } = await doctor("--file", stackFile([one.port, other.port]));
  expect({ code, first: lines(stdout)[0] }).toEqual({ code: 0, first: "Stack mine: 2 hosts, 0 failures, 0 warnings" });
});

describe("mistakes, before any connection", () => {
  const refused = async (...args: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await doctor(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    return lines(stderr);
  };
  const withKey = (...args: string[]): Promise<string[]> => refused("--identity", identity(), ...args);

  test("a stack of another target", async () => {
    expect(await withKey("--stack", "dev-shared")).toEqual([
      "Stack dev-shared: 1 problem",
      "  --stack: names a stack of target aws; only hosts that exist already can be checked; give a stack with target existing [option-invalid]",
    ]);
  });

  test("an unknown stack, option and node: the nearest one", async () => {
    expect((await withKey("--stack", "dev-share")).at(-1)).toMatch(/did you mean dev-shared\? \[stack-unknown\]$/u);
    expect((await withKey("--stack", "dev-shared", "--nodes", "x")).at(-1)).toMatch(
      /did you mean --node\? \[option-unknown\]$/u,
    );
    expect((await withKey("--file", stackFile([1, 2]), "--node", "agent-2")).at(-1)).toBe(
      '  --node: is not a node of this stack ("agent-2"); there are: server-1, agent-1; did you mean agent-1? [option-invalid]',
    );
  });

  test("no stack", async () => {
    expect((await withKey()).at(-1)).toBe(
      "  --stack: is missing; it takes NAME; name a stack, or give --file PATH [option-invalid]",
    );
  });

  test("a stack with mistakes of its own, as JSON", async () => {
    const file = temporaryFile("Pulumi.wrong.yaml", "config:\n  k3s-networking:target: existing\n");
    const { code, stdout, stderr } = await doctor("--file", file, "--identity", identity(), "--json");
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ stack: "wrong", problems: expect.any(Array) as unknown });
  });

  test("no key at all: neither a file, nor an agent that answers and holds one", async () => {
    const file = stackFile([1, 2]);
    expect((await refused("--file", file)).at(-1)).toMatch(
      /--identity: is missing, and SSH_AUTH_SOCK names no SSH agent/u,
    );
    process.env["SSH_AUTH_SOCK"] = "/no/agent";
    expect((await refused("--file", file)).at(-1)).toMatch(/SSH_AUTH_SOCK does not answer \(\/no\/agent\)/u);
    const agent = await startAgent([]);
    started.push(agent);
    process.env["SSH_AUTH_SOCK"] = agent.socket;
    expect((await refused("--file", file)).at(-1)).toMatch(/holds no key/u);
  });

  test.each([
    ["is encrypted with a passphrase", () => identity(ENCRYPTED)],
    ["is a public key", () => identity(USER_KEY.public)],
    ["is not a private key that can be used", () => identity("nonsense")],
    ["cannot be read", () => "/no/such/key"],
  ])("--identity %s", async (message, file) => {
    expect((await refused("--file", stackFile([1, 2]), "--identity", file())).at(-1)).toContain(
      `--identity: ${message}`,
    );
    expect((await withKey("--file", stackFile([1, 2]), "--bastion-identity", file())).at(-1)).toContain(
      `--bastion-identity: ${message}`,
    );
  });
});

/** A key with a passphrase. */
const ENCRYPTED = keyPair("encrypted").private;

test("as a process: --help, and a refusal", () => {
  const { code, stdout } = run("doctor", "--help");
  expect(code).toBe(0);
  expect(lines(stdout)[0]).toBe("Usage: npm run doctor -- [options]");
  expect(run("doctor", "--stack", "dev-shared", "--identity", identity()).code).toBe(1);
});
