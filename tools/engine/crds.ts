/** Custom resource definitions, written from their projects' Go types: what the API accepts is what those projects say. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { ARTEFACTS, RESOURCE_TYPES, type ResourceTypes } from "./artefacts";
import { findGo, goEnvironment, moduleFolder } from "./go";
import { inPartialFolder, isCurrent, keyOf, putFolder, type Place } from "./place";
import { SetupError, mustRun, withProgress } from "./step";

const GENERATOR = ARTEFACTS.controllerGen;
const SUBJECT = {
  name: "custom resource definitions",
  purpose: `the resources of ${RESOURCE_TYPES.map(({ owner }) => owner).join(", ")}`,
  seconds: 15,
};

function generatorArgs(types: ResourceTypes, folder: string): string[] {
  const options = Object.entries(types.options).map(([name, value]) => `${name}=${value}`);
  const generator = options.length === 0 ? "crd" : `crd:${options.join(",")}`;
  return [generator, ...types.packages.map((name) => `paths=${name}`), `output:crd:dir=${folder}`];
}

async function generate(generator: string, key: string, place: Place): Promise<string> {
  await inPartialFolder(place.target, async (partial) => {
    const folder = path.join(partial, "crds");
    mkdirSync(folder);
    for (const types of RESOURCE_TYPES) {
      const step = `Writing the ${SUBJECT.name} of ${types.packages.join(" and ")}`;
      await mustRun(step, "Run the command again when the module mirror that GOPROXY names can be reached.", {
        file: generator,
        args: generatorArgs(types, folder),
        cwd: moduleFolder(GENERATOR, place),
        env: goEnvironment(place.env),
      });
      const missing = types.files.filter((name) => !existsSync(path.join(folder, name)));
      if (missing.length > 0) {
        throw new SetupError(`${step} left out ${missing.join(", ")}: the modules' types are not what is expected.`);
      }
    }
    const wanted = new Set(RESOURCE_TYPES.flatMap(({ files }) => files));
    for (const name of readdirSync(folder).filter((file) => !wanted.has(file))) rmSync(path.join(folder, name));
    const target = path.join(place.target, "crds");
    putFolder(folder, target, key, () => isCurrent(target, key));
  });
  return `${RESOURCE_TYPES.flatMap(({ files }) => files).length} files`;
}

/**
 * Writes the definitions when they are missing or were written from other types.
 * @param generator File of controller-gen.
 * @returns The folder with one YAML file for each resource.
 * @throws SetupError when they cannot be written.
 */
export async function ensureDefinitions(generator: string, place: Place): Promise<string> {
  const folder = path.join(place.target, "crds");
  const go = await findGo([GENERATOR], place);
  const text = (name: string): string => readFileSync(path.join(moduleFolder(GENERATOR, place), name), "utf8");
  const key = keyOf(go.version, RESOURCE_TYPES, text("go.mod"), text("go.sum"));
  if (!isCurrent(folder, key)) {
    await withProgress(place, ["Writing", "Wrote"], SUBJECT, () => generate(generator, key, place));
  }
  return folder;
}
