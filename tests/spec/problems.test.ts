import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { artefactMismatch, artefactMissing } from "../../spec/artefacts";
import { checkInstanceTypes } from "../../spec/checks/nodes";
import { createContext } from "../../spec/checks/context";
import { PROBLEMS, StackProblems, formatProblem, sortProblems, type Problem } from "../../spec/problems";
import { TARGET_SCHEMAS } from "../../spec/schema";
import {
  PRIVATE_KEY,
  existingProblemsOf,
  existingWarningsOf,
  load,
  minimalConfig,
  problemsOf,
  publicKey,
  settings,
  warningsOf,
} from "../support/stacks";
import { HOST_CASES } from "./host-problem-cases";
import { CASES } from "./problem-cases";

const ROOT = join(__dirname, "../..");

/** All TypeScript of a folder as one text. */
function sources(folder: string, leaveOut: readonly string[] = []): string {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name) && !leaveOut.includes(entry.name))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .join("\n");
}

describe("every mistake is told exactly", () => {
  test.each(CASES.map(([code, settings, lines], index) => ({ code, index, settings, lines })))(
    "$code (case $index)",
    ({ code, settings: said, lines }) => {
      const errors = problemsOf(said);
      const found = PROBLEMS[code].severity === "error" ? errors : warningsOf(said).filter((one) => one.code === code);
      expect(found.map(formatProblem)).toEqual(lines);
      expect(lines.some((line) => line.endsWith(` [${code}]`))).toBe(true);
    },
  );

  test.each(HOST_CASES.map(([code, settings, lines], index) => ({ code, index, settings, lines })))(
    "$code (target existing, case $index)",
    ({ code, settings: said, lines }) => {
      const errors = existingProblemsOf(said);
      const warnings = (): readonly Problem[] => existingWarningsOf(said).filter((one) => one.code === code);
      const found = PROBLEMS[code].severity === "error" ? errors : warnings();
      expect(found.map(formatProblem)).toEqual(lines);
      expect(lines.some((line) => line.endsWith(` [${code}]`))).toBe(true);
    },
  );

  test("files of the air gap: missing, or other than the stack says", () => {
    const sha256 = "0".repeat(64);
    const found = [
      artefactMissing("k3s.airGap.amd64.images", "artefacts/images.tar.zst", "is not there"),
      artefactMismatch("k3s.airGap.installScript", "artefacts/install.sh", sha256, "1".repeat(64)),
    ];
    expect(found.map(formatProblem)).toEqual([
      'k3s.airGap.amd64.images.path: is not there ("artefacts/images.tar.zst"); allowed: a file on this machine, relative to the project\'s folder or absolute; fetch it from the K3s release, correct the path, or give a url that the hosts reach [artefact-missing]',
      `k3s.airGap.installScript.sha256: is not the SHA-256 of the file ("${sha256}", and "artefacts/install.sh" has ${"1".repeat(64)}); allowed: that of the file as released; fetch the file again, or compare with the release's sha256sum file and correct it [artefact-mismatch]`,
    ]);
  });

  test("too-few-interfaces: no type of the catalogue has fewer than two, so the limit is given", () => {
    const raw = settings({ layout: "segregated" });
    const context = createContext(TARGET_SCHEMAS.aws.parse(raw), raw);
    expect(checkInstanceTypes(context, () => 1).map(formatProblem)).toEqual([
      'nodes[0].instanceType: takes 1 network interface ("t3.medium"); layout segregated needs 2; choose a larger type [too-few-interfaces]',
    ]);
    expect(checkInstanceTypes(context, () => 2)).toEqual([]);
    const shared = { ...context, parsed: TARGET_SCHEMAS.aws.parse(settings()) };
    expect(checkInstanceTypes(shared, () => 1)).toEqual([]);
  });
});

describe("the catalogue of codes", () => {
  const own = sources("spec", ["problems.ts"]);
  const codes = Object.keys(PROBLEMS).sort();
  const covered = new Set<string>([
    ...[...CASES, ...HOST_CASES].map(([code]) => code),
    ...["too-few-interfaces", "artefact-missing", "artefact-mismatch"],
  ]);

  test("spec/ makes exactly the codes that the table above reaches", () => {
    expect(codes.filter((code) => own.includes(`"${code}"`))).toEqual([...covered].sort());
  });

  test("every other code is made by plan/ or review/ and stands in one of their tests", () => {
    const makers = ["plan", "review", "fleet", "components"].map((folder) => sources(folder)).join("\n");
    const tests = sources("tests", ["problem-cases.ts", "host-problem-cases.ts", "problems.test.ts"]);
    const others = codes.filter((code) => !covered.has(code));
    expect(others.filter((code) => !makers.includes(`"${code}"`))).toEqual([]);
    // Named by itself, or at the end of an exact message.
    expect(others.filter((code) => !tests.includes(`"${code}"`) && !tests.includes(`[${code}]`))).toEqual([]);
  });

  test("codes are kebab-case, and summaries are sentences", () => {
    for (const [code, { summary }] of Object.entries(PROBLEMS)) {
      expect(code).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(summary).toMatch(/^[A-Z0-9].*\.$/);
    }
  });
});

