/** Networks and addresses of both families. */
import fc from "fast-check";
import {
  addressAt,
  addressText,
  contains,
  covered,
  familyOf,
  hostNetwork,
  isAddress,
  isNetwork,
  isPrivate,
  isWorld,
  overlaps,
  prefixLength,
  span,
  subnetAt,
  withoutContained,
} from "../../catalogue/cidr";

const address = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((value) => addressText(value, "ipv6"));

test("the usual form of an address alone is one", () => {
  expect(["10.0.0.1", "::1", "fd00::a", "2001:db8::1:0:0:1"].map(isAddress)).toEqual([true, true, true, true]);
  const others = [
    "010.0.0.1",
    "10.0.0",
    "FD00::a",
    "fd00:0::a",
    "fd00::a%eth0",
    "[fd00::a]",
    "::ffff:1.2.3.4",
    "::1/128",
  ];
  expect(others.map(isAddress)).toEqual(others.map(() => false));
  fc.assert(
    fc.property(address, (text) => isAddress(text) && isNetwork(hostNetwork(text)) && familyOf(text) === "ipv6"),
  );
});

test("prefixes are as long as the family's addresses at most", () => {
  expect(["10.0.0.0/32", "::/0", "fd00::/128"].map(isNetwork)).toEqual([true, true, true]);
  const others = ["10.0.0.0/33", "fd00::/129", "fd00::/08", "fd00::", "fd00::/64/64"];
  expect(others.map(isNetwork)).toEqual(others.map(() => false));
  expect([prefixLength("fd00::/56"), hostNetwork("fd00::1"), hostNetwork("10.0.0.1")]).toEqual([
    56,
    "fd00::1/128",
    "10.0.0.1/32",
  ]);
});

test("subnets and addresses are counted from the first", () => {
  expect(subnetAt("2a05:d018:1:8000::/56", 64, 144)).toBe("2a05:d018:1:8090::/64");
  expect(addressAt("fd00:10:43::/112", 10)).toBe("fd00:10:43::a");
  fc.assert(
    fc.property(address, fc.integer({ min: 1, max: 127 }), (text, prefix) => {
      const around = subnetAt(`${text}/${prefix}`, prefix, 0);
      expect(contains(around, text)).toBe(true);
      expect(span(around).last - span(around).first + 1n).toBe(1n << BigInt(128 - prefix));
    }),
  );
});

test("families have nothing in common", () => {
  expect([contains("0.0.0.0/0", "::1"), contains("::/0", "10.0.0.1")]).toEqual([false, false]);
  expect(overlaps("::/0", "0.0.0.0/0")).toBe(false);
  expect([covered("::/0", ["0.0.0.0/0", "::/1", "8000::/1"]), covered("::/0", ["0.0.0.0/0", "::/1"])]).toEqual([
    true,
    false,
  ]);
  expect(withoutContained(["10.0.0.0/8", "::/0", "fd00::/8", "10.1.0.0/16"])).toEqual(["10.0.0.0/8", "::/0"]);
  expect(["::/0", "0.0.0.0/0", "::/1", "fc00::/7"].map(isWorld)).toEqual([true, true, false, false]);
  expect(["fd00::/8", "2001:db8::/32", "10.0.0.0/8"].map(isPrivate)).toEqual([true, false, true]);
});
