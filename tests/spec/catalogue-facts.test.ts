import { isAddress, isNetwork } from "../../catalogue/cidr";
import { architecture, isInstanceType, networkInterfaces } from "../../catalogue/instance-types";
import {
  EMBEDDED_REGISTRY,
  LEGACY_FLAGS,
  OLDEST_SUPPORTED,
  RUNTIMES_COMPONENT,
  compareK3sVersions,
  hasFeature,
  isAtLeast,
  legacyBackendFate,
  legacyFlagFate,
  parseK3sVersion,
  type K3sVersion,
} from "../../catalogue/k3s-versions";
import { DEFAULT_K3S_VERSION } from "../../spec/schema";

function version(text: string): K3sVersion {
  const parsed = parseK3sVersion(text);
  if (parsed === undefined) throw new Error(`not a release: ${text}`);
  return parsed;
}

describe("K3s releases", () => {
  test.each([
    ["v1.36.5+k3s1", { major: 1, minor: 36, patch: 5, candidate: undefined, build: 1 }],
    ["v1.32.13-rc2+k3s3", { major: 1, minor: 32, patch: 13, candidate: 2, build: 3 }],
  ])("%s is read", (text, parts) => {
    expect(parseK3sVersion(text)).toEqual({ text, ...parts });
  });

  test.each(["1.36.5+k3s1", "v1.36.5", "v1.36+k3s1", "v1.36.5-k3s1", "stable", "", "v1.36.5+k3s1 ", "v1.36.5+rke2r1"])(
    "%j is not a release",
    (text) => {
      expect(parseK3sVersion(text)).toBeUndefined();
    },
  );

  test("are ordered by numbers, the build behind +k3s included, candidates first", () => {
    const ordered = [
      "v1.25.15+k3s1",
      "v1.25.15+k3s2",
      "v1.26.9+k3s1",
      "v1.26.10-rc1+k3s1",
      "v1.26.10-rc2+k3s1",
      "v1.26.10+k3s1",
      "v1.26.10+k3s2",
    ];
    const shuffled = [...ordered].reverse().map(version).sort(compareK3sVersions);
    expect(shuffled.map(({ text }) => text)).toEqual(ordered);
    expect(compareK3sVersions(version("v1.26.10+k3s1"), version("v1.26.10+k3s1"))).toBe(0);
  });

  test("the default is supported, and the boundary is inclusive", () => {
    expect(isAtLeast(version(DEFAULT_K3S_VERSION), OLDEST_SUPPORTED)).toBe(true);
    expect(isAtLeast(version("v1.25.0+k3s1"), OLDEST_SUPPORTED)).toBe(true);
    expect(isAtLeast(version("v1.24.17+k3s9"), OLDEST_SUPPORTED)).toBe(false);
  });

  test.each([
    ["v1.25.16+k3s4", false, false],
    ["v1.26.11+k3s1", false, false],
    ["v1.26.12+k3s1", false, true],
    ["v1.26.14+k3s1", false, true],
    ["v1.26.15+k3s1", true, true],
    ["v1.27.8+k3s1", false, false],
    ["v1.27.9+k3s1", false, true],
    ["v1.27.11+k3s1", false, true],
    ["v1.27.12+k3s1", true, true],
    ["v1.28.4+k3s1", false, false],
    ["v1.28.5+k3s1", false, true],
    ["v1.28.7+k3s1", false, true],
    ["v1.28.8+k3s1", true, true],
    ["v1.29.0+k3s1", false, true],
    ["v1.29.2+k3s1", false, true],
    ["v1.29.3+k3s1", true, true],
    ["v1.30.0+k3s1", true, true],
    ["v1.36.5+k3s1", true, true],
  ])("%s: embedded registry %s, runtimes component %s", (text, registry, runtimes) => {
    expect(hasFeature(version(text), EMBEDDED_REGISTRY)).toBe(registry);
    expect(hasFeature(version(text), RUNTIMES_COMPONENT)).toBe(runtimes);
  });
});

