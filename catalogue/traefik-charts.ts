/**
 * Which Traefik Helm chart a K3s release packages. The chart's major decides the syntax of its values, so a HelmChartConfig has to
 * follow it: a value in another major's place fails the upgrade of the packaged Traefik, or is silently ignored.
 *
 * K3s backports charts, so every minor line has its own boundaries, and a boundary may lie between two builds of one Kubernetes
 * patch (v1.25.15+k3s1 and +k3s2). Followed: K3s's release notes (Traefik version per release) and the K3s manifests.
 */
import { compareK3sVersions, parseK3sVersion, type Backported, type K3sVersion } from "./k3s-versions";

/** From this K3s release on, within its minor line, the packaged chart has this major. */
export interface TraefikChartRow {
  readonly from: string;
  readonly major: number;
  /**
   * `read`: seen in the release's notes, manifests or logs. `inferred`: concluded from the release's Traefik version, or from the
   * sibling release of another line on the same day.
   */
  readonly basis: "read" | "inferred";
}

/** The table, oldest line first, each line's rows in order. The one place where chart majors stand. */
export const TRAEFIK_CHARTS: readonly TraefikChartRow[] = [
  { from: "v1.21.0+k3s1", major: 9, basis: "inferred" },
  { from: "v1.22.0+k3s1", major: 10, basis: "inferred" },
  { from: "v1.23.0+k3s1", major: 10, basis: "inferred" },
  { from: "v1.24.0+k3s1", major: 10, basis: "inferred" },
  { from: "v1.25.0+k3s1", major: 10, basis: "inferred" },
  { from: "v1.25.3+k3s1", major: 12, basis: "read" },
  { from: "v1.25.4+k3s1", major: 19, basis: "read" },
  { from: "v1.25.10+k3s1", major: 21, basis: "read" },
  { from: "v1.25.15+k3s2", major: 25, basis: "read" },
  { from: "v1.26.0+k3s1", major: 19, basis: "inferred" },
  { from: "v1.26.5+k3s1", major: 21, basis: "inferred" },
  { from: "v1.26.10+k3s2", major: 25, basis: "read" },
  { from: "v1.27.0+k3s1", major: 19, basis: "inferred" },
  { from: "v1.27.2+k3s1", major: 21, basis: "inferred" },
  { from: "v1.27.7+k3s2", major: 25, basis: "read" },
  { from: "v1.28.0+k3s1", major: 21, basis: "inferred" },
  { from: "v1.28.3+k3s2", major: 25, basis: "read" },
  { from: "v1.28.14+k3s1", major: 27, basis: "inferred" },
  { from: "v1.29.0+k3s1", major: 25, basis: "inferred" },
  { from: "v1.29.9+k3s1", major: 27, basis: "inferred" },
  { from: "v1.29.10+k3s1", major: 27, basis: "read" },
  { from: "v1.30.0+k3s1", major: 25, basis: "inferred" },
  { from: "v1.30.4+k3s1", major: 25, basis: "read" },
  { from: "v1.30.5+k3s1", major: 27, basis: "inferred" },
  { from: "v1.30.6+k3s1", major: 27, basis: "read" },
  { from: "v1.31.0+k3s1", major: 25, basis: "inferred" },
  { from: "v1.31.1+k3s1", major: 27, basis: "inferred" },
  { from: "v1.31.2+k3s1", major: 27, basis: "read" },
  { from: "v1.32.0+k3s1", major: 27, basis: "inferred" },
  { from: "v1.32.2+k3s1", major: 34, basis: "read" },
  { from: "v1.32.10+k3s1", major: 37, basis: "read" },
  { from: "v1.32.11+k3s3", major: 38, basis: "inferred" },
  { from: "v1.32.13+k3s1", major: 39, basis: "inferred" },
  { from: "v1.33.0+k3s1", major: 34, basis: "read" },
  { from: "v1.33.6+k3s1", major: 37, basis: "read" },
  { from: "v1.33.7+k3s3", major: 38, basis: "inferred" },
  { from: "v1.33.9+k3s1", major: 39, basis: "inferred" },
  { from: "v1.33.13+k3s1", major: 40, basis: "inferred" },
  { from: "v1.34.0+k3s1", major: 34, basis: "read" },
  { from: "v1.34.2+k3s1", major: 37, basis: "read" },
  { from: "v1.34.3+k3s3", major: 38, basis: "read" },
  { from: "v1.34.5+k3s1", major: 39, basis: "read" },
  { from: "v1.34.9+k3s1", major: 40, basis: "read" },
  { from: "v1.35.0+k3s1", major: 37, basis: "read" },
  { from: "v1.35.0+k3s3", major: 38, basis: "read" },
  { from: "v1.35.2+k3s1", major: 39, basis: "read" },
  { from: "v1.35.6+k3s1", major: 40, basis: "read" },
  { from: "v1.36.0+k3s1", major: 39, basis: "read" },
  { from: "v1.36.2+k3s1", major: 40, basis: "read" },
  { from: "v1.37.0+k3s1", major: 41, basis: "read" },
];

/**
 * The newest release of each line still maintained that the table was checked against. A newer one may carry a newer chart. Lines that
 * are not here have ended: their last row holds for good.
 */
