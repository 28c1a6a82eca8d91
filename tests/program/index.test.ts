/** `index.ts` itself: what it exports, what it says of a mistake, and that Pulumi's own TypeScript loader takes it. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as engineSettings from "@pulumi/pulumi/runtime/settings";
import program from "../../index";
import { flattenConfig } from "../../spec/load";
import { HOST_SECRETS, record, valueOf, type RecordOptions, type Recording } from "../support/mocks";
import { existingConfig, minimalConfig, problemsOf, type Settings, type StackConfig } from "../support/stacks";

const root = join(__dirname, "../..");

interface Exports {
  readonly apiUrl: pulumi.Output<string>;
  readonly kubeconfig: pulumi.Output<string>;
  readonly nodes: Readonly<Record<string, unknown>>;
  readonly fixed: Readonly<Record<string, string>>;
}

/** Runs the program on the smallest stack of target aws with `settings` merged in. */
async function run(settings: Settings, options: RecordOptions = {}): Promise<Recording<Exports>> {
  return await runConfig(minimalConfig(settings), options);
}

async function runConfig(config: StackConfig, options: RecordOptions = {}): Promise<Recording<Exports>> {
  return await record(async () => {
    pulumi.runtime.setAllConfig(flattenConfig(config));
    // The Pulumi CLI calls what the entry point exports.
    return await program();
  }, options);
}

test("a user's mistakes: all at once, as a RunError, which Pulumi shows without a stack trace", async () => {
  const mistakes = { k3s: { version: "latest" }, nodes: [{ pool: "server", role: "server", count: 2 }] };
  const problems = problemsOf(mistakes);
  expect(problems.length).toBeGreaterThan(1);
  const error: unknown = await run(mistakes).catch((thrown: unknown) => thrown);
  expect(pulumi.RunError.isInstance(error)).toBe(true);
  const { message, stack } = error as Error;
  expect(message.split("\n")[0]).toBe(`stack test has ${problems.length} problems:`);
  // Pulumi would spend seconds on formatting a trace that it does not show.
  expect(stack).toBe(message);
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
  expect(Object.keys(result)).toEqual(["apiUrl", "kubeconfig", "nodes", "fixed"]);
  expect(await valueOf(result.apiUrl)).toBe("https://k3s-server-1-shared.publicIp:6443");
  expect(await valueOf(result.kubeconfig)).toBe(HOST_SECRETS.kubeconfig);
  expect(Object.keys(result.nodes)).toEqual(["server-1"]);
});

describe("hosts that were there before", () => {
  test("the target decides what is built, and the same is exported", async () => {
    const { result, names, resources } = await runConfig(existingConfig());
    expect(names("k3s-networking:index:ExistingCluster")).toEqual(["k3s"]);
    expect(resources.filter(({ type }) => type.startsWith("aws:"))).toEqual([]);
    expect(Object.keys(result)).toEqual(["apiUrl", "kubeconfig", "nodes", "fixed"]);
    expect(await valueOf(result.apiUrl)).toBe("https://10.1.0.11:6443");
    expect(await valueOf(result.kubeconfig)).toBe(HOST_SECRETS.kubeconfig);
  });

  test("another target than the last update's is refused", async () => {
    const { result } = await run({});
    const error: unknown = await runConfig(existingConfig(), { lastOutputs: { fixed: result.fixed } }).catch(
      (thrown: unknown) => thrown,
    );
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    expect((error as Error).message).toContain("target: ");
  });

  test("files that are not as the stack says are told before any resource is declared, all at once", async () => {
    const getEngine = jest.spyOn(engineSettings, "getEngine");
    getEngine.mockReturnValue({
      log: (_request: unknown, done: () => void) => {
        done();
      },
    } as never);
    const declared: string[] = [];
    const sha256 = "a".repeat(64);
    const missing = { path: "nowhere/k3s", sha256 };
    const airGap = { installScript: { path: __filename, sha256 }, amd64: { binary: missing, images: missing } };
    const error: unknown = await runConfig(existingConfig({ k3s: { airGap } }), {
      onResource: ({ name }) => declared.push(name),
    }).catch((thrown: unknown) => thrown);
    getEngine.mockRestore();
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    const { message } = error as Error;
    for (const [place, code] of [
      ["k3s.airGap.installScript.sha256", "artefact-mismatch"],
      ["k3s.airGap.amd64.binary.path", "artefact-missing"],
      ["k3s.airGap.amd64.images.path", "artefact-missing"],
    ] as const) {
      expect(message).toMatch(new RegExp(`^  ${place}: .*\\[${code}\\]$`, "m"));
    }
    expect(declared).toEqual([]);
  });
});

describe("against the last update", () => {
  test("what cannot change is refused before any resource is declared, all of it at once", async () => {
    const { result } = await run({});
    const declared: string[] = [];
    const changed = { layout: "segregated", network: { vpcCidr: "10.9.0.0/16" }, k3s: { clusterCidr: "10.44.0.0/16" } };
    const error: unknown = await run(changed, {
      lastOutputs: { fixed: result.fixed, kubeconfig: "hidden" },
      onResource: ({ name }) => declared.push(name),
    }).catch((thrown: unknown) => thrown);
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    const { message } = error as Error;
    expect(message.split("\n")[0]).toBe("stack test has 3 problems:");
    expect(message).toContain(
      '  k3s.clusterCidr: changes ("10.44.0.0/16"): K3s cannot change the network of running pods; allowed once the cluster is there: "10.42.0.0/16"; ',
    );
    expect(message).not.toContain("hidden");
    expect(declared).toEqual([]);
  });

  test("the same values pass, and another flannel backend is warned about", async () => {
    const { result } = await run({});
    const warn = jest.spyOn(pulumi.log, "warn").mockImplementation(async () => {});
    const options = { lastOutputs: { fixed: result.fixed } };
    await run({}, options);
    const about = (): string[] =>
      warn.mock.calls.map(([message]) => message).filter((message) => message.includes("flannel"));
    expect(about()).toEqual([]);
    await run({ k3s: { flannelBackend: "wireguard-native" } }, options);
    expect(about()).toEqual([expect.stringMatching(/^k3s\.flannelBackend: changes .*\[flannel-backend-change\]$/)]);
  });

  test("an engine that cannot tell is no reason to stop", async () => {
    const warn = jest.spyOn(pulumi.log, "warn").mockImplementation(async () => {});
    const { names } = await run({}, { lastOutputs: new Error("unknown stack") });
    expect(names("k3s-networking:index:K3sCluster")).toEqual(["k3s"]);
    expect(warn.mock.calls.map(([message]) => message)).toContainEqual(
      expect.stringMatching(/^the outputs of the last update cannot be read \(.*unknown stack/),
    );
  });
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
    const { ExistingCluster } = require("./components/existing-cluster");
    const { K3sCluster } = require("./components/k3s-cluster");
    const { createPlan } = require("./plan");
    const { loadStack } = require("./spec/load");
    console.log(typeof ExistingCluster, typeof K3sCluster, typeof createPlan, typeof loadStack, compilerOptions.noCheck);
  `;
  expect(readFileSync(join(root, "Pulumi.yaml"), "utf8")).toContain("tsconfig: tools/tsconfig.pulumi.json\n");
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", loader], { cwd: root, encoding: "utf8" });
  expect([stdout, stderr]).toEqual(["function function function function true\n", ""]);
});
