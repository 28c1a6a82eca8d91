/** `npm run review -- --against REF`: the old plan by the old code, by a committed plan file, or a reason why by neither. */
import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import type { PageDocument } from "../../review/page/types";
import type { Difference } from "../../review/difference/types";
import { GitProject } from "./git-project";

/** The project lies in a folder of a larger repository, as of several programs together. One for all tests: they follow one another. */
const project = new GitProject("infrastructure/k3s");

const STACKS = "dev-shared edge-existing-shared edge-shared-ha onprem-segregated prod-segregated".split(" ");
const stackFile = (stack: string): string => `stacks/Pulumi.${stack}.yaml`;
const differencesIn = (stdout: string): Map<string, Difference> => {
  const { stacks } = JSON.parse(stdout) as { readonly stacks: readonly Difference[] };
  return new Map(stacks.map((one) => [one.after.stack, one]));
};
const ways = (changes: Difference["reach"]["gained"] = []): string[] =>
  changes.map(({ from, to, protocol, ports, network }) => `${from} > ${to} ${protocol} ${ports} ${network}`).sort();
const first = (text: string): string => text.split("\n", 1)[0] ?? "";

const released = project.commit("as released");
const RAN = "by the code of that time";
const OPENS = "OPENS TO THE WORLD: tcp 9095 of ingress-ingest";

/** What a test leaves is not the next one's. */
afterEach(() => {
  expect(readdirSync(project.temporary)).toEqual([]);
});

describe("a branch that opens Kafka to clients and changes the flannel backend of edge-shared-ha", () => {
  let difference: Difference | undefined;

  beforeAll(() => {
    project.review("--plan", "--stack", "edge-shared-ha");
    project.write("released.plan.json", project.review("--plan", "--stack", "edge-shared-ha").stdout);
    project.git("checkout", "-q", "-b", "kafka");
    const file = stackFile("edge-shared-ha");
    project.edit(
      file,
      "    - longhorn\n",
      "    - longhorn\n    - name: kafka\n      from: [clients]\n      lbPool: ingest\n",
    );
    project.edit(file, "flannelBackend: vxlan", "flannelBackend: wireguard-native");
    project.commit("Kafka for clients, encrypted");
  });

  test("JSON: exactly the new flows, the roll and the rebuild, and the other stacks unchanged", () => {
    const options = ["--against", "main", "--json", "--html", "difference.html", "--fail-on", "world"];
    const { code, stdout, stderr } = project.review(...options);
    const failure =
      "something new is open to the world, or nothing closes it any more: with --fail-on that is a failure";
    expect([code, stderr]).toEqual([1, `wrote difference.html\n${failure}\n`]);
    const all = differencesIn(stdout);
    expect([...all.keys()]).toEqual(STACKS);
    difference = all.get("edge-shared-ha");
    all.delete("edge-shared-ha");
    for (const { reach, nodes, resources, settings, rebuild, warnings } of all.values()) {
      expect([reach.gained, reach.lost, nodes, resources, settings, rebuild, warnings.added]).toEqual([
        [],
        [],
        [],
        [],
        [],
        [],
        [],
      ]);
    }
    expect(difference?.before).toEqual({ stack: "edge-shared-ha", source: `at main (${released}), ${RAN}` });
    expect(difference?.after).toEqual({ stack: "edge-shared-ha", source: "as it stands" });
    expect(difference?.verdict.startsWith(OPENS)).toBe(true);
    expect(ways(difference?.reach.gained)).toEqual([
      // The world holds the nodes, too.
      "node > ingress-ingest tcp 9095 shared",
      "node > node udp 51820 shared",
      "the world > ingress-ingest tcp 9095 shared",
    ]);
    expect(ways(difference?.reach.lost)).toEqual(["node > node udp 8472 shared"]);
    expect(difference?.rebuild.map(({ path: where, before, after, change }) => [where, before, after, change])).toEqual(
      [["k3s.flannelBackend", "vxlan", "wireguard-native", "migration"]],
    );
    expect(difference?.roll).toEqual([
      { nodes: ["server-1"], what: "one server" },
      { nodes: ["server-2"], what: "one server" },
      { nodes: ["server-3"], what: "one server" },
      { nodes: ["web-1", "web-2", "ingest-1", "ingest-2"], what: "agents side by side" },
    ]);
    expect(difference?.nodes.map(({ what }) => what)).toEqual(Array.from({ length: 7 }, () => "restarts"));
    expect(difference?.cost).toEqual([]);
  });

  test("Markdown, here against a plan file: the verdict first, and the same three things", () => {
    const { code, stdout } = project.review("--compare", "released.plan.json", "edge-shared-ha");
    expect([code, first(stdout).startsWith(`**${OPENS}`)]).toEqual([0, true]);
    expect(stdout).toContain("Stack edge-shared-ha: by the plan file released.plan.json → as it stands");
    for (const said of ["k3s.flannelBackend", "wireguard-native", "tcp 9095", "udp 51820", "udp 8472", "server-1"]) {
      expect([said, stdout.includes(said)]).toEqual([said, true]);
    }
  });

  test("page: it holds the difference, and no stack that does not change stands before it", () => {
    const page = readFileSync(path.join(project.folder, "difference.html"), "utf8");
    const [, data = ""] = /<script type="application\/json" id="data">(.*?)<\/script>/su.exec(page) ?? [];
    const { facts, differences } = JSON.parse(data) as PageDocument;
    expect(facts.map(({ stack }) => stack)).toEqual(STACKS);
    expect(differences).toEqual([difference]);
  });
});

