/** Follows the objects of a list: all of them at first, and each change from then on. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Api, List, Resource } from "./api";

/** What is done about objects. Nothing that it throws ends the following. */
export interface Follower<T> {
  /** An object that is new to this follower, or has changed. */
  changed(object: T, before: T | undefined): void;
  /** An object that is gone, as it was last. */
  gone?(object: T): void;
}

/** Milliseconds before a list is asked for again after a failure. */
const PAUSE = 1000;

const keyOf = ({ metadata: { namespace = "", name } }: Resource): string => `${namespace}/${name}`;

/** Follows a list until it is aborted. */
export async function follow<T extends Resource>(
  api: Api,
  path: string,
  follower: Follower<T>,
  signal: AbortSignal,
): Promise<void> {
  const known = new Map<string, T>();
  const put = (object: T): void => {
    const before = known.get(keyOf(object));
    known.set(keyOf(object), object);
    if (before?.metadata.resourceVersion !== object.metadata.resourceVersion) follower.changed(object, before);
  };
  const take = (object: T): void => {
    if (known.delete(keyOf(object))) follower.gone?.(object);
  };
  while (!signal.aborted) {
    try {
      const list = await api.get<List<T>>(path);
      const items = list?.items ?? [];
      const names = new Set(items.map(keyOf));
      for (const [key, object] of known) if (!names.has(key)) take(object);
      for (const object of items) put(object);
      const version = list?.metadata.resourceVersion ?? "";
      const onEvent = (type: string, object: Resource): void => {
        if (type === "DELETED") take(object as T);
        else if (type === "ADDED" || type === "MODIFIED") put(object as T);
      };
      // A kind that nobody has brought yet can be asked for later only.
      if (list !== undefined) await api.watch(path, version, onEvent, signal);
    } catch {
      // The API is away: its absence is noticed, and logged, elsewhere.
    }
    await sleep(PAUSE, undefined, { signal }).catch(() => undefined);
  }
}
