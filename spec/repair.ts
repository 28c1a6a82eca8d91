/**
 * Stand-ins for settings that cannot be read, so that one mistake does not hide the others: the checks between settings run on a
 * stack in which each unreadable setting has its default or an example, and a check that reads a stand-in is not believed.
 */
import { isObject } from "./config";
import type { Target } from "./schema";
import { formatPath } from "./show";

type Path = readonly PropertyKey[];

type Examples = Readonly<Record<string, unknown>>;

/** Examples of settings without a default, by path; `*` is any list index, and any pool's name. */
const COMMON: Examples = {
  layout: "shared",
  "access.admin": ["192.168.0.0/16"],
  "access.admin[*]": "192.168.0.0/16",
  "access.clients[*]": "192.168.0.0/16",
  "k3s.disable[*]": "coredns",
  "k3s.tlsSans[*]": "k3s.example.com",
  loadBalancer: "servicelb",
  "services[*]": "redis",
  "services[*].name": "redis",
  "services[*].from[*]": "nodes",
};

const HOST = { name: "agent", role: "agent", address: "192.168.0.1", hostKey: "" };
const ARTEFACT = { url: "http://192.168.0.1/k3s", sha256: "0".repeat(64) };

const artefacts = (arch: string): Examples => ({
  [`k3s.airGap.${arch}.binary`]: ARTEFACT,
  [`k3s.airGap.${arch}.binary.sha256`]: ARTEFACT.sha256,
  [`k3s.airGap.${arch}.images`]: ARTEFACT,
  [`k3s.airGap.${arch}.images.sha256`]: ARTEFACT.sha256,
});

const EXAMPLES: Readonly<Record<Target, Examples>> = {
  aws: {
    ...COMMON,
    region: "eu-west-1",
    network: { availabilityZones: ["eu-west-1a"] },
    "network.availabilityZones": ["eu-west-1a"],
    "network.availabilityZones[*]": "eu-west-1a",
    access: { admin: ["192.168.0.0/16"], ssh: { publicKey: "" } },
    "access.ssh": { publicKey: "" },
    "access.ssh.publicKey": "",
    nodes: [{ pool: "server", role: "server" }],
    "nodes[*]": { pool: "agent", role: "agent" },
    "nodes[*].pool": "agent",
    "nodes[*].role": "agent",
  },
  existing: {
    ...COMMON,
    access: { admin: ["192.168.0.0/16"], ssh: { user: "root" } },
    "access.ssh": { user: "root" },
    "access.ssh.user": "root",
    nodes: [{ ...HOST, role: "server" }],
    "nodes[*]": HOST,
    "nodes[*].name": HOST.name,
    "nodes[*].address": HOST.address,
    "nodes[*].hostKey": HOST.hostKey,
    "pools.*": {},
    "pools.*.backplane.interface": "eth1",
    "pools.*.external.interface": "eth0",
    "k3s.airGap.installScript": ARTEFACT,
    "k3s.airGap.installScript.sha256": ARTEFACT.sha256,
    ...artefacts("amd64"),
    ...artefacts("arm64"),
  },
};

function pattern(path: Path): string {
  const place = path[0] === "pools" && path.length > 1 ? ["pools", "*", ...path.slice(2)] : path;
  return formatPath(place)
    .replace('["*"]', ".*")
    .replace(/\[\d+\]/g, "[*]");
}

/**
 * Puts a stand-in at a path of `raw`, which is changed: the example, or else nothing, so that the default counts.
 *
 * @returns Whether there was something to put or to take away.
 */
export function standIn(raw: unknown, path: Path, target: Target): boolean {
  const key = path.at(-1);
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part], raw);
  if (key === undefined || typeof parent !== "object" || parent === null) return false;
  const example = EXAMPLES[target][pattern(path)];
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
