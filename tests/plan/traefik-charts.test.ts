import fc from "fast-check";
import { compareK3sVersions, parseK3sVersion } from "../../catalogue/k3s-versions";
import {
  CHECKED_UP_TO,
  PACKAGED_ACME,
  PACKAGED_GATEWAY_API,
  TRAEFIK_CHARTS,
  chartFor,
  traefikMajorOf,
} from "../../catalogue/traefik-charts";

describe("chartFor", () => {
  it.each([
    // The release, the chart's major, and whether it was read or inferred.
    ["v1.25.2+k3s1", 10, false],
    ["v1.25.3+k3s1", 12, true],
    ["v1.25.9+k3s1", 19, true],
    ["v1.25.15+k3s1", 21, true],
    ["v1.25.15+k3s2", 25, true],
    ["v1.26.10+k3s1", 21, false],
    ["v1.26.10+k3s2", 25, true],
    ["v1.27.7+k3s1", 21, false],
    ["v1.27.7+k3s2", 25, true],
    ["v1.28.3+k3s1", 21, false],
    ["v1.28.3+k3s2", 25, true],
    ["v1.28.13+k3s1", 25, true],
    ["v1.28.14+k3s1", 27, false],
    ["v1.29.9+k3s1", 27, false],
    ["v1.29.10+k3s1", 27, true],
    ["v1.30.4+k3s1", 25, true],
    ["v1.31.0+k3s1", 25, false],
    ["v1.31.14+k3s1", 27, true],
    ["v1.32.0+k3s1", 27, false],
    ["v1.32.1+k3s1", 27, false],
    ["v1.32.2+k3s1", 34, true],
    ["v1.32.10+k3s1", 37, true],
    ["v1.32.11+k3s1", 37, true],
    ["v1.32.13+k3s1", 39, false],
    ["v1.33.0+k3s1", 34, true],
    ["v1.33.13+k3s2", 40, false],
    ["v1.34.1+k3s1", 34, true],
    ["v1.34.2+k3s1", 37, true],
    ["v1.34.3+k3s1", 37, true],
    ["v1.34.3+k3s3", 38, true],
    ["v1.35.0+k3s1", 37, true],
    ["v1.35.0+k3s3", 38, true],
    ["v1.35.1+k3s1", 38, true],
    ["v1.35.2+k3s1", 39, true],
    ["v1.36.1+k3s1", 39, true],
    ["v1.36.2+k3s1", 40, true],
    ["v1.36.5+k3s1", 40, true],
    ["v1.37.1+k3s1", 41, true],
  ])("%s carries chart %i", (version, major, exact) => {
    expect(chartFor(version)).toEqual({ major, exact, newer: false });
  });

  it("counts K3s's builds as numbers: k3s10 comes after k3s2", () => {
    expect(chartFor("v1.35.0+k3s10").major).toBe(38);
    expect(chartFor("v1.25.15+k3s10").major).toBe(25);
  });

  it.each(["v1.36.6+k3s1", "v1.37.2+k3s1", "v1.38.0+k3s1", "v2.0.0+k3s1"])(
    "takes %s, newer than the table, to carry the newest chart, and says so",
    (version) => {
      expect(chartFor(version)).toEqual({ major: 41, exact: false, newer: true });
    },
  );

  it("takes a late build of a line that has ended to carry that line's last chart", () => {
    expect(chartFor("v1.30.99+k3s1")).toEqual({ major: 27, exact: true, newer: false });
  });

  it("takes a release older than the table to carry the oldest chart", () => {
    expect(chartFor("v1.19.0+k3s1")).toEqual({ major: 9, exact: false, newer: false });
  });

  it("refuses a text that is no release", () => {
    expect(() => chartFor("stable")).toThrow("not a K3s release: stable");
  });
});

describe("what a chart brings", () => {
  it("has Traefik v2 up to chart 27, and v3 from 28 on", () => {
    expect([9, 27, 28, 41].map(traefikMajorOf)).toEqual([2, 2, 3, 3]);
  });

  it("begins, for a chart's major, with the first release of each line until a line has it from the start", () => {
    expect(PACKAGED_GATEWAY_API.since).toEqual(["v1.32.2+k3s1", "v1.33.0+k3s1"]);
    expect(PACKAGED_ACME.since).toEqual([
      "v1.25.15+k3s2",
      "v1.26.10+k3s2",
      "v1.27.7+k3s2",
      "v1.28.3+k3s2",
      "v1.29.0+k3s1",
    ]);
  });
});

describe("the table", () => {
  const versions = TRAEFIK_CHARTS.map(({ from }) => parseK3sVersion(from)!);

  it("holds releases only, in order, each once", () => {
    for (const [place, version] of versions.entries()) {
      expect(version).toBeDefined();
      if (place > 0) expect(compareK3sVersions(versions[place - 1]!, version)).toBeLessThan(0);
    }
  });

  it("has a row for the first release of every line, without a gap between lines", () => {
    const firsts = versions.filter(({ patch }) => patch === 0).map(({ minor }) => minor);
    expect([...new Set(firsts)]).toEqual(Array.from({ length: 17 }, (_, place) => 21 + place));
  });

  it("never goes back to an older chart within a line", () => {
    for (const [place, row] of TRAEFIK_CHARTS.entries()) {
      const before = TRAEFIK_CHARTS[place - 1];
      if (before !== undefined && versions[place]?.minor === versions[place - 1]?.minor) {
        expect(row.major).toBeGreaterThanOrEqual(before.major);
      }
    }
  });

  it("reaches every line that it was checked against", () => {
    const lines = new Set(versions.map(({ major, minor }) => `${major}.${minor}`));
    for (const text of CHECKED_UP_TO) {
      const { major, minor } = parseK3sVersion(text)!;
      expect(lines).toContain(`${major}.${minor}`);
    }
  });

  it("answers every row's own release with that row", () => {
    fc.assert(
      fc.property(fc.constantFrom(...TRAEFIK_CHARTS), ({ from, major, basis }) => {
        expect(chartFor(from)).toEqual({ major, exact: basis === "read", newer: false });
      }),
    );
  });
});
