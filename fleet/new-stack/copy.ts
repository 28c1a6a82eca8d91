/** A copy of a stack's file under another name: what would collide with other stacks is chosen anew, and no secret is taken along. */
import { createHash } from "node:crypto";
import { isAddress } from "../../catalogue/cidr";
import { NETWORK_KEYS, urlHost } from "../../catalogue/families";
import { NAMESPACE, isObject } from "../../spec/config";
import { span } from "../../spec/checks/address-pools";
import type { Problem } from "../../spec/problems";
import { formatPath, isSecretSetting } from "../../spec/show";
import type { ClusterSpec } from "../../spec/types";
import { routesPods } from "../across-stacks";
import { FreeAddresses } from "./free";
import { StackText } from "./stack-text";

/** The first line of every stack file: what editors check it against. */
export const MODELINE = "# yaml-language-server: $schema=./stack.schema.json";

/** What Pulumi keeps in a stack file for this stack alone. */
const PULUMI_KEYS = ["encryptionsalt", "secretsprovider", "encryptedkey", "environment"];

/** A value that was chosen anew. */
export interface Change {
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

/** Something with what is to be done about it. */
export interface Note {
  readonly path: string;
  readonly note: string;
}

/** A new stack's file, and what its owner must know. */
export interface StackCopy {
  readonly text: string;
  /** Chosen so that nothing collides. */
  readonly changed: readonly Change[];
  /** To be edited before the first update: nobody's, or still the other stack's. */
  readonly edit: readonly Note[];
  /** Left out. */
  readonly removed: readonly Note[];
}

type Path = readonly (string | number)[];

/** What a copy is made of. */
export interface CopyInput {
  readonly name: string;
  /** The stack that is copied. */
  readonly source: ClusterSpec;
  readonly text: string;
  /** All committed stacks. */
  readonly specs: readonly ClusterSpec[];
}

/** A copy of a stack's file, or why there is none. */
export function copyStack(input: CopyInput): StackCopy | Problem {
  const written = asText(input);
  if (written !== undefined) return written;
  const copy = new Copy(input);
  try {
    return copy.make();
  } catch (error) {
    if (error instanceof NotCopied) return refused(input, error.message, error.remedy);
    throw error;
  }
}

/** A stack that cannot be copied. */
export function refused({ source }: Pick<CopyInput, "source">, message: string, remedy: string): Problem {
  return { code: "stack-not-copied", path: "--from", message: `${message} (${JSON.stringify(source.stack)})`, remedy };
}

/** A setting that is JSON in a text cannot be changed in places. */
function asText(input: CopyInput): Problem | undefined {
  const text = new StackText(input.text);
  const key = text.keys(["config"]).find((one) => {
    const value = text.scalar(["config", one]);
    return one.startsWith(`${NAMESPACE}:`) && typeof value === "string" && /^\s*[{[]/u.test(value);
  });
  return key === undefined
    ? undefined
    : refused(input, `has ${key} as JSON text; allowed: YAML`, "write it as YAML first");
}

/** Why there is no copy. */
class NotCopied extends Error {
  constructor(
    message: string,
    readonly remedy: string,
  ) {
    super(message);
  }
}

class Copy {
  private readonly text: StackText;
  private readonly free: FreeAddresses;
  private readonly changed: Change[] = [];
  private readonly edit: Note[] = [];
  private readonly removed: Note[] = [];
  /** Secrets of the source, which must not be in the copy. */
  private readonly hidden: string[] = [];

  constructor(private readonly input: CopyInput) {
    this.text = new StackText(input.text);
    this.free = new FreeAddresses(input.specs);
  }

  make(): StackCopy {
    const { source, name } = this.input;
    this.secrets();
    if (source.target === "aws") this.network();
    this.podNetworks();
    this.hosts();
    this.pools();
    this.api();
    if (this.text.has(at("tags", "environment"))) this.change(at("tags", "environment"), name);
    this.keep();
    const text = withHeader(this.text.toString(), source.stack, name);
    if (this.hidden.some((secret) => text.includes(secret)))
      throw new NotCopied("holds a secret at a second place", "take it out there, perhaps of a comment");
    return { text, changed: this.changed, edit: this.edit, removed: this.removed };
  }

  private change(path: Path, to: string): void {
    const from = String(this.text.scalar(path));
    if (from === to) return;
    this.text.replace(path, to);
    this.changed.push({ path: shown(path), from, to });
  }

  private moved(path: Path, old: string, to: string | undefined): void {
    if (to === undefined) {
      const message = `has ${shown(path)} ${old}, beside which no free addresses are left`;
      throw new NotCopied(message, "free some, or copy another stack");
    }
    this.change(path, to);
  }

  private leaveOut(path: Path, note: string): void {
    if (!this.text.has(path)) return;
    this.text.remove(path);
    this.removed.push({ path: shown(path), note });
  }

  private leaveOutSecret(path: Path, note: string): void {
    this.hidden.push(...secretTexts(this.text.value(path)));
    this.leaveOut(path, note);
  }

  /** No secret and no key of the other stack's goes along, encrypted or not. */
  private secrets(): void {
    for (const key of PULUMI_KEYS) {
      const note =
        key === "secretsprovider" ? "give it to pulumi stack init --secrets-provider" : "the other stack's own";
      this.leaveOut([key], key === "environment" ? "ESC environments of the other stack: name your own" : note);
    }
    for (const key of this.text.keys(["config"])) {
      const path = ["config", key];
      const value = this.text.value(path);
      if (!key.startsWith(`${NAMESPACE}:`)) {
        if (holdsSecure(value)) this.leaveOutSecret(path, `set your own: pulumi config set --secret ${key}`);
        continue;
      }
      for (const inside of secretPaths(value, [key.slice(NAMESPACE.length + 1)])) {
        const name = formatPath(inside);
        this.leaveOutSecret(at(...inside), `set your own: pulumi config set --path --secret '${NAMESPACE}:${name}'`);
      }
    }
    this.leaveOut(at("access", "ssh", "hostKeys"), "keys of the other stack's instances");
  }

  /** A VPC of its own, or the one that is there. */
  private network(): void {
    const { source } = this.input;
    if (source.target !== "aws") return;
    if (source.network.vpc !== undefined) {
      this.text.comment(at("network", "vpc"), `The VPC and the subnets of ${source.stack}: put your own here.`);
      this.edit.push({ path: "network.vpc", note: `the VPC and the subnets of ${source.stack}: name others` });
      return;
    }
    const old = source.network.vpcCidr;
    const cidr = this.free.network(old);
    if (this.text.has(at("network", "vpcCidr")) || cidr === undefined) {
      this.moved(at("network", "vpcCidr"), old, cidr);
      return;
    }
    this.text.insert(at("network"), "vpcCidr", cidr);
    this.changed.push({ path: "network.vpcCidr", from: old, to: cidr });
  }

  /** Networks of pods whose packets are routed as they are: two stacks on one network cannot have the same. */
  private podNetworks(): void {
    const { source } = this.input;
    if (!routesPods(source)) return;
    for (const family of source.ipFamilies) {
      const key = NETWORK_KEYS[family].pods;
      const old = source.k3s[key];
      const cidr = this.free.network(old);
      if (this.text.has(at("k3s", key)) || cidr === undefined) {
        this.moved(at("k3s", key), old, cidr);
        continue;
      }
      if (this.text.has(at("k3s"))) this.text.insert(at("k3s"), key, JSON.stringify(cidr));
      else this.text.insert(["config"], `${NAMESPACE}:k3s`, `{ ${key}: ${JSON.stringify(cidr)} }`);
      this.changed.push({ path: `k3s.${key}`, from: old, to: cidr });
    }
  }

  /** Hosts are others: the next free addresses, and keys that nobody has. */
  private hosts(): void {
    const { source, name } = this.input;
    if (source.target !== "existing") return;
    source.nodes.forEach((node, index) => {
      this.hostAddress(["nodes", index, "address"], `${node.name}.${label(name)}.invalid`);
      for (const kind of ["external", "backplane"] as const) {
        for (const key of ["address", "address6"]) this.hostAddress(["nodes", index, kind, key], "");
      }
      this.text.replace(at("nodes", index, "hostKey"), hostKey(`${name}/${node.name}`));
      this.leaveOut(at("nodes", index, "lost"), "the other stack's host");
    });
    this.edit.push({ path: "nodes[].address", note: "the next free addresses: put your hosts' own" });
    this.edit.push({
      path: "nodes[].hostKey",
      note: "keys that nobody has, so that nothing is sent to a host: ssh-keyscan -t ed25519 ADDRESS",
    });
  }

  private hostAddress(path: Path, otherwise: string): void {
    const old = this.text.scalar(at(...path));
    if (typeof old !== "string") return;
    if (isAddress(old)) this.moved(at(...path), old, this.free.address(old));
    else this.change(at(...path), otherwise);
  }

  private pools(): void {
    const { loadBalancer } = this.input.source;
    if (!("pools" in loadBalancer)) return;
    loadBalancer.pools.forEach(({ addresses }, pool) => {
      addresses.forEach((old, index) => {
        this.moved(at("loadBalancer", "pools", pool, "addresses", index), old, span(old) && this.free.range(old));
      });
    });
    this.edit.push({
      path: "loadBalancer.pools[].addresses",
      note: "the next free addresses: see that they are yours",
    });
  }

  /** Names and addresses of the API lead to the other cluster. */
  private api(): void {
    const { source, name } = this.input;
    const own = (old: string): string | undefined =>
      isAddress(old) ? this.free.address(old) : `${old.split(".")[0] ?? "api"}.${label(name)}.invalid`;
    if (source.api.endpoint.kind === "address") {
      const old = source.api.endpoint.address;
      this.moved(at("api", "endpoint"), old, own(old));
      this.edit.push({ path: "api.endpoint", note: "leads to nobody: put the API's own name or address" });
    }
    const path = at("cni", "apiAddress");
    const said = this.text.scalar(path);
    const [, host, port] = (typeof said === "string" ? /^\[?(.+?)\]?:(\d+)$/u.exec(said) : null) ?? [];
    if (host !== undefined && port !== undefined) {
      const to = own(host);
      this.moved(path, host, to === undefined ? undefined : `${urlHost(to)}:${port}`);
      this.edit.push({ path: "cni.apiAddress", note: "leads to nobody: put where the CNI reaches the API" });
    }
    const sans = source.k3s.tlsSans;
    const seen = new Set<string>();
    sans.forEach((old, index) => {
      const wanted = own(old);
      const to = wanted !== undefined && seen.has(wanted) ? `san-${index + 1}.${label(name)}.invalid` : wanted;
      if (to !== undefined) seen.add(to);
      this.moved(at("k3s", "tlsSans", index), old, to);
    });
    if (sans.length > 0) this.edit.push({ path: "k3s.tlsSans", note: "names that nobody has: put your own" });
  }

  /** What stays the same and is worth a look. */
  private keep(): void {
    const { source } = this.input;
    this.edit.push({ path: "access", note: `networks, users and keys are those of ${source.stack}` });
    const others = this.text.keys(["config"]).filter((key) => !key.startsWith(`${NAMESPACE}:`) && key !== "aws:region");
    const gone = new Set(this.removed.map(({ path }) => path));
    for (const key of others.filter((one) => !gone.has(one)))
      this.edit.push({ path: key, note: `as in ${source.stack}` });
  }
}

/** Where a setting stands in the file. */
function at(first: string, ...rest: (string | number)[]): Path;
function at(...path: (string | number)[]): Path;
function at(...[first, ...rest]: (string | number)[]): Path {
  return ["config", `${NAMESPACE}:${String(first)}`, ...rest];
}

/** A path of the file as problems name it. */
function shown([top, key, ...rest]: Path): string {
  if (top !== "config" || typeof key !== "string") return String(top);
  return key.startsWith(`${NAMESPACE}:`) ? formatPath([key.slice(NAMESPACE.length + 1), ...rest]) : key;
}

/** Whether a value is encrypted, or something in it. */
function holdsSecure(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsSecure);
  return isObject(value) && (Object.hasOwn(value, "secure") || Object.values(value).some(holdsSecure));
}

/** Short texts stand in other places by chance. */
const SHORTEST_SECRET = 8;

/** What is secret in the value of a secret setting, or among encrypted values. */
function secretTexts(value: unknown): string[] {
  if (typeof value === "string")
    return value
      .trim()
      .split("\n")
      .filter((line) => line.length >= SHORTEST_SECRET && !line.startsWith("-----"));
  if (Array.isArray(value)) return value.filter(holdsSecure).flatMap(secretTexts);
  if (!isObject(value)) return [];
  if (Object.hasOwn(value, "secure")) return secretTexts(value["secure"]);
  return Object.values(value).filter(holdsSecure).flatMap(secretTexts);
}

/** Settings that hold secrets, in a value. */
function secretPaths(value: unknown, path: Path): Path[] {
  if (isSecretSetting(path)) return [path];
  if (Array.isArray(value)) return value.flatMap((item, index) => secretPaths(item, [...path, index]));
  return isObject(value) ? Object.entries(value).flatMap(([key, item]) => secretPaths(item, [...path, key])) : [];
}

/** A name as a part of a host name. */
function label(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/gu, "-")
      .replace(/^-|-$/gu, "")
      .slice(0, 40)
      .replace(/-$/u, "") || "stack"
  );
}

/** An ed25519 public key of which nobody has the private half: its 32 bytes are a digest. */
function hostKey(seed: string): string {
  const type = "ssh-ed25519";
  const field = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const key = createHash("sha256").update(seed).digest();
  return `${type} ${Buffer.concat([field(Buffer.from(type)), field(key)]).toString("base64")} replace-with-your-own-key`;
}

/** The text with the line for editors first, and the new stack's name where the comment at its head has the other's. */
function withHeader(text: string, from: string, to: string): string {
  const lines = text.split("\n");
  const rest = lines[0]?.startsWith("# yaml-language-server:") === true ? lines.slice(1) : lines;
  const old = `# ${from}: `;
  const named = rest.findIndex((line) => line.startsWith(old));
  const head = named === -1 ? ["#", `# ${to}: a copy of ${from}.`] : [];
  const body = rest.map((line, index) => (index === named ? `# ${to}: ${line.slice(old.length)}` : line));
  return [MODELINE, ...head, ...body].join("\n");
}
