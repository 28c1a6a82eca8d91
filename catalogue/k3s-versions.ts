/**
 * K3s releases: their form, their order, and the releases at which flags, flannel backends and features came or went.
 *
 * Sources: K3s release notes; k3s-io/k3s #6069, #6574 (legacy flags), #7297 (ipsec), K3s documentation (embedded registry).
 */

/** A release such as `v1.36.5+k3s1`, or a candidate such as `v1.36.5-rc1+k3s1`. */
export interface K3sVersion {
  readonly text: string;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** The candidate's number, or undefined for a release. */
  readonly candidate: number | undefined;
  /** The number behind `+k3s`. */
  readonly build: number;
}

const FORM = /^v(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?:-rc(\d{1,4}))?\+k3s(\d{1,4})$/;

/** The oldest release that the program renders configuration for; older ones are refused, with the advice that fits them. */
export const OLDEST_SUPPORTED = "v1.25.0+k3s1";

/** Reads a release; undefined when the text is not one. */
export function parseK3sVersion(text: string): K3sVersion | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [, major, minor, patch, candidate, build] = match;
  return {
    text,
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch),
    candidate: candidate === undefined ? undefined : Number(candidate),
    build: Number(build),
  };
}

/**
 * Negative when `a` is older than `b`, 0 when they are the same, positive when newer. Unlike semantic versioning, the number
 * behind `+k3s` counts: K3s changes packaged components between builds of one Kubernetes patch. A candidate precedes its release.
 */
export function compareK3sVersions(a: K3sVersion, b: K3sVersion): number {
  const candidates =
    (a.candidate ?? Infinity) === (b.candidate ?? Infinity)
      ? 0
      : (a.candidate ?? Infinity) < (b.candidate ?? Infinity)
        ? -1
        : 1;
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || candidates || a.build - b.build;
}

/** Whether `version` is `boundary` (a release's text) or newer. */
export function isAtLeast(version: K3sVersion, boundary: string): boolean {
  const other = parseK3sVersion(boundary);
  if (other === undefined) throw new Error(`the catalogue holds ${boundary}, which is not a K3s release`);
  return compareK3sVersions(version, other) >= 0;
}

/** A feature that came to several minor releases at once: the first patch of each, oldest minor first. Later minors all have it. */
export interface Backported {
  readonly title: string;
  readonly since: readonly string[];
}

/**
 * `--embedded-registry` with the mirror `*`, which is what the program renders: it came two patches after the option itself (K3s
 * documentation, Embedded Registry Mirror).
 */
export const EMBEDDED_REGISTRY: Backported = {
  title: "the embedded registry",
  since: ["v1.26.15+k3s1", "v1.27.12+k3s1", "v1.28.8+k3s1", "v1.29.3+k3s1"],
};

/** `--disable=runtimes`: the runtime classes became a packaged component (k3s-io/k3s #8936). */
export const RUNTIMES_COMPONENT: Backported = {
  title: "the packaged component runtimes",
  since: ["v1.26.12+k3s1", "v1.27.9+k3s1", "v1.28.5+k3s1", "v1.29.0+k3s1"],
};

/** `import /etc/coredns/custom/*.override` in the packaged CoreDNS's own block (k3s-io/k3s #7639 and its backports). */
export const COREDNS_OVERRIDES: Backported = {
  title: "additions to CoreDNS's default server block",
  since: ["v1.25.11+k3s1", "v1.26.6+k3s1", "v1.27.3+k3s1"],
};

/** Whether a release has a backported feature. */
export function hasFeature(version: K3sVersion, feature: Backported): boolean {
  const own = feature.since
    .map(parseK3sVersion)
    .find((first) => first?.major === version.major && first.minor === version.minor);
  if (own !== undefined) return compareK3sVersions(version, own) >= 0;
  const newest = feature.since.at(-1);
  return newest !== undefined && isAtLeast(version, newest);
}

/** What became of a legacy flag. */
export interface LegacyFlag {
  readonly flag: string;
  /** The option that says the same today. */
  readonly modern: string;
  /** First minor whose K3s stops at the flag. */
  readonly fatalIn: string;
  /** First minor whose K3s does not know the flag. */
  readonly removedIn: string;
}

/** Flags of early K3s (its first networking page), and the setting that replaces each. */
export const LEGACY_FLAGS = {
  "no-deploy": { flag: "--no-deploy", modern: "--disable", fatalIn: "v1.25", removedIn: "v1.26" },
  "no-flannel": { flag: "--no-flannel", modern: "--flannel-backend=none", fatalIn: "v1.25", removedIn: "v1.26" },
} as const satisfies Record<string, LegacyFlag>;

const minorOf = (version: K3sVersion): string => `v${version.major}.${version.minor}`;
const minorAtLeast = (version: K3sVersion, minor: string): boolean =>
  isAtLeast(version, `${minor}.0+k3s0`) || minorOf(version) === minor;

/** What a release does with a legacy flag, in words: `K3s stops at it since v1.25 and has not known it since v1.26`. */
export function legacyFlagFate(flag: LegacyFlag, version: K3sVersion | undefined): string {
  if (version !== undefined && !minorAtLeast(version, flag.fatalIn)) {
    return `${version.text} still takes it, but ${flag.fatalIn} stops at it and ${flag.removedIn} does not know it`;
  }
  if (version !== undefined && !minorAtLeast(version, flag.removedIn)) {
    return `it stops ${version.text} from starting, and ${flag.removedIn} does not know it`;
  }
  const subject = version === undefined ? "K3s" : version.text;
  return `${subject} does not know it: it became fatal in ${flag.fatalIn} and was removed in ${flag.removedIn}`;
}

/** First release with flannel's `wireguard-native` backend. */
export const WIREGUARD_NATIVE_SINCE = "v1.23.6+k3s1";
/** First releases of each minor without the strongSwan helper that `ipsec` needs; the backend is gone from v1.27 on. */
const IPSEC_BROKEN: Backported = {
  title: "ipsec without its helper",
  since: ["v1.23.15+k3s1", "v1.24.9+k3s1", "v1.25.5+k3s1", "v1.26.0+k3s1"],
};

/** What a release does with the legacy backends `wireguard` and `ipsec`, in words. */
export function legacyBackendFate(backend: "wireguard" | "ipsec", version: K3sVersion | undefined): string {
  const name = version?.text ?? "K3s today";
  if (backend === "ipsec") {
    if (version === undefined || minorAtLeast(version, "v1.27"))
      return `${name} does not have it: it was removed in v1.27`;
    if (hasFeature(version, IPSEC_BROKEN))
      return `${name} no longer bundles the helper that it needs, and v1.27 removed it`;
    return `${name} still has it, but v1.27 does not`;
  }
  if (version === undefined || minorAtLeast(version, "v1.27"))
    return `${name} does not have it: it became fatal in v1.26 and was removed in v1.27`;
  if (minorAtLeast(version, "v1.26")) return `it stops ${name} from starting, and v1.27 removed it`;
  return `${name} still has it, but it stops v1.26 from starting, and v1.27 removed it`;
}
