/** K3s's deploy controller: applies what is in the auto-deploy folder, and notes in Addon objects what it has applied. */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import { ApiError, type Api, type Resource } from "./api";
import { Discovery } from "./discovery";
import type { Events } from "./events";
import { hasCode, log, messageOf } from "./log";
import { packagedFile } from "./packaged";
import { MANIFESTS_FOLDER } from "./paths";
import type { Component } from "./server-settings";

interface Addon extends Resource {
  readonly spec?: { readonly source?: string; readonly checksum?: string };
}

/** What is known of a file. */
interface Seen {
  /** Time and size of what was tried last. */
  readonly mark: string;
  readonly isApplied: boolean;
}

const ADDONS = "/apis/k3s.cattle.io/v1/namespaces/kube-system/addons";
/** Paths of the objects that a file had when it was applied: those that leave the file go. */
const OBJECTS = "lab.k3s.cattle.io/objects";
/** Milliseconds between two looks at the folder. A file that could not be applied is tried again at each. */
const LOOK = 1000;

/** Name of a file's Addon: up to the first dot. */
function addonName(file: string): string {
  return path.basename(file).split(".")[0] ?? "";
}

function filesOf(folder: string): string[] {
  const found = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  return found.filter((file) => /\.(?:ya?ml|json)$/u.test(file) && !found.includes(`${file}.skip`)).sort();
}

function objectsIn(text: string): Resource[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [problem] = document.errors;
    // Its further lines show the file's.
    if (problem !== undefined) throw new Error(problem.message.split("\n", 1)[0]);
    const object = document.toJS() as (Resource & { readonly items?: readonly Resource[] }) | null;
    if (object === null) return [];
    return object.kind === "List" ? [...(object.items ?? [])] : [object];
  });
}

/** The controller. Every server has its own. */
export class DeployController {
  private readonly seen = new Map<string, Seen>();
  private readonly discovery: Discovery;

  constructor(
    private readonly api: Api,
    private readonly events: Events,
  ) {
    this.discovery = new Discovery(api);
  }

  /** Takes a disabled component away: file, objects, Addon. */
  async disable(component: Component): Promise<void> {
    const file = packagedFile(component);
    for (const object of objectsIn(readFileSync(file, "utf8")))
      await this.api.remove(await this.discovery.pathOf(object));
    await this.api.remove(`${ADDONS}/${addonName(file)}`);
    rmSync(file);
    log.info(`Deleted manifest at "${file}"`);
  }

  /** Looks at the folder until aborted. A file that goes leaves its objects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => {
        log.error(`Failed to process config: ${messageOf(error)}`);
      });
      await sleep(LOOK, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One look. */
  async look(): Promise<void> {
    const files = filesOf(MANIFESTS_FOLDER);
    for (const file of this.seen.keys()) if (!files.includes(file)) this.seen.delete(file);
    for (const file of files) await this.keep(file);
  }

  private async keep(file: string): Promise<void> {
    let mark: string;
    try {
      const { mtimeMs, size, ino } = statSync(file);
      mark = `${mtimeMs} ${size} ${ino}`;
    } catch (error) {
      if (hasCode(error, "ENOENT")) return;
      throw error;
    }
    const seen = this.seen.get(file);
    const isKnown = seen?.mark === mark;
    if (isKnown && seen.isApplied) return;
    try {
      await this.deploy(file);
      this.seen.set(file, { mark, isApplied: true });
    } catch (error) {
      if (!isKnown) {
        log.error(`Failed to process config: failed to process ${file}: ${messageOf(error)}`);
        this.events.emit("manifest-error", { file: path.basename(file), why: messageOf(error) });
      }
      this.seen.set(file, { mark, isApplied: false });
    }
  }

  private async deploy(file: string): Promise<void> {
    const text = readFileSync(file, "utf8");
    const checksum = createHash("sha256").update(text).digest("hex");
    const name = addonName(file);
    const addon = await this.addon(name, file);
    if (addon.spec?.checksum === checksum) return;
    const objects = objectsIn(text);
    const paths: string[] = [];
    for (const object of objects) paths.push(await this.apply(object));
    const before = JSON.parse(addon.metadata.annotations?.[OBJECTS] ?? "[]") as string[];
    for (const gone of before.filter((one) => !paths.includes(one))) await this.api.remove(gone);
    const metadata = { annotations: { [OBJECTS]: JSON.stringify(paths) } };
    await this.api.patch(`${ADDONS}/${name}`, "merge-patch", { metadata, spec: { source: file, checksum } });
    log.info(`Applied manifest at "${file}"`);
    const named = objects.map(({ kind = "", metadata: { namespace, name: own } }) => {
      return [kind, ...(namespace === undefined ? [] : [namespace]), own].join("/");
    });
    this.events.emit("manifest", { file: path.basename(file), objects: named });
  }

  private async addon(name: string, source: string): Promise<Addon> {
    const found = await this.api.get<Addon>(`${ADDONS}/${name}`);
    if (found !== undefined) return found;
    const addon = { apiVersion: "k3s.cattle.io/v1", kind: "Addon", metadata: { name }, spec: { source } };
    try {
      return await this.api.create<Addon>(ADDONS, addon);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
      return { metadata: { name } };
    }
  }

  /** @returns the object's path. */
  private async apply(object: Resource): Promise<string> {
    const place = await this.discovery.pathOf(object);
    // Strictly, where K3s drops fields that a kind does not have: whoever wrote one meant it.
    const how = "fieldManager=deploy&force=true&fieldValidation=Strict";
    await this.api.patch(`${place}?${how}`, "apply-patch", object);
    return place;
  }
}