describe("legacy flags and backends, in the words of each release", () => {
  test.each([
    ["v1.24.3+k3s1", "v1.24.3+k3s1 still takes it, but v1.25 stops at it and v1.26 does not know it"],
    ["v1.25.0+k3s1", "it stops v1.25.0+k3s1 from starting, and v1.26 does not know it"],
    ["v1.26.0+k3s1", "v1.26.0+k3s1 does not know it: it became fatal in v1.25 and was removed in v1.26"],
  ])("--no-deploy and --no-flannel in %s", (text, fate) => {
    expect(legacyFlagFate(LEGACY_FLAGS["no-deploy"], version(text))).toBe(fate);
    expect(legacyFlagFate(LEGACY_FLAGS["no-flannel"], version(text))).toBe(fate);
  });

  test("without a release", () => {
    expect(legacyFlagFate(LEGACY_FLAGS["no-deploy"], undefined)).toBe(
      "K3s does not know it: it became fatal in v1.25 and was removed in v1.26",
    );
  });

  test.each([
    ["v1.25.4+k3s1", "v1.25.4+k3s1 still has it, but v1.27 does not"],
    ["v1.25.5+k3s1", "v1.25.5+k3s1 no longer bundles the helper that it needs, and v1.27 removed it"],
    ["v1.26.0+k3s1", "v1.26.0+k3s1 no longer bundles the helper that it needs, and v1.27 removed it"],
    ["v1.27.0+k3s1", "v1.27.0+k3s1 does not have it: it was removed in v1.27"],
  ])("ipsec in %s", (text, fate) => {
    expect(legacyBackendFate("ipsec", version(text))).toBe(fate);
  });

  test.each([
    ["v1.25.9+k3s1", "v1.25.9+k3s1 still has it, but it stops v1.26 from starting, and v1.27 removed it"],
    ["v1.26.4+k3s1", "it stops v1.26.4+k3s1 from starting, and v1.27 removed it"],
    ["v1.36.5+k3s1", "v1.36.5+k3s1 does not have it: it became fatal in v1.26 and was removed in v1.27"],
  ])("wireguard in %s", (text, fate) => {
    expect(legacyBackendFate("wireguard", version(text))).toBe(fate);
  });
});

describe("instance types", () => {
  test.each([
    ["t2.micro", 2],
    ["t3.medium", 3],
    ["t3a.small", 2],
    ["t4g.2xlarge", 4],
    ["m4.large", 2],
    ["m5.xlarge", 4],
    ["m7g.medium", 2],
    ["c6i.12xlarge", 8],
    ["c7gn.16xlarge", 15],
    ["r8g.metal-48xl", 15],
    ["a1.metal", 8],
  ])("%s takes %i interfaces", (type, interfaces) => {
    expect(networkInterfaces(type)).toBe(interfaces);
  });

  test.each(["m99.large", "m5.huge", "d3.xlarge", "nonsense", ""])("%j is not in the table", (type) => {
    expect(networkInterfaces(type)).toBeUndefined();
  });

  test.each([
    "a1.medium",
    "t4g.nano",
    "m7g.large",
    "m7gd.xlarge",
    "c7gn.large",
    "im4gn.large",
    "is4gen.medium",
    "r8g.large",
    "x2gd.medium",
    "g5g.xlarge",
    "hpc7g.4xlarge",
  ])("%s is arm64", (type) => {
    expect(architecture(type)).toBe("arm64");
  });

  test.each([
    "t3.medium",
    "t3a.small",
    "m5.large",
    "g4dn.xlarge",
    "g6.xlarge",
    "gr6.4xlarge",
    "c7i-flex.large",
    "i7ie.large",
    "p4d.24xlarge",
    "u-6tb1.metal",
  ])("%s is amd64", (type) => {
    expect(architecture(type)).toBe("amd64");
  });

  test("names have a family and a size", () => {
    expect(
      ["t3.medium", "c7i-flex.large", "u-6tb1.56xlarge", "m7i.metal-24xl", "mac1.metal"].filter(
        (type) => !isInstanceType(type),
      ),
    ).toEqual([]);
    expect(["t3", "medium", "T3.medium", "t3.", "t3 medium", ""].filter(isInstanceType)).toEqual([]);
  });
});

describe("the form of addresses and networks", () => {
  test.each([
    ["10.0.0.1", 32],
    ["0.0.0.0", 32],
    ["255.255.255.255", 32],
    ["::1", 128],
    ["2001:db8::a", 128],
  ])("%s is an address", (text, bits) => {
    expect([isAddress(text), isNetwork(text), isNetwork(`${text}/${bits}`)]).toEqual([true, false, true]);
  });

  test.each(["", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1 ", "0x0a.0.0.1", "::g", "10.0.0.1/32"])(
    "%j is not an address",
    (text) => {
      expect([isAddress(text), isNetwork(`${text}/24`)]).toEqual([false, false]);
    },
  );

  test.each(["10.0.0.0/0", "10.0.0.0/9", "10.0.0.7/24", "10.0.0.0/32"])("%s is a network", (text) => {
    expect([isNetwork(text), isAddress(text)]).toEqual([true, false]);
  });

  test.each(["10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/8,10.1.0.0/16"])(
    "%s is not a network",
    (text) => {
      expect(isNetwork(text)).toBe(false);
    },
  );
});
