/** `index.ts` itself: what it exports, what it says of a mistake, and that Pulumi's own TypeScript loader takes it. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { flattenConfig } from "../../spec/load";
import { HOST_SECRETS, record, valueOf, type Recording } from "../support/mocks";
import { minimalConfig, problemsOf, type Settings } from "../support/stacks";

const root = join(__dirname, "../..");

interface Exports {
  readonly apiUrl: pulumi.Output<string>;
  readonly kubeconfig: pulumi.Output<string>;
  readonly nodes: Readonly<Record<string, unknown>>;
}

/** Runs the program on the smallest stack with `settings` merged in. A program that threw can be run again in the same file. */
async function run(settings: Settings): Promise<Recording<Exports>> {
  return await record(() => {
    pulumi.runtime.setAllConfig(flattenConfig(minimalConfig(settings)));
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- the program runs when it is loaded.
    return require("../../index") as Exports;
  });
}

test("a user's mistakes: all at once, as a RunError, which Pulumi shows without a stack trace", async () => {
  const mistakes = { k3s: { version: "latest" }, nodes: [{ pool: "server", role: "server", count: 2 }] };
  const problems = problemsOf(mistakes);
  expect(problems.length).toBeGreaterThan(1);
  const error: unknown = await run(mistakes).catch((thrown: unknown) => thrown);
  expect(pulumi.RunError.isInstance(error)).toBe(true);
  const { message } = error as Error;
  expect(message.split("\n")[0]).toBe(`stack test has ${problems.length} problems:`);
  for (const { path, code } of problems) {
    expect(message).toContain(`  ${path}: `);
    expect(message).toContain(`[${code}]`);
  }
});

test("warnings are logged, resources declared, and what operators need exported", async () => {
  const warn = jest.spyOn(pulumi.log, "warn").mockImplementation(async () => {});
  const { result, names } = await run({ access: { admin: ["0.0.0.0/0"] } });
  expect(
    warn.mock.calls.map(([message]) => message).filter((message) => message.endsWith("[open-administration]")),
  ).toHaveLength(1);
  expect(names("k3s-networking:index:K3sCluster")).toEqual(["k3s"]);
  expect(Object.keys(result)).toEqual(["apiUrl", "kubeconfig", "nodes"]);
  expect(await valueOf(result.apiUrl)).toBe("https://k3s-server-1-shared.publicIp:6443");
  expect(await valueOf(result.kubeconfig)).toBe(HOST_SECRETS.kubeconfig);
  expect(Object.keys(result.nodes)).toEqual(["server-1"]);
});

test("the program is under forty lines", () => {
  expect(readFileSync(join(root, "index.ts"), "utf8").split("\n").length).toBeLessThan(40);
});

test("Pulumi's own loader takes the program as Pulumi.yaml asks for it: transpiled, not checked", () => {
  // What @pulumi/pulumi/cmd/run does with the options of Pulumi.yaml.
  const loader = `
    const { loadTypeScriptCompilerOptions, typeScriptRequireStrings } = require("@pulumi/pulumi/tsutils");
    const { tsnodeRequire, typescriptRequire } = typeScriptRequireStrings();
    const project = "tools/tsconfig.pulumi.json";
    const compilerOptions = loadTypeScriptCompilerOptions(project);
    require(tsnodeRequire).register({
      compiler: typescriptRequire, transpileOnly: compilerOptions.noCheck, project, skipProject: false,
      compilerOptions: { target: "ES2020", module: "nodenext", moduleResolution: "nodenext", sourceMap: "true", ...compilerOptions },
    });
    const { K3sCluster } = require("./components/k3s-cluster");
    const { createPlan } = require("./plan");
    const { loadStack } = require("./spec/load");
    console.log(typeof K3sCluster, typeof createPlan, typeof loadStack, compilerOptions.noCheck);
  `;
  expect(readFileSync(join(root, "Pulumi.yaml"), "utf8")).toContain("tsconfig: tools/tsconfig.pulumi.json\n");
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", loader], { cwd: root, encoding: "utf8" });
  expect([stdout, stderr]).toEqual(["function function function true\n", ""]);
});
