import fc from "fast-check";
import { parse } from "yaml";
import {
  Placeholder,
  fillTemplate,
  joinTexts,
  referenceName,
  showTemplate,
  yamlTemplate,
  yamlText,
} from "../../plan/template";
import type { AddressRef } from "../../plan/types";

const address: AddressRef = { node: "server-1", network: "backplane", scope: "private" };
const other: AddressRef = { node: "server-2", network: "shared", scope: "public" };

describe("joinTexts", () => {
  it("merges neighbouring strings and keeps references in place", () => {
    expect(joinTexts("a", ["b", address], "", [other, "c"], "d")).toEqual(["ab", address, other, "cd"]);
  });

  it("makes nothing of nothing", () => {
    expect(joinTexts("", [])).toEqual([]);
  });
});

describe("names of references", () => {
  it("say node, network and scope, or the load balancer's name", () => {
    expect(referenceName(address)).toBe("server-1:backplane:private");
    expect(referenceName({ apiLoadBalancer: "dnsName" })).toBe("api-load-balancer:dns-name");
  });

  it("stand in dollar braces where a reviewer reads the text", () => {
    expect(showTemplate(["node-ip: ", address, "\n"])).toBe("node-ip: ${server-1:backplane:private}\n");
  });
});

describe("yamlTemplate", () => {
  it("puts references where their values stand", () => {
    const value = { "node-ip": new Placeholder(address), list: [new Placeholder(other), "x"] };
    expect(yamlTemplate(value)).toEqual(["node-ip: ", address, "\nlist:\n  - ", other, "\n  - x\n"]);
  });

  it("takes a mapping that looks like a reference for the mapping that it is", () => {
    expect(showTemplate(yamlTemplate({ a: { node: "n", network: "shared", scope: "public" } }))).toBe(
      "a:\n  node: n\n  network: shared\n  scope: public\n",
    );
  });

  it("is not fooled by text that looks like its own markers", () => {
    const value = { a: "address0z", b: new Placeholder(address), c: "addressx0z addressxx1z" };
    const filled = fillTemplate(yamlTemplate(value), () => "10.0.0.1");
    expect(parse(filled)).toEqual({ a: "address0z", b: "10.0.0.1", c: "addressx0z addressxx1z" });
  });

  it("gives back any tree once its references are filled in", () => {
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: "small" },
        tie("leaf"),
        fc.array(tie("tree")),
        fc.dictionary(fc.string(), tie("tree")),
      ),
      leaf: fc.oneof(
        fc.string(),
        fc.constantFrom("address", "address0z"),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(fc.string(), tree), fc.array(fc.nat(9)), (plain, octets) => {
        const references = octets.map(
          (octet) => ({ node: `n-${octet}`, network: "shared", scope: "private" }) as const,
        );
        const value = { plain, refs: references.map((reference) => new Placeholder(reference)) } as never;
        const filled = fillTemplate(yamlTemplate(value), (reference) => referenceName(reference));
        expect(parse(filled)).toEqual({
          plain: JSON.parse(JSON.stringify(plain)) as unknown,
          refs: references.map(referenceName),
        });
      }),
    );
  });
});

describe("yamlText", () => {
  it("neither folds long lines nor uses anchors", () => {
    const same = ["x"];
    const long = "word ".repeat(60).trim();
    expect(yamlText({ long, a: same, b: same })).toBe(`long: ${long}\na:\n  - x\nb:\n  - x\n`);
  });
});
