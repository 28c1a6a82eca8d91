/** Ends namespaces that are to go: what is in them goes first. */
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, type Api, type List, type Resource } from "./api";
import { Discovery } from "./discovery";
import { follow } from "./informer";
import { log, messageOf } from "./log";

interface Namespace extends Resource {
  readonly spec?: { readonly finalizers?: readonly string[] };
  readonly status?: { readonly phase?: string };
}

/** Milliseconds between two looks at what is left. */
const PAUSE = 1000;

async function empty(api: Api, namespace: string): Promise<boolean> {
  let isEmpty = true;
  for (const collection of await new Discovery(api).collectionsIn(namespace)) {
    const before = await api.get<List<Resource>>(collection);
    if (before === undefined || before.items.length === 0) continue;
    await api.remove(collection);
    const after = await api.get<List<Resource>>(collection);
    // Objects with finalizers stay until whoever set those is done.
    if ((after?.items.length ?? 0) > 0) isEmpty = false;
  }
  return isEmpty;
}

async function end(api: Api, name: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      if (await empty(api, name)) {
        const namespace = await api.get<Namespace>(`/api/v1/namespaces/${name}`);
        if (namespace?.metadata.deletionTimestamp === undefined) return;
        await api.replace(`/api/v1/namespaces/${name}/finalize`, { ...namespace, spec: { finalizers: [] } });
        return;
      }
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return;
      log.warn(`namespace ${name} cannot be ended yet: ${messageOf(error)}`);
    }
    await sleep(PAUSE, undefined, { signal }).catch(() => undefined);
  }
}

/** Ends them until aborted. */
export async function runNamespaceController(api: Api, signal: AbortSignal): Promise<void> {
  const ending = new Set<string>();
  const changed = ({ metadata: { name, deletionTimestamp } }: Namespace): void => {
    if (deletionTimestamp === undefined || ending.has(name)) return;
    ending.add(name);
    void end(api, name, signal).finally(() => ending.delete(name));
  };
  await follow<Namespace>(api, "/api/v1/namespaces", { changed }, signal);
}
