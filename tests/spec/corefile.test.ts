/** What is told of files that CoreDNS imports, before a CoreDNS that does not start tells it. */
import fc from "fast-check";
import { corefileFault, type CorefileKind } from "../../spec/checks/corefile";

const message = (text: string, kind: CorefileKind, dns: "coredns" | "coredns-chart" = "coredns"): string | undefined =>
  corefileFault(text, kind, dns)?.message;

test.each([
  ["corp.example:53 {\n  errors\n  cache 30\n  forward . 10.0.0.53\n}\n"],
  ["a.example,\nb.example {\n  whoami\n}"],
  ["tls://corp.example:853 10.in-addr.arpa {\r\n  forward . 10.0.0.53 {\r\n    max_fails 3\r\n  }\r\n}\r\n"],
  [
    '# {\n(own) {\n  log\n}\ncorp.example {\n  import own\n  template IN A {\n    answer "{{ .Name }} 60 IN A 10.0.0.1 {"\n  }\n}',
  ],
])("a server block is taken: %j", (text) => {
  expect(message(text, "server")).toBeUndefined();
});

test.each([["log"], ["rewrite name a.example b.example # }\nrewrite stop {\n  name regex (.*)\\.x {1}.y\n}\n"]])(
  "additions to the default block are taken: %j",
  (text) => {
    expect(message(text, "override")).toBeUndefined();
  },
);

test("K3s's block has the plugin hosts, for the nodes' names; the chart's has not", () => {
  const hosts = "hosts {\n  10.0.0.1 a.example\n  fallthrough\n}";
  expect(message(hosts, "override")).toContain("(hosts)");
  expect(message(hosts, "override", "coredns-chart")).toBeUndefined();
  expect(message(`corp.example {\n${hosts}\n}`, "server")).toBeUndefined();
});

const line = fc.constantFrom("errors", "log", "forward . 10.0.0.53", 'answer "{ }"', "# }", "", "rewrite name {x} }y");
/** Lines of plugins, some with blocks in them. */
const plugins = fc.letrec<{ lines: string[]; block: string[] }>((tie) => ({
  lines: fc
    .array(fc.oneof({ weight: 4, arbitrary: line.map((text) => [text]) }, tie("block")))
    .map((all) => all.flat()),
  block: tie("lines").map((inner) => ["template IN A {", ...inner, "}"]),
})).lines;

test("what is well-formed is taken, and without one of its braces is not", () => {
  fc.assert(
    fc.property(plugins, fc.nat(), (inner, at) => {
      const lines = ["corp.example {", ...inner, "}"];
      expect(message(lines.join("\n"), "server")).toBeUndefined();
      const closing = lines.flatMap((text, index) => (text === "}" ? [index] : []));
      const gone = closing[at % closing.length];
      expect(message(lines.filter((_, index) => index !== gone).join("\n"), "server")).toBe("leaves a brace open");
    }),
  );
});