describe("where the old code does not run", () => {
  let old = "";

  beforeAll(() => {
    project.git("checkout", "-q", "-f", "main");
    const lock = project.read("package-lock.json");
    project.write("stacks/dev-shared.plan.json", project.review("--plan", "--stack", "dev-shared").stdout);
    project.write("package-lock.json", `${lock}\n`);
    old = project.commit("other packages, and one committed plan");
    project.write("package-lock.json", lock);
    project.edit(
      stackFile("dev-shared"),
      "pool: agent\n      role: agent\n      count: 1",
      "pool: agent\n      role: agent\n      count: 2",
    );
    project.commit("another agent");
  });

  test("the committed plan stands in for it, and both ways are told", () => {
    const { code, stdout } = project.review("--against", "HEAD~1", "--stack", "dev-shared", "--json");
    expect(code).toBe(0);
    const difference = differencesIn(stdout).get("dev-shared");
    expect(difference?.before.source).toBe(
      `at HEAD~1 (${old}), by the plan committed there: the code of that time does not run here (it needs other packages (package-lock.json))`,
    );
    expect(difference?.nodes.map(({ node, what }) => [node, what])).toEqual([["agent-2", "joins"]]);
  });

  test("with neither, the problem says why, and what to do", () => {
    const { code, stdout, stderr } = project.review("--against", old, "--stack", "prod-segregated");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr.trimEnd().split("\n")).toEqual([
      "Stack prod-segregated: 1 problem",
      `  --against: gives no plan of stack "prod-segregated" at ${old}: the code of that time does not run here (it needs other packages (package-lock.json)), and of its committed plan: it has no stacks/prod-segregated.plan.json; check that commit out (git worktree add DIRECTORY ${old}), write its plan there (npm run review -- --plan --stack NAME), and compare with that file (--compare) [old-plan-missing]`,
    ]);
  });

  test.each([
    ['{"format": 99, "plan": {}}', "it has format 99, and this program reads format 2"],
    ['{"format": 2, "plan": {"stack": "dev-shared"}}', "it holds no plan"],
    ["[]", "it is no plan file"],
    ["<<<<<<< HEAD", "it is not JSON"],
  ])("a committed plan that is none is not read on: %s", (text, why) => {
    project.git("checkout", "-q", old);
    project.write("stacks/dev-shared.plan.json", text);
    const commit = project.commit("no plan");
    project.git("checkout", "-q", "main");
    const { code, stderr } = project.review("--against", commit, "--stack", "dev-shared");
    expect([code, stderr.includes(`and of its committed plan: ${why}`)]).toEqual([1, true]);
    expect(stderr).toContain("[old-plan-missing]");
  });

  test("code that crashes gives no answer, and its own words are told", () => {
    project.git("checkout", "-q", "--detach");
    project.edit("review/review-cli.ts", "function run(", 'throw new Error("not in those days");\nfunction run(');
    rmSync(path.join(project.folder, "stacks/dev-shared.plan.json"));
    const crashing = project.commit("code that crashes");
    project.git("checkout", "-q", "-f", "main");
    const { code, stderr } = project.review("--against", crashing, "--stack", "dev-shared");
    expect([code, stderr.includes("[old-plan-missing]")]).toEqual([1, true]);
    expect(stderr).toMatch(/the code of that time does not run here \(it ends with exit code \d: .*not in those days/u);
  });
});

