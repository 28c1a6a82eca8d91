/** Command line options: what is taken, and what is refused with which words. */
import { helpText, parseOptions, type CommandSpec } from "../../review/options";

const SPEC: CommandSpec = {
  command: "npm run x --",
  summary: "Does x.",
  options: {
    stack: { type: "string", value: "NAME", help: "a stack" },
    from: { type: "string", value: "PEER", required: true, help: "who asks" },
    protocol: { type: "string", value: "tcp|udp", values: ["tcp", "udp"], help: "the protocol" },
    json: { type: "boolean", help: "as JSON" },
    help: { type: "boolean", help: "this text" },
  },
  examples: ["npm run x -- --from world"],
};

test("values are taken, with a space or an equals sign", () => {
  expect(parseOptions(["--from", "world", "--protocol=udp", "--json"], SPEC)).toEqual({
    values: { from: "world", protocol: "udp", json: true },
    problems: [],
  });
});

test.each([
  [
    ["--from", "a", "--stak", "b"],
    [
      {
        code: "option-unknown",
        path: "--stak",
        message: "is not an option; allowed: --stack, --from, --protocol, --json, --help",
        remedy: "did you mean --stack?",
      },
    ],
  ],
  [
    ["--from", "a", "--zzzzzzzzzz"],
    [
      {
        code: "option-unknown",
        path: "--zzzzzzzzzz",
        message: "is not an option; allowed: --stack, --from, --protocol, --json, --help",
        remedy: "see --help",
      },
    ],
  ],
  [
    ["dev-shared", "--from", "a"],
    [
      {
        code: "option-unknown",
        path: "dev-shared",
        message: "stands without an option; every value belongs to one",
        remedy: 'write it after its option, and options after "--", as in: npm run x -- --from world',
      },
    ],
  ],
  [[], [{ code: "option-invalid", path: "--from", message: "is missing; it takes PEER", remedy: "who asks" }]],
  [
    ["--from"],
    [{ code: "option-invalid", path: "--from", message: "has no value; it takes PEER", remedy: "who asks" }],
  ],
  [
    ["--from", "a", "--from", "b"],
    [
      {
        code: "option-invalid",
        path: "--from",
        message: "is given twice; it is taken once",
        remedy: "leave one of them out",
      },
    ],
  ],
  [
    ["--from", "a", "--json=yes"],
    [
      {
        code: "option-invalid",
        path: "--json",
        message: 'takes no value ("yes")',
        remedy: "write --json alone",
      },
    ],
  ],
  [
    ["--from", "a", "--protocol", "ucp"],
    [
      {
        code: "option-invalid",
        path: "--protocol",
        message: 'is "ucp"; allowed: tcp, udp',
        remedy: "did you mean tcp?",
      },
    ],
  ],
])("%j is refused", (args, problems) => {
  expect(parseOptions(args, SPEC).problems).toEqual(problems);
});

test("all mistakes come at once", () => {
  const { problems } = parseOptions(["--jsn", "--protocol", "icmp"], SPEC);
  expect(problems.map(({ path }) => path)).toEqual(["--jsn", "--protocol", "--from"]);
});

test("--help needs nothing else, and names every option", () => {
  expect(parseOptions(["--help"], SPEC).problems).toEqual([]);
  expect(helpText(SPEC)).toBe(
    [
      "Usage: npm run x -- [options]",
      "",
      "Does x.",
      "",
      "Options:",
      "  --stack NAME        a stack",
      "  --from PEER         who asks (required)",
      "  --protocol tcp|udp  the protocol",
      "  --json              as JSON",
      "  --help              this text",
      "",
      "Examples:",
      "  npm run x -- --from world",
      "",
    ].join("\n"),
  );
});

describe("a subject, which stands without an option", () => {
  const spec: CommandSpec = { ...SPEC, subject: { name: "NAME", help: "give a name" } };

  test.each([[["mine", "--from", "world"]], [["--from", "world", "mine"]], [["--from=world", "--json", "mine"]]])(
    "is taken, wherever it stands: %j",
    (args) => {
      const { values, problems } = parseOptions(args, spec);
      expect(values).toMatchObject({ NAME: "mine", from: "world" });
      expect(problems).toEqual([]);
    },
  );

  test("is missed, and taken once", () => {
    expect(parseOptions(["--from", "world"], spec).problems).toEqual([
      { code: "option-invalid", path: "NAME", message: "is missing", remedy: "give a name" },
    ]);
    expect(parseOptions(["a", "b", "--from", "world"], spec).problems.map(({ path }) => path)).toEqual(["b"]);
  });

  test("is not what stands behind an option that is not there, and is in the help", () => {
    const { values, problems } = parseOptions(["--form", "world", "mine"], spec);
    expect(values["NAME"]).toBe("mine");
    expect(problems.map(({ path }) => path)).toEqual(["--form", "--from"]);
    expect(helpText(spec)).toContain("Usage: npm run x -- NAME [options]\n");
  });
});
