/** Addresses of both families on one line. */
import fc from "fast-check";
import { contains, subnetAt } from "../../catalogue/cidr";
import {
  Atoms,
  cidrsOf,
  joinSpans,
  publicAddresses,
  spanOf,
  withoutSpans,
} from "../../review/difference/reach-addresses";

const four = fc
  .tuple(fc.integer({ min: 8, max: 32 }), fc.nat(200))
  .map(([prefix, index]) => subnetAt("10.0.0.0/8", prefix, index % 2 ** (prefix - 8)));
const six = fc
  .tuple(fc.integer({ min: 16, max: 128 }), fc.nat(200))
  .map(([prefix, index]) => subnetAt("2001::/16", prefix, index % 2 ** Math.min(30, prefix - 16)));

test("networks become spans and the fewest networks again, each family by itself", () => {
  expect(cidrsOf(joinSpans(["2001:db8:1::/48", "2001:db8::/48", "10.1.0.0/16", "10.0.0.0/16"].map(spanOf)))).toEqual([
    "10.0.0.0/15",
    "2001:db8::/47",
  ]);
  expect(cidrsOf(joinSpans(["255.0.0.0/8", "::/64"].map(spanOf)))).toEqual(["255.0.0.0/8", "::/64"]);
  fc.assert(
    fc.property(fc.array(fc.oneof(four, six), { minLength: 1 }), (cidrs) => {
      const again = cidrsOf(joinSpans(cidrs.map(spanOf)));
      expect(cidrs.filter((cidr) => !again.some((whole) => contains(whole, cidr)))).toEqual([]);
      expect(withoutSpans(joinSpans(again.map(spanOf)), joinSpans(cidrs.map(spanOf)))).toEqual([]);
    }),
  );
});

test("what is left when networks are taken out of another", () => {
  expect(cidrsOf(withoutSpans([spanOf("2001:db8::/46")], [spanOf("2001:db8:1::/48")]))).toEqual([
    "2001:db8::/48",
    "2001:db8:2::/47",
  ]);
  expect(withoutSpans([spanOf("10.0.0.0/8")], [spanOf("::/0")])).toEqual([spanOf("10.0.0.0/8")]);
});

test("IPv6 has pieces only where a network is of it", () => {
  expect(new Atoms(["10.0.0.0/8"]).families).toEqual(["ipv4"]);
  const atoms = new Atoms(["10.0.0.0/8", "2001:db8::/32"]);
  expect(atoms.families).toEqual(["ipv4", "ipv6"]);
  expect(atoms.spans).toHaveLength(6);
  expect(atoms.at("2001:db8:5::/48")).toEqual([4, 4]);
  expect(atoms.at("::/0")).toEqual([3, 5]);
  expect(atoms.at("0.0.0.0/0")).toEqual([0, 2]);
  const [first, last] = new Atoms([]).at("::/0");
  expect(last).toBeLessThan(first);
});

test("public addresses are counted by how much of their family they are", () => {
  expect(publicAddresses(["8.8.8.0/24", "10.0.0.0/8"])).toBe(256);
  expect(publicAddresses(["2001:db8::/32", "fd00::/8", "fe80::/64"])).toBe(1);
  expect(publicAddresses(["::/1"])).toBe(2 ** 31);
});
