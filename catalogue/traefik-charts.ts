/**
 * Which Traefik Helm chart a K3s release packages. The chart's major decides the syntax of its values, so a HelmChartConfig has to
 * follow it: a value in another major's place fails the upgrade of the packaged Traefik, or is silently ignored.
 *
 * K3s backports charts, so every minor line has its own boundaries, and a boundary may lie between two builds of one Kubernetes
 * patch (v1.25.15+k3s1 and +k3s2). Followed: K3s's release notes (Traefik version per release) and the K3s manifests.
 */
import { compareK3sVersions, parseK3sVersion, type K3sVersion } from "./k3s-versions";

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
const NEWEST_MAJOR = Math.max(...MAJORS);
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
