/** Builds programs from Go modules, with the user's own Go and its caches. */
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import semver from "semver";
import type { Artefact } from "./artefacts";
import { inPartialFolder, isCurrent, isProgram, keyOf, onPath, putFile, type Place } from "./place";
import { SetupError, mustRun, withProgress } from "./step";

/** Go as it was found. */
export interface Go {
  readonly file: string;
  /** Its version and platform, as `go version` says them. */
  readonly version: string;
}

const ADVICE =
  "A download that failed: run the command again when the module mirror that GOPROXY names can be reached. A checksum that does not\n" +
  "match: what was downloaded is not what go.sum names; do not use it. A full disk: `go clean -cache -modcache` frees Go's caches.";

/** Environment of every `go`: this Go and no other, exactly the modules of go.sum, a static program of this machine's kind. */
export function goEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const host = { GOOS: undefined, GOARCH: undefined };
  return { ...env, ...host, GOTOOLCHAIN: "local", GOFLAGS: "-mod=readonly", GOWORK: "off", CGO_ENABLED: "0" };
}

/** The module folder of an artefact. */
export function moduleFolder(artefact: Artefact, place: Place): string {
  return path.join(place.sources, "go", artefact.folder);
}

/** The oldest Go that builds these, from their go.mod files. */
export function neededGo(artefacts: readonly Artefact[], place: Place): string {
  const versions = artefacts.map((artefact) => {
    const file = path.join(moduleFolder(artefact, place), "go.mod");
    const version = /^go (\d+\.\d+\.\d+)$/mu.exec(readFileSync(file, "utf8"))?.[1];
    if (version === undefined) throw new Error(`${file} names no exact Go version`);
    return version;
  });
  return semver.rsort(versions)[0] ?? "0.0.0";
}

/**
 * Finds Go and checks that it is new enough for these artefacts.
 * @throws SetupError when it is not.
 */
export async function findGo(artefacts: readonly Artefact[], place: Place): Promise<Go> {
  const needed = neededGo(artefacts, place);
  const names = artefacts.map(({ name }) => name).join(", ");
  const install = `Install Go ${needed} or newer from https://go.dev/dl/ and run the command again.`;
  const file = onPath("go", place.env);
  if (file === undefined) throw new SetupError(`Go is needed to build ${names}, and is not on PATH.\n${install}`);
  const version = await mustRun(`${file} version`, install, {
    file,
    args: ["version"],
    cwd: place.sources,
    env: goEnvironment(place.env),
  });
  const found = /\bgo(\d+\.\d+(?:\.\d+)?)/u.exec(version)?.[1];
  if (found === undefined || semver.lt(semver.coerce(found) ?? "0.0.0", needed)) {
    throw new SetupError(
      `Go ${needed} or newer is needed to build ${names}; ${file} is ${found ?? version.trim()}.\n${install}`,
    );
  }
  return { file, version: version.trim() };
}

/** Linker flags: no debug information, and the artefact's variables. */
export function linkerFlags(artefact: Artefact): string {
  return ["-s -w", ...Object.entries(artefact.variables).map(([name, value]) => `-X ${name}=${value}`)].join(" ");
}

/** What a program is built from: any change means a new build. */
function inputs(artefact: Artefact, go: Go, place: Place): string {
  const folder = moduleFolder(artefact, place);
  const text = (name: string): string => readFileSync(path.join(folder, name), "utf8");
  return keyOf(go.version, artefact.package, linkerFlags(artefact), text("go.mod"), text("go.sum"));
}

/** The file that an artefact is built to. */
export function programFile(artefact: Artefact, place: Place): string {
  return path.join(place.target, "bin", artefact.name);
}

async function build(artefact: Artefact, go: Go, key: string, place: Place): Promise<string> {
  const file = programFile(artefact, place);
  await inPartialFolder(place.target, async (folder) => {
    const finished = path.join(folder, artefact.name);
    await mustRun(`Building ${artefact.name} ${artefact.version}`, ADVICE, {
      file: go.file,
      // The module is no work tree: version control has nothing to say about it.
      args: [
        ...["build", "-trimpath", "-buildvcs=false", "-ldflags", linkerFlags(artefact)],
        ...["-o", finished, artefact.package],
      ],
      cwd: moduleFolder(artefact, place),
      env: goEnvironment(place.env),
    });
    putFile(finished, file, key);
  });
  return `${(statSync(file).size / 1e6).toFixed(0)} MB`;
}

/**
 * Builds what is missing or was built from something else, one after the other: a build uses every core by itself.
 * @returns The files, in the order of the artefacts.
 * @throws SetupError when one cannot be built.
 */
export async function ensurePrograms(artefacts: readonly Artefact[], place: Place): Promise<string[]> {
  const go = await findGo(artefacts, place);
  const due = artefacts
    .map((artefact) => ({ artefact, key: inputs(artefact, go, place) }))
    .filter(({ artefact, key }) => {
      const file = programFile(artefact, place);
      return !(isProgram(file) && isCurrent(file, key));
    });
  if (due.length > 0) {
    place.say(
      "Go keeps what it downloads and compiles in its own caches: up to 7 GB in all. `go clean -cache -modcache` frees them.",
    );
  }
  for (const { artefact, key } of due) {
    const subject = { ...artefact, name: `${artefact.name} ${artefact.version}` };
    await withProgress(place, ["Building", "Built"], subject, () => build(artefact, go, key, place));
  }
  return artefacts.map((artefact) => programFile(artefact, place));
}
