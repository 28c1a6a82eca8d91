/**
 * How the engine and its tests' counterparts are got ready: when something is built, with what, and what is said when that fails. With
 * stand-ins for Go, Python and what they build: nothing is downloaded or compiled.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { CHARTS } from "../../catalogue/charts";
import { ARTEFACTS, RESOURCE_TYPES, type Artefact } from "../../tools/engine/artefacts";
import type { Place } from "../../tools/engine/place";
import { SetupError, ensureCounterparts, ensureEngine, main } from "../../tools/engine/setup";
import { ROOT } from "../review/support";

const SOURCES = path.join(ROOT, "tools/engine");
const artefacts: readonly Artefact[] = Object.values(ARTEFACTS);
const definitions = RESOURCE_TYPES.flatMap(({ files }) => files);

/** Stands for go: notes what it builds, and for whom. What it builds is the program below. */
const GO = `#!/bin/sh
if [ "$1" = version ]; then echo "go version \${GO_VERSION:-go1.30.1} linux/amd64"; exit 0; fi
for word; do
  if [ "$before" = -o ]; then out=$word; fi
  before=$word
done
echo "$word $GOTOOLCHAIN $GOFLAGS \${GOOS-native}" >> "$CALLS"
echo "go: downloading example.com/noise v1.0.0" >&2
if [ "$GO_FAILS" = "$word" ]; then
  echo half > "$out"
  echo "verifying example.com/x: checksum mismatch" >&2
  exit 1
fi
if [ -n "$GO_SLEEPS" ]; then /bin/sleep "$GO_SLEEPS"; fi
/bin/cp "$PROGRAM" "$out"
`;

/** Stands for what is built; as controller-gen, it writes every definition that WRITTEN names. */
const PROGRAM = `#!/bin/sh
for word; do case $word in output:crd:dir=*) for name in $WRITTEN; do echo crd > "\${word#*dir=}/$name"; done;; esac; done
`;

/** Stands for python3, and for the python of the environment that it makes. */
const PYTHON = `#!/bin/sh
case "$1 $2" in
  "-c "*) echo "\${PYTHON_VERSION:-3.12.4}" ;;
  "-m venv")
    if [ -n "$VENV_FAILS" ]; then echo "ensurepip is not available" >&2; exit 1; fi
    /bin/mkdir -p "$3/bin" && /bin/cp "$0" "$3/bin/python" && echo script > "$3/bin/pip" && /bin/mkdir "$3/bin/__pycache__" ;;
  "-m pip")
    echo "$@" >> "$CALLS"
    if [ -n "$PIP_FAILS" ]; then echo "THESE PACKAGES DO NOT MATCH THE HASHES" >&2; exit 1; fi ;;
esac
`;

