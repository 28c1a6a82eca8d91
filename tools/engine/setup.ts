/**
 * `npm run engine:setup`: gets the Pulumi engine ready, from PATH or built from pinned Go modules. The engine tests get theirs, and the
 * counterparts that the program meets in them, from here as well. All of it is under `.cache/engine`, once; deleting that is safe.
 */
import path from "node:path";
import { ARTEFACTS } from "./artefacts";
import { ensureDefinitions } from "./crds";
import { ensurePrograms } from "./go";
import { isProgram, onPath, ownPlace, type Place } from "./place";
import { ensurePython } from "./python";
import { SetupError, run } from "./step";

export { SetupError } from "./step";
export type { Place } from "./place";

/** The Pulumi engine: files of the CLI and of the language host that runs Node programs. */
export interface Engine {
  readonly pulumi: string;
  readonly languageHost: string;
}

/** What the program meets in the engine tests: files of programs, a folder of custom resource definitions, and a Python with moto. */
export interface Counterparts {
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubectl: string;
  /** Folder with one YAML file for each definition. */
  readonly crds: string;
  readonly python: string;
}

/** The CLI on PATH, with the language host beside it or on PATH. What was built here is not looked at: it may be outdated. */
async function installedEngine(place: Place): Promise<Engine | undefined> {
  const own = [path.join(place.target, "bin")];
  const pulumi = onPath(ARTEFACTS.pulumi.name, place.env, own);
  if (pulumi === undefined) return undefined;
  const beside = path.join(path.dirname(pulumi), ARTEFACTS.languageHost.name);
  const languageHost = isProgram(beside) ? beside : onPath(ARTEFACTS.languageHost.name, place.env, own);
  if (languageHost === undefined) {
    place.say(`${pulumi} is left alone: no ${ARTEFACTS.languageHost.name} is beside it or on PATH`);
    return undefined;
  }
  const env = { ...place.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  const { reason, stdout } = await run({ file: pulumi, args: ["version"], cwd: place.sources, env });
  if (reason !== undefined) {
    place.say(`${pulumi} is left alone: \`pulumi version\` failed: ${reason}`);
    return undefined;
  }
  place.say(`Pulumi ${stdout.trim()} from PATH: ${pulumi}`);
  return { pulumi, languageHost };
}

/**
 * Gets the engine ready: the one on PATH, or else the pinned one, which is built when it is missing or outdated.
 * @throws SetupError with what to do.
 */
export async function ensureEngine(place: Place = ownPlace()): Promise<Engine> {
  const installed = await installedEngine(place);
  if (installed !== undefined) return installed;
  const [pulumi = "", languageHost = ""] = await ensurePrograms([ARTEFACTS.pulumi, ARTEFACTS.languageHost], place);
  return { pulumi, languageHost };
}

/**
 * Gets the tests' counterparts ready, built when they are missing or outdated.
 * @throws SetupError with what to do.
 */
export async function ensureCounterparts(place: Place = ownPlace()): Promise<Counterparts> {
  // The quickest first: what is missing on the machine shows before minutes of building.
  const python = await ensurePython(place);
  const { etcd, kubeApiserver, kubectl, controllerGen } = ARTEFACTS;
  const files = await ensurePrograms([etcd, kubeApiserver, kubectl, controllerGen], place);
  const [etcdFile = "", apiserverFile = "", kubectlFile = "", generator = ""] = files;
  const crds = await ensureDefinitions(generator, place);
  return { etcd: etcdFile, kubeApiserver: apiserverFile, kubectl: kubectlFile, crds, python };
}

/** Runs the command: progress on stderr, the engine's files on stdout; exit code 1 with a reason when it cannot be had. */
export async function main(args: readonly string[], place: Place = ownPlace()): Promise<void> {
  try {
    if (args.length > 0) throw new SetupError(`unknown option ${args.join(" ")}; there is none`);
    const engine = await ensureEngine(place);
    process.stdout.write(`pulumi ${engine.pulumi}\npulumi-language-nodejs ${engine.languageHost}\n`);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    place.say(error.message);
    process.exitCode = 1;
  }
}
