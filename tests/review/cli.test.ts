/** `npm start` and `npm run reach`, as processes: what stands on stdout and stderr, and the exit code. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { PreviewDocument } from "../../review/document";
import { planWords } from "../../review/words";
import { ROOT, run, temporaryFile } from "./support";

const PURE_JSON = { code: 0, stderr: "" };

function preview(...args: string[]): PreviewDocument {
  const ran = run("start", ...args, "--json");
  expect(ran).toMatchObject(PURE_JSON);
  return JSON.parse(ran.stdout) as PreviewDocument;
}

describe("npm start", () => {
  test("--json is one document and nothing else, the same each time", () => {
    const ran = run("start", "--stack", "dev-shared", "--json");
    expect(ran).toMatchObject(PURE_JSON);
    const document = JSON.parse(ran.stdout) as PreviewDocument;
    expect(Object.keys(document)).toEqual(["stack", "resources", "plan", "flows", "warnings"]);
    expect(document.stack).toBe("dev-shared");
    expect(run("start", "--stack", "dev-shared", "--json").stdout).toBe(ran.stdout);
  });

  test("without a stack, every committed one, in order", () => {
    const documents = preview() as unknown as PreviewDocument[];
    expect(documents.map((document) => document.stack)).toEqual([
      "dev-shared",
      "edge-existing-shared",
      "edge-shared-ha",
      "onprem-segregated",
      "prod-segregated",
    ]);
    // A run in one process with others gives what it gives alone.
    expect(documents[3]).toEqual(preview("--stack", "onprem-segregated"));
    expect(documents[4]).toEqual(preview("--stack", "prod-segregated"));
  });

  test("a file anywhere gives what the same stack gives", () => {
    const byFile = preview("--file", "stacks/Pulumi.dev-shared.yaml");
    expect(byFile).toEqual(preview("--stack", "dev-shared"));
  });

  test.each([
    ["prod-segregated", 100],
    ["onprem-segregated", 10],
  ])(
    "%s: no input is unknown, and every reference leads to a recorded resource or a provider function",
    (name, least) => {
      const { resources } = preview("--stack", name);
      const urns = new Set(resources.map((resource) => resource.urn));
      const refs = [...JSON.stringify(resources).matchAll(/"ref":"([^"]+)"/gu)].map((match) => match[1] ?? "");
      expect(refs.length).toBeGreaterThan(least);
      expect(refs.filter((ref) => !urns.has(ref) && !/^aws:ssm\/getParameter:getParameter\(name=/u.test(ref))).toEqual(
        [],
      );
      expect(resources.flatMap(({ dependencies }) => dependencies).filter((urn) => !urns.has(urn))).toEqual([]);
      expect(resources.filter(({ parent }) => parent !== null && !urns.has(parent))).toEqual([]);
    },
  );

  test("as text: summary, resources, who can reach what, components, configuration, warnings", () => {
    const { code, stdout, stderr } = run("start", "--stack", "dev-shared");
    expect({ code, stderr }).toEqual(PURE_JSON);
    const titles = stdout.split("\n").filter((line) => /^[A-Z]/u.test(line));
    expect(titles).toEqual([
      "Stack dev-shared",
      "Resources",
      "Who can reach what",
      "Components",
      "K3s configuration (/etc/rancher/k3s/config.yaml)",
      "Warnings",
    ]);
    expect(stdout).toContain("\n  nodes              2 nodes (1 server, 1 agent)\n");
    expect(stdout).toContain("\n    udp 8472: node -> node  flannel VXLAN [flannel-vxlan]\n");
    expect(stdout).toContain("\n      node-ip: <private address of server-1 on shared>\n");
  });

  test("as text, hosts that are there already: how they are reached, and every line of their firewalls", () => {
    const { code, stdout, stderr } = run("start", "--stack", "onprem-segregated");
    expect({ code, stderr }).toEqual(PURE_JSON);
    expect(stdout.split("\n").filter((line) => /^[A-Z]/u.test(line))).toEqual([
      "Stack onprem-segregated",
      "Hosts",
      "Resources",
      "Who can reach what",
      "Components",
      "K3s configuration (/etc/rancher/k3s/config.yaml)",
      "Registries (/etc/rancher/k3s/registries.yaml)",
      "Host firewall",
      "Warnings",
    ]);
    expect(stdout).toContain("\n  host firewall      nftables, on every host\n");
    expect(stdout).toContain(
      "\n  server-1  server  ssh ops@192.0.2.111:22  external interface eno1, backplane 10.20.0.11\n",
    );
    expect(stdout).toContain("\n      node-external-ip: <private address of server-1 on external>\n");
    expect(stdout).toContain("\n      node-ip: 10.20.0.11\n");
    const { plan } = preview("--stack", "onprem-segregated");
    if (plan.target !== "existing") throw new Error("not a stack of hosts that are there already");
    expect(stdout).toContain("\n  server-1, server-2, server-3, as on server-1:\n");
    const whole = planWords(plan, plan.nodes[0]?.firewallDocument ?? []).split("\n");
    const rules = whole.slice(whole.indexOf("") + 1).join("\n");
    expect(rules.length).toBeGreaterThan(2000);
    expect(stdout.replace(/^ {6}/gmu, "")).toContain(rules.trimEnd());
  });

  test("what K3s is installed from without the internet: said, and not read", () => {
    const sha256 = "0123456789abcdef".repeat(4);
    const airGap = [
      "    airGap:",
      `      installScript: { path: no/install.sh, sha256: ${sha256} }`,
      "      amd64:",
      `        binary: { path: no/k3s, sha256: ${sha256} }`,
      `        images: { url: "https://mirror.internal/images.tar.zst", sha256: ${sha256} }`,
    ];
    const stack = readFileSync("stacks/Pulumi.edge-existing-shared.yaml", "utf8");
    const file = temporaryFile(
      "Pulumi.air.yaml",
      stack.replace(/^ {2}k3s-networking:k3s:$/mu, (line) => [line, ...airGap].join("\n")),
    );
    const { code, stdout, stderr } = run("start", "--file", file);
    expect({ code, stderr }).toEqual(PURE_JSON);
    const hosts = "server-1, server-2, server-3, edge-1, edge-2";
    expect(stdout).toContain(
      [
        "",
        "K3s is installed from",
        `  binary: no/k3s, copied to home:k3s-networking-0123456789ab-binary, sha256 ${sha256}: ${hosts}`,
        `  install-script: no/install.sh, copied to home:k3s-networking-0123456789ab-install-script, sha256 ${sha256}: ${hosts}`,
        `  images: https://mirror.internal/images.tar.zst, sha256 ${sha256}: ${hosts}`,
        "",
      ].join("\n"),
    );
    const { resources } = preview("--file", file);
    expect(resources.find(({ name }) => name === "k3s-edge-1-artefact-binary")).toMatchObject({
      type: "command:remote:CopyToRemote",
      inputs: {
        remotePath: "k3s-networking-0123456789ab-binary",
        source: { asset: { path: "no/k3s" } },
        connection: { secret: true },
      },
    });
  });

  test("as text, hosts whose firewall is their owner's: said where it is looked for", () => {
    const stack = readFileSync("stacks/Pulumi.edge-existing-shared.yaml", "utf8");
    const file = temporaryFile("Pulumi.edge.yaml", stack.replace("hostFirewall: nftables", "hostFirewall: none"));
    const { code, stdout } = run("start", "--file", file);
    expect(code).toBe(0);
    expect(stdout).toContain(
      "\n  host firewall      none: the hosts' owner has to allow what stands below, and nothing else\n",
    );
    const args = ["--from", "world", "--to", "node", "--protocol", "tcp", "--port", "22"];
    const asked = run("reach", "--file", file, ...args, "--recorded");
    expect(asked.stdout).toMatch(/^no: world -> node, tcp 22\n/u);
    expect(asked.stdout.trimEnd().split("\n").at(-1)).toBe(
      "note: hostFirewall is none: so it is where the hosts' owner allows what the plan says, and nothing else",
    );
    expect(run("reach", "--stack", "edge-existing-shared", ...args).stdout).not.toContain("note:");
  });

  test("a reader that stops early is no failure", () => {
    const command = `"${process.execPath}" tools/run.cjs start --json | head -c 1`;
    const { stdout, stderr } = spawnSync("sh", ["-c", command], { cwd: ROOT, encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "[", stderr: "" });
  });

  test("an unknown stack is refused with the nearest one", () => {
    expect(run("start", "--stack", "dev-share", "--json")).toEqual({
      code: 1,
      stderr: "",
      stdout: `${JSON.stringify(
        {
          stack: "dev-share",
          problems: [
            {
              code: "stack-unknown",
              path: "--stack",
              message:
                'is not a stack ("dev-share"); there are: dev-shared, edge-existing-shared, edge-shared-ha, onprem-segregated, prod-segregated',
              remedy: "did you mean dev-shared?",
            },
          ],
        },
        null,
        2,
      )}\n`,
    });
  });

  test("--stack and --file together are refused", () => {
    expect(run("start", "--stack", "dev-shared", "--file", "x.yaml")).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "Stack dev-shared: 1 problem\n  --file: is given together with --stack; one of them is taken; leave one of them out [option-invalid]\n",
    });
  });

  test("a file that is not there, in text: on stderr, without a trace", () => {
    expect(run("start", "--file", "no/Pulumi.such.yaml")).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "Stack such: 1 problem\n  no/Pulumi.such.yaml: is not a file; give the path of a stack file, such as stacks/Pulumi.NAME.yaml [stack-file-missing]\n",
    });
  });

  test("a file that is not YAML: where", () => {
    const file = temporaryFile("Pulumi.broken.yaml", "config:\n  aws:region: [eu-west-1\n");
    const { code, stdout } = run("start", "--file", file, "--json");
    expect(code).toBe(1);
    const { stack, problems } = JSON.parse(stdout) as { stack: string; problems: { code: string; path: string }[] };
    expect(stack).toBe("broken");
    expect(problems[0]).toMatchObject({
      code: "stack-file-syntax",
      path: expect.stringMatching(/broken\.yaml:3:1$/u) as string,
    });
  });

  test("a file without settings is refused", () => {
    const file = temporaryFile("Pulumi.empty.yaml", "encryptionsalt: x\n");
    const { code, stdout } = run("start", "--file", file, "--json");
    expect(code).toBe(1);
    expect((JSON.parse(stdout) as { problems: unknown[] }).problems).toEqual([
      {
        code: "stack-file-syntax",
        path: expect.stringContaining("Pulumi.empty.yaml") as string,
        message: 'has no "config:" mapping; a stack file holds its settings under "config:"',
        remedy: "start from a file in stacks/",
      },
    ]);
  });

  test("a stack's mistakes come all at once", () => {
    const file = temporaryFile(
      "Pulumi.wrong.yaml",
      "config:\n  aws:region: eu-west-1\n  k3s-networking:layuot: shared\n  k3s-networking:nodes: []\n",
    );
    const { code, stdout, stderr } = run("start", "--file", file, "--json");
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    const { problems } = JSON.parse(stdout) as { problems: { code: string; path: string }[] };
    expect(problems.map(({ path }) => path)).toEqual(expect.arrayContaining(["layuot", "layout", "network", "access"]));
  });
});

describe("npm run reach", () => {
  const ask = (...args: string[]): ReturnType<typeof run> => run("reach", "--stack", "dev-shared", ...args);
  const overlay = ["--to", "server", "--protocol", "udp", "--port", "8472"];

  test("no, with who may", () => {
    const { code, stdout } = ask("--from", "world", ...overlay, "--expect", "no");
    expect(code).toBe(0);
    expect(stdout.split("\n").slice(0, 5)).toEqual([
      "no: world -> server, udp 8472",
      "  closed on network shared: no ingress rule of the destination lets the source in",
      "      0.0.0.0/0 -> server-1",
      "who may use udp 8472:",
      "  node -> node, udp 8472, on network shared: flannel VXLAN [flannel-vxlan]",
    ]);
  });

  test("yes, with network, rule, flow and document", () => {
    const { code, stdout } = ask("--from", "agent", ...overlay, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      stack: "dev-shared",
      query: { from: "agent", to: "server", protocol: "udp", port: 8472 },
      verdict: "yes",
      paths: [
        {
          from: "agent-1",
          to: "server-1",
          network: "shared",
          rules: ["shared-node-ingress-shared-node-udp-8472", "shared-node-egress-shared-node-all"],
          entries: ["flannel-vxlan"],
        },
      ],
      blocked: [],
      flows: [{ entry: "flannel-vxlan" }],
    });
  });

  test("an answer other than the expected one is an exit code of 1", () => {
    expect(ask("--from", "agent", ...overlay, "--expect", "no")).toMatchObject({
      code: 1,
      stderr: "expected no, but the answer is yes\n",
    });
  });

  test("the recorded resources give the same answer as the plan", () => {
    for (const from of ["agent", "world"]) {
      expect(ask("--from", from, ...overlay, "--json", "--recorded")).toEqual(
        ask("--from", from, ...overlay, "--json"),
      );
    }
  });

  test("an unknown peer is refused with the nearest one", () => {
    const { code, stdout } = ask("--from", "agnet", ...overlay, "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      stack: "dev-shared",
      problems: [
        {
          code: "peer-unknown",
          path: "--from",
          message: expect.stringMatching(
            /^is not a peer of this stack \("agnet"\); allowed: .*agent, .*world, an address or a CIDR$/u,
          ) as string,
          remedy: "did you mean agent?",
        },
      ],
    });
  });

  test("every mistake of the command line comes at once", () => {
    const { code, stdout } = run("reach", "--from", "world", "--protocol", "sctp", "--port", "0", "--json");
    expect(code).toBe(1);
    const { problems } = JSON.parse(stdout) as { problems: { path: string; message: string }[] };
    expect(problems.map(({ path, message }) => `${path} ${message}`)).toEqual([
      '--protocol is "sctp"; allowed: tcp, udp, icmp, icmpv6, ipip',
      "--to is missing; it takes PEER",
      "--stack is missing; it takes NAME",
      '--port is "0"; allowed: a whole number from 1 to 65535',
    ]);
  });

  test("a port goes with protocols that have ports, and with no other", () => {
    const ask = (...more: string[]): string[] => {
      const { stdout } = run("reach", "--stack", "dev-shared", "--from", "node", "--to", "node", "--json", ...more);
      const { problems, verdict } = JSON.parse(stdout) as {
        problems?: { path: string; message: string }[];
        verdict?: string;
      };
      return problems?.map(({ path, message }) => `${path} ${message}`) ?? [String(verdict)];
    };
    expect(ask("--protocol", "udp")).toEqual(["--port is missing; it takes NUMBER"]);
    expect(ask("--protocol", "ipip", "--port", "4")).toEqual([
      "--port is given with ipip, which has no ports; allowed: none",
    ]);
    expect(ask("--protocol", "icmp")).toEqual(["no"]);
  });
});