test("stacks that are new, gone, or refused by the code of that time; and what that code may see", () => {
  project.git("checkout", "-q", "-f", "main");
  project.edit(stackFile("prod-segregated"), "count: 3", "count: 2");
  const onprem = project.read(stackFile("onprem-segregated"));
  rmSync(path.join(project.folder, stackFile("onprem-segregated")));
  // It writes down what it sees; the fallback has no plan of it.
  project.edit(
    "tools/run.cjs",
    "function main() {",
    `function main() {\n  if (process.cwd().includes("tree")) require("node:fs").writeFileSync(${JSON.stringify(`${project.folder}/seen.json`)}, JSON.stringify(process.env));`,
  );
  const old = project.commit("a mistake, and one stack less");
  project.edit(stackFile("prod-segregated"), "count: 2", "count: 3");
  project.write(stackFile("onprem-segregated"), onprem);
  rmSync(path.join(project.folder, stackFile("dev-shared")));
  const caller = { AWS_SECRET_ACCESS_KEY: "hunter2", GITHUB_TOKEN: "hunter2", GIT_DIR: "/nowhere" };
  const { code, stdout, stderr } = project.reviewWith(caller, "--against", "main", "--json");
  expect([code, stderr]).toEqual([0, ""]);
  const all = differencesIn(stdout);
  const at = `at main (${old})`;
  expect([...all].map(([stack, { before, after }]) => [stack, before.source, after.source])).toEqual([
    ["dev-shared", `${at}, ${RAN}`, "as it stands: no longer there"],
    ["edge-existing-shared", `${at}, ${RAN}`, "as it stands"],
    ["edge-shared-ha", `${at}, ${RAN}`, "as it stands"],
    ["onprem-segregated", `${at}: not there yet`, "as it stands"],
    [
      "prod-segregated",
      `${at}, where the code of that time finds 1 mistake in it: all of it is shown as new`,
      "as it stands",
    ],
  ]);
  const whats = (stack: string): unknown => [...new Set(all.get(stack)?.nodes.map(({ what }) => what))];
  expect(["dev-shared", "onprem-segregated", "prod-segregated"].map(whats)).toEqual([["leaves"], ["joins"], ["joins"]]);
  expect([all.get("dev-shared")?.reach.gained, all.get("prod-segregated")?.reach.lost]).toEqual([[], []]);
  const seen = JSON.parse(project.read("seen.json")) as Record<string, string>;
  expect(Object.keys(seen).sort()).toEqual(["HOME", "PATH", "TEMP", "TMPDIR"]);
  expect(existsSync(seen["HOME"] ?? "")).toBe(false);
});

test("files of the program that no plan speaks of are told where they differ", () => {
  project.git("checkout", "-q", "-f", "main");
  project.edit("components/scripts/leave.sh", "set -eu", "set -eu # and so on");
  project.write("components/more.ts", "export {};\n");
  project.git("checkout", "-q", "-b", "scripts");
  const { code, stdout } = project.review("--against", released, "--stack", "dev-shared", "--json");
  expect(code).toBe(0);
  const settings = differencesIn(stdout).get("dev-shared")?.settings ?? [];
  expect(settings.map(({ what, before, after }) => [what, before === after])).toEqual([
    ["program: components/more.ts", false],
    ["program: components/scripts/leave.sh (runs again where the stack uses it)", false],
  ]);
  expect(settings[0]?.before).toBe("none");
  rmSync(path.join(project.folder, "components/more.ts"));
  project.git("checkout", "-q", "-f", "main");
});

test("mistakes of the stacks as they stand: all at once, before any old code runs; and a name that no stack has", () => {
  // prod-segregated has its mistake from before.
  project.edit(stackFile("edge-shared-ha"), "count: 3", "count: 4");
  const { code, stderr, stdout } = project.review("--against", "main");
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr.match(/^Stack .*: .*$/gmu)).toEqual([
    "Stack edge-shared-ha: 1 problem",
    "Stack prod-segregated: 1 problem",
  ]);
  const unknown = project.review("--against", "main", "--stack", "dev-shard");
  expect([unknown.code, unknown.stderr.includes("[stack-unknown]")]).toEqual([1, true]);
});

describe("references that git does not have", () => {
  beforeAll(() => {
    project.git("checkout", "-q", "-f", "main");
  });

  test.each(["no-such-branch", "main:infrastructure", "--output=/tmp/x", "-h", "main^{tree}", "main\nmain"])(
    "%j",
    (ref) => {
      const { code, stderr } = project.review(`--against=${ref}`);
      expect([code, stderr.includes("[git-ref-unknown]"), stderr.includes("git fetch origin")]).toEqual([
        1,
        true,
        true,
      ]);
    },
  );

  test("in a shallow clone the remedy is to fetch more", () => {
    project.makeShallow();
    const { code, stderr } = project.review("--against", "HEAD~1");
    expect([
      code,
      stderr.includes("[git-ref-unknown]"),
      stderr.includes("this clone is shallow: fetch that commit"),
    ]).toEqual([1, true, true]);
  });

  test("without git, or outside a repository", () => {
    const { code, stderr } = project.reviewWith({ PATH: "/nowhere" }, "--against", "main");
    expect([code, stderr.includes("git cannot be run"), stderr.includes("[git-missing]")]).toEqual([1, true, true]);
    project.removeRepository();
    const outside = project.review("--against", "main");
    expect([outside.code, outside.stderr.includes("[git-missing]")]).toEqual([1, true]);
  });
});