describe("StackProblems", () => {
  const problems: Problem[] = [
    { code: "no-server", path: "nodes", message: "have no server (0); allowed: one", remedy: "add one" },
    { code: "k3s-version", path: "k3s.version", message: "is not a K3s release", remedy: "correct it" },
  ];

  test("lists all of them, and prints without a stack trace", () => {
    const error = new StackProblems("dev", problems);
    expect(error.stackName).toBe("dev");
    expect(error.message).toBe(
      "stack dev has 2 problems:\n  nodes: have no server (0); allowed: one; add one [no-server]\n  k3s.version: is not a K3s release; correct it [k3s-version]",
    );
    expect(error.stack).toBe(`StackProblems: ${error.message}`);
    expect(new StackProblems("dev", problems.slice(0, 1)).message).toMatch(/^stack dev has 1 problem:\n/);
  });

  test("problems are sorted by path, numbers as numbers, each once", () => {
    const at = (path: string): Problem => ({ code: "no-server", path, message: "m", remedy: "r" });
    const order = ["nodes[10].count", "nodes[9].count", "nodes", "k3s.version", "nodes[9].count", "nodes[9].arch"];
    expect(sortProblems(order.map(at)).map(({ path }) => path)).toEqual([
      "k3s.version",
      "nodes",
      "nodes[9].arch",
      "nodes[9].count",
      "nodes[10].count",
    ]);
  });
});

describe("all at once", () => {
  test("shape, names that are refused and unknown keys are told together", () => {
    const found = problemsOf({
      layout: "round",
      target: "calico",
      k3s: { flannelBackend: "calico", noDeploy: "traefik" },
      nodes: [{ pool: "server", role: "server", cuont: 2 }],
    });
    expect(found.map(({ code, path }) => [code, path])).toEqual([
      ["invalid-value", "k3s.flannelBackend"],
      ["legacy-setting", "k3s.noDeploy"],
      ["invalid-value", "layout"],
      ["unknown-key", "nodes[0].cuont"],
      ["unsupported-setting", "target"],
    ]);
  });

  test("unknown keys do not hide mistakes between settings", () => {
    const found = problemsOf({
      zone: "a",
      nodes: [{ pool: "server", role: "server", count: 2 }],
      k3s: { version: "1.36" },
    });
    expect(found.map(({ code, path }) => [code, path])).toEqual([
      ["k3s-version", "k3s.version"],
      ["even-servers", "nodes"],
      ["unknown-key", "zone"],
    ]);
  });

  test("the order of keys in the file does not matter", () => {
    const config = minimalConfig({ a: 1, k3s: { version: "x", b: 2 }, network: { vpcCidr: "y" } });
    const reversed = Object.fromEntries(Object.entries(config).reverse());
    const told = (one: object): string => {
      try {
        load({ ...one });
      } catch (error) {
        return (error as StackProblems).message;
      }
      return "";
    };
    expect(told(reversed)).toBe(told(config));
    expect(told(config)).toMatch(/has 4 problems/);
  });
});

describe("secrets are never shown", () => {
  const SECRET = "hunter2-secret-value";
  const secretSettings = {
    access: {
      ssh: {
        privateKey: SECRET,
        privatekey: SECRET,
        publicKey: PRIVATE_KEY,
        bastion: {
          host: "b",
          user: "u",
          hostKey: publicKey(),
          cidr: "10.0.0.0/8x",
          privateKey: SECRET,
          password: SECRET,
        },
      },
    },
    loadBalancer: {
      type: "metallb",
      pools: [],
      bgp: { peers: [{ name: "p", myAsn: 1, peerAsn: 1, peerAddress: "x", password: [SECRET], passwd: SECRET }] },
    },
    k3s: { token: SECRET, extraServerArgs: [`--token=${SECRET}`, `--token ${SECRET}`, `token=${SECRET}`] },
  };

  test.each([
    ["as text", secretSettings],
    ["of the wrong type", { access: { ssh: { privateKey: { a: SECRET }, bastion: { privateKey: [SECRET] } } } }],
    ["in a stack with other mistakes only", { access: { ssh: { privateKey: `${PRIVATE_KEY}${SECRET}` } }, zone: 1 }],
    ["among the further options", { k3s: secretSettings.k3s }],
  ])("%s", (_, said) => {
    const found = problemsOf(said);
    expect(found.length).toBeGreaterThan(0);
    expect(JSON.stringify(found)).not.toContain(SECRET);
    expect(JSON.stringify(found)).not.toContain("bm90IGEga2V5");
  });
});
