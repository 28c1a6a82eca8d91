/**
 * Stand-ins for settings that cannot be read, so that one mistake does not hide the others: the checks between settings run on a
 * stack in which each unreadable setting has its default or an example, and a check that reads a stand-in is not believed.
 */
import { isObject } from "./config";
import { formatPath } from "./show";

type Path = readonly PropertyKey[];

/** Examples of settings without a default, by path; `*` is any list index. */
const EXAMPLES: Readonly<Record<string, unknown>> = {
  region: "eu-west-1",
  layout: "shared",
  network: { availabilityZones: ["eu-west-1a"] },
  "network.availabilityZones": ["eu-west-1a"],
  "network.availabilityZones[*]": "eu-west-1a",
  access: { admin: ["192.168.0.0/16"], ssh: { publicKey: "" } },
  "access.admin": ["192.168.0.0/16"],
  "access.admin[*]": "192.168.0.0/16",
  "access.clients[*]": "192.168.0.0/16",
  "access.ssh": { publicKey: "" },
  "access.ssh.publicKey": "",
  nodes: [{ pool: "server", role: "server" }],
  "nodes[*]": { pool: "agent", role: "agent" },
  "nodes[*].pool": "agent",
  "nodes[*].role": "agent",
  "k3s.disable[*]": "coredns",
  "k3s.tlsSans[*]": "k3s.example.com",
  loadBalancer: "servicelb",
  "services[*]": "redis",
  "services[*].name": "redis",
  "services[*].from[*]": "nodes",
};

const pattern = (path: Path): string => formatPath(path).replace(/\[\d+\]/g, "[*]");

/**
 * Puts a stand-in at a path of `raw`, which is changed: the example, or else nothing, so that the default counts.
 *
 * @returns Whether there was something to put or to take away.
 */
export function standIn(raw: unknown, path: Path): boolean {
  const key = path.at(-1);
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part], raw);
  if (key === undefined || typeof parent !== "object" || parent === null) return false;
  const example = EXAMPLES[pattern(path)];
  if (example !== undefined) return Reflect.set(parent, key, structuredClone(example));
  return isObject(parent) && Object.hasOwn(parent, key) && Reflect.deleteProperty(parent, key);
}

/** Whether a path is one of `paths`, or below one of them. */
export function isWithin(path: string, paths: readonly string[]): boolean {
  return paths.some((outer) => path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`));
}

/** `value`, telling `onRead` the path of every property that is read from it, however deep. */
export function watched<T extends object>(value: T, onRead: (path: string) => void): T {
  const seen = new WeakMap<object, object>();
  const watch = (target: object, path: Path): object => {
    const known = seen.get(target);
    if (known !== undefined) return known;
    const proxy = new Proxy(target, {
      get(object, key): unknown {
        const inner: unknown = Reflect.get(object, key);
        if (typeof key !== "string" || typeof inner === "function") return inner;
        const part = Array.isArray(object) && /^\d+$/.test(key) ? Number(key) : key;
        onRead(formatPath([...path, part]));
        return typeof inner === "object" && inner !== null ? watch(inner, [...path, part]) : inner;
      },
    });
    seen.set(target, proxy);
    return proxy;
  };
  return watch(value, []) as T;
}