export const CHECKED_UP_TO: readonly string[] = [
  "v1.33.13+k3s2",
  "v1.34.9+k3s1",
  "v1.35.8+k3s1",
  "v1.36.5+k3s1",
  "v1.37.1+k3s1",
];

/** The first chart with Traefik v3 (its release notes); the charts before have v2. */
const TRAEFIK_V3_MAJOR = 28;

/** Major of Traefik itself in a chart. Traefik v1 was the packaged one up to K3s v1.20 (K3s docs, networking services). */
export function traefikMajorOf(chartMajor: number): 2 | 3 {
  return chartMajor >= TRAEFIK_V3_MAJOR ? 3 : 2;
}

/**
 * The first K3s that packages Traefik v2; the lines before have v1, which later releases of K3s leave in place where they find it (K3s
 * docs, networking services).
 */
export const FIRST_TRAEFIK_V2 = "v1.21.0+k3s1";

/** Values that moved between majors of the chart, by the first major that has the new place (release notes of the chart). */
export const CHART_MOVES: readonly { readonly major: number; readonly what: string }[] = [
  { major: 27, what: "ports.X.expose is a mapping (expose: {default: true})" },
  { major: 33, what: "certResolvers is certificatesResolvers, in Traefik's own syntax" },
  { major: 34, what: "ports.X.redirectTo is ports.X.redirections" },
  { major: 36, what: "globalArguments is global" },
  { major: 39, what: "ports.X.redirections, middlewares and tls are under ports.X.http" },
  { major: 40, what: "keys of the Service are under service.spec" },
  { major: 41, what: "logs.general is log, logs.access is accessLog, providers.file.content is a mapping" },
];

/** The first release of each line that packages a chart of this major or a newer one, up to the line that had it from the start. */
function releasesWithChart(major: number): string[] {
  const lines = new Map<number, TraefikChartRow[]>();
  for (const row of TRAEFIK_CHARTS) {
    const { minor } = parseRelease(row.from);
    lines.set(minor, [...(lines.get(minor) ?? []), row]);
  }
  const firsts = [...lines.values()].flatMap((rows) => rows.find((row) => row.major >= major)?.from ?? []);
  const fromStart = firsts.findIndex((from) => parseRelease(from).patch === 0);
  return firsts.slice(0, fromStart + 1);
}

/**
 * The packaged Traefik with the Gateway API: from chart 34 on, K3s's definitions of Traefik hold those of its standard channel
 * (k3s-io/k3s-charts, traefik-crd). From v1.37 on K3s brings them by themselves (k3s-io/k3s #14557).
 */
export const PACKAGED_GATEWAY_API: Backported = {
  title: "a packaged Traefik with the Gateway API",
  since: releasesWithChart(34),
};
export const K3S_GATEWAY_API = "v1.37.0+k3s1";

/** Traefik's own chart brings the definitions of the Gateway API up to 40.1 (release notes of 40.2.0); `newest` is one that does. */
export const CHART_GATEWAY_API = { before: "40.2.0", newest: "39.0.9" } as const;

/** The oldest packaged chart whose values for Let's Encrypt the program writes. */
export const PACKAGED_ACME: Backported = {
  title: "a packaged Traefik of chart 25 or newer",
  since: releasesWithChart(25),
};

/** The chart of a K3s release. */
export interface TraefikChart {
  /** Major of the chart's version. */
  readonly major: number;
  /** False where the major is inferred, or where the table does not reach the release. */
  readonly exact: boolean;
  /** True for a release newer than the table: `major` is then the newest that the table has. */
  readonly newer: boolean;
}

const MAJORS = TRAEFIK_CHARTS.map((row) => row.major);
/** The newest chart whose syntax the program knows. */
export const NEWEST_MAJOR = Math.max(...MAJORS);
const OLDEST_MAJOR = Math.min(...MAJORS);

/**
 * The chart that K3s `version` (such as `v1.36.5+k3s1`) packages. A release newer than the table is taken to have the newest chart; one
 * older than the table, the oldest. Throws on a text that is no release: `spec/` refuses those.
 */
export function chartFor(version: string): TraefikChart {
  const release = parseRelease(version);
  if (isNewer(release)) {
    return { major: NEWEST_MAJOR, exact: false, newer: true };
  }
  // The rows are in order, and every line has one for its first release.
  const row = TRAEFIK_CHARTS.filter(({ from }) => compareK3sVersions(parseRelease(from), release) <= 0).at(-1);
  return row === undefined
    ? { major: OLDEST_MAJOR, exact: false, newer: false }
    : { major: row.major, exact: row.basis === "read", newer: false };
}

function parseRelease(version: string): K3sVersion {
  const release = parseK3sVersion(version);
  if (release === undefined) {
    throw new Error(`not a K3s release: ${version}`);
  }
  return release;
}

/** Whether the release is newer than what its own line, or else any line, was checked against. */
function isNewer(release: K3sVersion): boolean {
  const checked = CHECKED_UP_TO.map(parseRelease);
  const own = checked.find(({ major, minor }) => major === release.major && minor === release.minor);
  return (own === undefined ? checked : [own]).every((newest) => compareK3sVersions(release, newest) > 0);
}
