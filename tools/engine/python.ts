/** A Python environment with moto, the simulated AWS API: exact packages by checksum, apart from the system's. */
import { readFileSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import semver from "semver";
import { inPartialFolder, isCurrent, isProgram, keyOf, onPath, putFolder, type Place } from "./place";
import { SetupError, mustRun, withProgress } from "./step";

/** What the pinned packages need at least. */
const NEEDED = "3.10.0";
const INSTALL = "Install Python 3.10 or newer with your system's packages or from https://www.python.org/downloads/.";
const VENV_ADVICE = "On Debian and Ubuntu, `python3 -m venv` needs a package of its own: apt-get install python3-venv";
const PIP_ADVICE =
  "A download that failed: run the command again when the package index that pip uses can be reached. A hash that does not match:\n" +
  "what was downloaded is not what tools/engine/python/requirements.txt names; do not use it.";
const SUBJECT = { name: "Python environment", purpose: "moto, a simulated AWS API", seconds: 20 };

/** Environment of every Python here: nothing of the user's own Python leaks in. */
function pythonEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, PYTHONHOME: undefined, PYTHONPATH: undefined, PIP_DISABLE_PIP_VERSION_CHECK: "1" };
}

async function findPython(place: Place): Promise<{ file: string; version: string }> {
  const file = onPath("python3", place.env);
  if (file === undefined) {
    throw new SetupError(`Python is needed for ${SUBJECT.purpose}, and python3 is not on PATH.\n${INSTALL}`);
  }
  const program = "import sys; print('.'.join(map(str, sys.version_info[:3])))";
  const run = { file, args: ["-c", program], cwd: place.sources, env: pythonEnvironment(place.env) };
  const version = (await mustRun(`${file} -c`, INSTALL, run)).trim();
  if (semver.lt(semver.coerce(version) ?? "0.0.0", NEEDED)) {
    throw new SetupError(`Python 3.10 or newer is needed for ${SUBJECT.purpose}; ${file} is ${version}.\n${INSTALL}`);
  }
  return { file, version };
}

/** Scripts such as `pip` name the folder that they were installed in, and the environment moves once. `python -m pip` does not. */
function removeScripts(folder: string): void {
  for (const name of readdirSync(path.join(folder, "bin")).filter((entry) => !entry.startsWith("python"))) {
    rmSync(path.join(folder, "bin", name), { recursive: true });
  }
}

/** What the environment is to be. */
interface Environment {
  /** The system's Python that it is made with. */
  readonly base: string;
  readonly requirements: string;
  readonly folder: string;
  readonly key: string;
  readonly isReady: () => boolean;
}

async function install({ base, requirements, folder, key, isReady }: Environment, place: Place): Promise<string> {
  const common = { cwd: place.sources, env: pythonEnvironment(place.env) };
  await inPartialFolder(place.target, async (partial) => {
    const finished = path.join(partial, "python");
    await mustRun("Making a Python environment (python3 -m venv)", VENV_ADVICE, {
      ...common,
      file: base,
      args: ["-m", "venv", finished],
    });
    await mustRun("Installing Python packages (pip install)", PIP_ADVICE, {
      ...common,
      file: path.join(finished, "bin/python"),
      // A source package would run code, with tools that no checksum covers, to be built.
      args: ["-m", "pip", "install", "--no-input", "--only-binary=:all:", "--require-hashes", "-r", requirements],
    });
    removeScripts(finished);
    putFolder(finished, folder, key, isReady);
  });
  return "with the packages of tools/engine/python/requirements.txt";
}

/**
 * Makes the environment when it is missing or has other packages.
 * @returns Its python.
 * @throws SetupError when Python is missing or too old, or a step fails.
 */
export async function ensurePython(place: Place): Promise<string> {
  const { file: base, version } = await findPython(place);
  const requirements = path.join(place.sources, "python/requirements.txt");
  const key = keyOf(version, readFileSync(requirements, "utf8"));
  const folder = path.join(place.target, "python");
  const file = path.join(folder, "bin/python");
  // Its python is a link to the system's, which may have moved.
  const isReady = (): boolean => isProgram(file) && isCurrent(folder, key);
  if (!isReady()) {
    await withProgress(place, ["Making", "Made"], SUBJECT, () =>
      install({ base, requirements, folder, key, isReady }, place),
    );
  }
  return file;
}