function program(folder: string, name: string, text: string): string {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

interface World {
  readonly place: Place;
  readonly root: string;
  /** Folder that PATH names. */
  readonly tools: string;
  readonly said: string[];
  /** What the stand-ins noted since the last look. */
  readonly calls: () => string[];
  /** The same with other environment variables. */
  readonly having: (env: Record<string, string>) => Place;
}

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

/** A machine with Go and Python, and a copy of what pins the artefacts. */
function world(): World {
  const root = mkdtempSync(path.join(tmpdir(), "k3s-networking-setup-"));
  roots.push(root);
  const tools = path.join(root, "tools");
  program(tools, "go", GO);
  program(tools, "python3", PYTHON);
  for (const name of ["go", "python"]) {
    cpSync(path.join(SOURCES, name), path.join(root, "sources", name), { recursive: true });
  }
  const calls = path.join(root, "calls");
  const said: string[] = [];
  const env = {
    PATH: tools,
    CALLS: calls,
    PROGRAM: program(root, "program", PROGRAM),
    WRITTEN: definitions.join(" "),
    GOOS: "plan9",
    GOFLAGS: "-mod=mod",
  };
  const place: Place = {
    target: path.join(root, "target"),
    sources: path.join(root, "sources"),
    env,
    interval: 60_000,
    say: (line) => said.push(line),
  };
  return {
    place,
    root,
    tools,
    said,
    calls: () => {
      const text = existsSync(calls) ? readFileSync(calls, "utf8") : "";
      rmSync(calls, { force: true });
      return text.split("\n").filter((line) => line !== "");
    },
    having: (more) => ({ ...place, env: { ...env, ...more } }),
  };
}

/** The message of the SetupError that a promise fails with. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SetupError)) throw new Error("no SetupError", { cause: error });
  return error.message;
}

const built = (...list: readonly Artefact[]): string[] =>
  list.map((one) => `${one.package} local -mod=readonly native`);
const ENGINE = [ARTEFACTS.pulumi, ARTEFACTS.languageHost];
const GO_BUILT = [ARTEFACTS.etcd, ARTEFACTS.kubeApiserver, ARTEFACTS.kubectl, ARTEFACTS.controllerGen];

describe("the engine", () => {
  test("is built once, by this machine's Go alone, and progress says what and how long", async () => {
    const { place, said, calls } = world();
    const bin = path.join(place.target, "bin");
    const engine = { pulumi: path.join(bin, "pulumi"), languageHost: path.join(bin, "pulumi-language-nodejs") };
    expect(await ensureEngine(place)).toEqual(engine);
    expect(calls()).toEqual(built(...ENGINE));
    expect(said).toEqual([
      expect.stringMatching(/7 GB.*go clean -cache -modcache/u),
      "Building pulumi v3.220.0: Pulumi's CLI with the engine (about 3 min, once)",
      expect.stringMatching(/^Built pulumi v3\.220\.0 in \d+ s, 0 MB$/u),
      "Building pulumi-language-nodejs v3.68.0: Pulumi's language host for Node programs (about 30 s, once)",
      expect.stringMatching(/^Built pulumi-language-nodejs v3\.68\.0 in \d+ s, 0 MB$/u),
    ]);
    said.length = 0;
    expect(await ensureEngine(place)).toEqual(engine);
    expect({ calls: calls(), said }).toEqual({ calls: [], said: [] });
  });

  test("says that a long build still runs", async () => {
    const { having, said } = world();
    await ensureEngine({ ...having({ GO_SLEEPS: "0.3" }), interval: 50 });
    expect(said).toContain("  pulumi v3.220.0: 0 s so far");
  });

  test("is built anew for another go.sum, another Go, or when the file is gone, and only that", async () => {
    const { place, having, calls } = world();
    await ensureEngine(place);
    calls();
    writeFileSync(path.join(place.sources, "go/language-host/go.sum"), "other\n");
    await ensureEngine(place);
    expect(calls()).toEqual(built(ARTEFACTS.languageHost));
    rmSync(path.join(place.target, "bin/pulumi"));
    await ensureEngine(place);
    expect(calls()).toEqual(built(ARTEFACTS.pulumi));
    const newer = having({ GO_VERSION: "go1.31" });
    await ensureEngine(newer);
    expect(calls()).toEqual(built(...ENGINE));
    await ensureEngine(newer);
    expect(calls()).toEqual([]);
  });

  test("a failed build says which, why and what to do, and leaves nothing half-written", async () => {
    const { place, having, calls } = world();
    const message = await refusal(ensureEngine(having({ GO_FAILS: ARTEFACTS.languageHost.package })));
    expect(message).toMatch(/^Building pulumi-language-nodejs v3\.68\.0 failed: exit code 1\n/u);
    expect(message).toContain("\n  verifying example.com/x: checksum mismatch\n");
    expect(message).toContain("A checksum that does not\nmatch: what was downloaded is not what go.sum names");
    expect(message).not.toContain("noise");
    expect(readdirSync(place.target)).toEqual(["bin"]);
    expect(readdirSync(path.join(place.target, "bin")).sort()).toEqual(["pulumi", "pulumi.stamp"]);
    calls();
    await ensureEngine(place);
    expect(calls()).toEqual(built(ARTEFACTS.languageHost));
  });

  test("a failed rebuild leaves the old program, and the next run tries again", async () => {
    const { place, having, calls } = world();
    await ensureEngine(place);
    writeFileSync(path.join(place.sources, "go/pulumi/go.sum"), "other\n");
    await refusal(ensureEngine(having({ GO_FAILS: ARTEFACTS.pulumi.package })));
    expect(readFileSync(path.join(place.target, "bin/pulumi"), "utf8")).toBe(PROGRAM);
    calls();
    await ensureEngine(place);
    expect(calls()).toEqual(built(ARTEFACTS.pulumi));
  });

  test("a target that cannot be written to is an error that names it", async () => {
    const { place } = world();
    writeFileSync(place.target, "a file");
    const message = await refusal(ensureEngine(place));
    expect(message).toMatch(/^Building pulumi v3\.220\.0 failed: EEXIST: .*\/target/u);
  });

  test("two runs at once both end with the engine", async () => {
    const { place } = world();
    const [one, other] = await Promise.all([ensureEngine(place), ensureEngine(place)]);
    expect(one).toEqual(other);
    expect(readFileSync(one.pulumi, "utf8")).toBe(PROGRAM);
  });

  test("what a killed run left is removed after a day, not before", async () => {
    const { place } = world();
    const [old, young] = ["partial-old", "partial-young"].map((name) => path.join(place.target, name));
    for (const folder of [old!, young!]) mkdirSync(folder, { recursive: true });
    utimesSync(old!, 0, 0);
    await ensureEngine(place);
    expect(readdirSync(place.target).sort()).toEqual(["bin", "partial-young"]);
  });
});

describe("Go", () => {
  test.each([
    ["missing", undefined, "Go is needed to build pulumi, pulumi-language-nodejs, and is not on PATH."],
    ["too old", "go1.22.3", /^Go 1\.24\.7 or newer is needed to build pulumi, .*\/go is 1\.22\.3\.$/mu],
    ["unknown", "nonsense", /^Go 1\.24\.7 or newer .* is go version nonsense linux\/amd64\.$/mu],
  ])("%s: says the needed version and where to get it", async (_case, version, reason) => {
    const { tools, having, calls } = world();
    if (version === undefined) rmSync(path.join(tools, "go"));
    const message = await refusal(ensureEngine(having({ GO_VERSION: version ?? "" })));
    expect(message).toMatch(reason);
    expect(message).toContain("\nInstall Go 1.24.7 or newer from https://go.dev/dl/ and run the command again.");
    expect(calls()).toEqual([]);
  });

  test("the newest that any artefact needs is asked for at once", async () => {
    const { having, calls } = world();
    expect(await refusal(ensureCounterparts(having({ GO_VERSION: "go1.25.4" })))).toContain(
      "Install Go 1.26.0 or newer",
    );
    expect(calls().filter((line) => !line.startsWith("-m pip"))).toEqual([]);
  });
});

describe("an engine on PATH", () => {
  const CLI = `#!/bin/sh\nif [ "$1" = version ]; then echo v3.999.0; exit "\${CLI_ENDS:-0}"; fi\n`;

  test("is used, with the language host beside it, and Go is not needed", async () => {
    const { place, tools, said } = world();
    rmSync(path.join(tools, "go"));
    const engine = {
      pulumi: program(tools, "pulumi", CLI),
      languageHost: program(tools, "pulumi-language-nodejs", ""),
    };
    expect(await ensureEngine(place)).toEqual(engine);
    expect(said).toEqual([`Pulumi v3.999.0 from PATH: ${engine.pulumi}`]);
    expect(existsSync(place.target)).toBe(false);
  });

  test("is used with a language host elsewhere on PATH", async () => {
    const { root, tools, having } = world();
    const pulumi = program(path.join(root, "a"), "pulumi", CLI);
    const languageHost = program(path.join(root, "b"), "pulumi-language-nodejs", "");
    const place = having({ PATH: [tools, "a", "b"].map((name) => path.resolve(root, name)).join(":") });
    expect(await ensureEngine(place)).toEqual({ pulumi, languageHost });
  });

  test.each([
    ["without a language host", false, {}, "no pulumi-language-nodejs is beside it or on PATH"],
    ["that does not run", true, { CLI_ENDS: "3" }, "`pulumi version` failed: exit code 3"],
  ])("%s is left alone", async (_case, host, env, reason) => {
    const { tools, having, said, calls } = world();
    const pulumi = program(tools, "pulumi", CLI);
    if (host) program(tools, "pulumi-language-nodejs", "");
    await ensureEngine(having(env));
    expect(said[0]).toBe(`${pulumi} is left alone: ${reason}`);
    expect(calls()).toEqual(built(...ENGINE));
  });

  test("that was built here is still built anew when it is outdated", async () => {
    const { place, tools, having, calls } = world();
    await ensureEngine(place);
    writeFileSync(path.join(place.sources, "go/pulumi/go.sum"), "other\n");
    calls();
    await ensureEngine(having({ PATH: `${place.target}/bin/:${tools}` }));
    expect(calls()).toEqual(built(ARTEFACTS.pulumi));
  });
});

describe("the counterparts", () => {
  test("are got ready once", async () => {
    const { place, calls, said } = world();
    const bin = path.join(place.target, "bin");
    const counterparts = {
      etcd: path.join(bin, "etcd"),
      kubeApiserver: path.join(bin, "kube-apiserver"),
      kubectl: path.join(bin, "kubectl"),
      crds: path.join(place.target, "crds"),
      python: path.join(place.target, "python/bin/python"),
    };
    expect(await ensureCounterparts(place)).toEqual(counterparts);
    const requirements = path.join(place.sources, "python/requirements.txt");
    expect(calls()).toEqual([
      `-m pip install --no-input --only-binary=:all: --require-hashes -r ${requirements}`,
      ...built(...GO_BUILT),
    ]);
    expect(readdirSync(counterparts.crds).filter((name) => name.endsWith(".yaml"))).toEqual([...definitions].sort());
    expect(readdirSync(path.dirname(counterparts.python))).toEqual(["python"]);
    expect(readdirSync(place.target).sort()).toEqual(["bin", "crds", "python"]);
    said.length = 0;
    expect(await ensureCounterparts(place)).toEqual(counterparts);
    expect({ calls: calls(), said }).toEqual({ calls: [], said: [] });
  });

  test("other pins mean other definitions, without what the old ones had", async () => {
    const { place, calls, said } = world();
    const { crds } = await ensureCounterparts(place);
    writeFileSync(path.join(crds, "old.yaml"), "");
    writeFileSync(path.join(place.sources, "go/crds/go.sum"), "other\n");
    calls();
    said.length = 0;
    await ensureCounterparts(place);
    expect(calls()).toEqual(built(ARTEFACTS.controllerGen));
    expect(said.at(-1)).toMatch(/^Wrote custom resource definitions in \d+ s, 24 files$/u);
    expect(existsSync(path.join(crds, "old.yaml"))).toBe(false);
  });

  test("a definition that does not come out is an error", async () => {
    const { place, having } = world();
    const message = await refusal(ensureCounterparts(having({ WRITTEN: definitions.slice(1).join(" ") })));
    expect(message).toMatch(/github\.com\/k3s-io\/.* left out helm\.cattle\.io_helmchartconfigs\.yaml/u);
    expect(existsSync(path.join(place.target, "crds"))).toBe(false);
  });
});

describe("Python", () => {
  test.each([
    [
      "missing",
      {},
      /^Python is needed for moto, a simulated AWS API, and python3 is not on PATH\.\nInstall Python 3\.10/u,
    ],
    ["too old", { PYTHON_VERSION: "3.9.18" }, /^Python 3\.10 or newer is needed .*\/python3 is 3\.9\.18\.\nInstall/u],
    [
      "without venv",
      { VENV_FAILS: "1" },
      /^Making a Python environment .* failed: exit code 1\n {2}ensurepip is not available\n.*apt-get install python3-venv$/u,
    ],
    [
      "with a failing pip",
      { PIP_FAILS: "1" },
      /^Installing Python packages .* failed: exit code 1\n {2}THESE PACKAGES DO NOT MATCH THE HASHES\n.*\n.*do not use it\.$/u,
    ],
  ])("%s: says why and what to do, and leaves nothing", async (name, env, reason) => {
    const { place, tools, having } = world();
    if (name === "missing") rmSync(path.join(tools, "python3"));
    expect(await refusal(ensureCounterparts(having(env)))).toMatch(reason);
    expect(existsSync(place.target) ? readdirSync(place.target) : []).toEqual([]);
  });

  test("another Python or other packages mean another environment; so does one whose Python is gone", async () => {
    const { place, having, calls } = world();
    const { python } = await ensureCounterparts(place);
    const remade = async (where: Place): Promise<number> => {
      calls();
      await ensureCounterparts(where);
      return calls().filter((line) => line.startsWith("-m pip")).length;
    };
    expect(await remade(place)).toBe(0);
    const newer = having({ PYTHON_VERSION: "3.13.0" });
    expect(await remade(newer)).toBe(1);
    writeFileSync(path.join(place.sources, "python/requirements.txt"), "moto==9.9.9 --hash=sha256:0\n");
    expect(await remade(newer)).toBe(1);
    rmSync(python);
    symlinkSync("/nonexistent", python);
    expect(await remade(newer)).toBe(1);
    expect(await remade(newer)).toBe(0);
  });

  test("two runs at once both end with an environment", async () => {
    const { place } = world();
    const [one, other] = await Promise.all([ensureCounterparts(place), ensureCounterparts(place)]);
    expect(one).toEqual(other);
    expect(existsSync(one.python)).toBe(true);
    expect(readdirSync(place.target).sort()).toEqual(["bin", "crds", "python"]);
  });
});

describe("the command", () => {
  async function command(place: Place, args: string[] = []): Promise<{ code: unknown; stdout: string }> {
    const written: string[] = [];
    const stdout = jest.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
    try {
      await main(args, place);
      return { code: process.exitCode, stdout: written.join("") };
    } finally {
      stdout.mockRestore();
      process.exitCode = undefined;
    }
  }

  test("prints the engine's files", async () => {
    const { place } = world();
    const bin = path.join(place.target, "bin");
    expect(await command(place)).toEqual({
      code: undefined,
      stdout: `pulumi ${bin}/pulumi\npulumi-language-nodejs ${bin}/pulumi-language-nodejs\n`,
    });
  });

  test("says why it fails, without a stack trace", async () => {
    const { tools, place, said } = world();
    rmSync(path.join(tools, "go"));
    expect(await command(place)).toEqual({ code: 1, stdout: "" });
    expect(said).toEqual([expect.stringMatching(/^Go is needed [^\n]*\nInstall Go [^\n]*$/u)]);
  });

  test("has no options", async () => {
    const { place, said } = world();
    expect(await command(place, ["--fast"])).toEqual({ code: 1, stdout: "" });
    expect(said).toEqual(["unknown option --fast; there is none"]);
  });
});

describe("what artefacts are built from is pinned", () => {
  const text = (...names: string[]): string => readFileSync(path.join(SOURCES, ...names), "utf8");
  const EXACT = /^v\d+\.\d+\.\d+(-[\w.-]+)?(\+incompatible)?$/u;

  /** Requirements of a go.mod, with what replaces them. */
  function requirements(folder: string): Map<string, string> {
    const lines = text("go", folder, "go.mod").split("\n");
    const found = new Map<string, string>();
    for (const line of lines) {
      const [, name, version] =
        /^(?:require )?\s*(\S+\.\S+\/\S*|\S+\.\S+) (v\S+)(?: \/\/ indirect)?$/u.exec(line) ?? [];
      if (name !== undefined && version !== undefined) found.set(name, version);
      const [, from, to] = /^\s*(\S+) => (.*)$/u.exec(line) ?? [];
      if (from === undefined || to === undefined) continue;
      // Replaced by the same module at an exact version, never by a folder.
      const [module, replacement = ""] = to.split(" ");
      expect({ folder, module }).toEqual({ folder, module: from });
      if (found.has(from)) found.set(from, replacement);
    }
    return found;
  }

  test("every module folder belongs to an artefact", () => {
    expect(readdirSync(path.join(SOURCES, "go")).sort()).toEqual(
      [...new Set(artefacts.map(({ folder }) => folder))].sort(),
    );
  });

  test.each(artefacts.map((artefact) => [artefact.name, artefact] as const))("%s", (_name, artefact) => {
    const { folder, module, version } = artefact;
    const sums = text("go", folder, "go.sum");
    const modules = requirements(folder);
    expect(modules.size).toBeGreaterThan(10);
    expect([...modules].filter(([, pinned]) => !EXACT.test(pinned))).toEqual([]);
    expect([...modules].filter(([name, pinned]) => !sums.includes(`${name} ${pinned}/go.mod h1:`))).toEqual([]);
    expect(modules.get(module)).toBe(version);
    expect(sums).toContain(`${module} ${version} h1:`);
    expect(text("go", folder, "go.mod")).toMatch(new RegExp(`^(tool |\\t)${artefact.package}$`, "mu"));
  });

  test("MetalLB's and Cilium's resources are those of the charts that stacks get", () => {
    expect(requirements("crds").get("go.universe.tf/metallb")).toBe(`v${CHARTS.metallb.version}`);
    expect(requirements("crds").get("github.com/cilium/cilium")).toBe(`v${CHARTS.cilium.version}`);
  });

  test("every Python package, at one version, by checksum", () => {
    const entries = text("python/requirements.txt")
      .split(/\n(?=\S)/u)
      .filter((entry) => !entry.startsWith("#"));
    expect(entries.length).toBeGreaterThan(10);
    expect(entries.filter((entry) => !/^[\w-]+==[\w.]+ /u.test(entry))).toEqual([]);
    expect(entries.filter((entry) => !/--hash=sha256:[0-9a-f]{64}/u.test(entry))).toEqual([]);
  });
});
