/** Stack files as YAML has them: anchors and aliases mean what YAML says, and what cannot be read is a problem, never a crash. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readStackFile } from "../../review/stack-file";

const folder = mkdtempSync(join(tmpdir(), "stack-file-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function read(text: string): ReturnType<typeof readStackFile> {
  const file = join(folder, "Pulumi.such.yaml");
  writeFileSync(file, text);
  return readStackFile({ stack: "such", file });
}

function problems(text: string): string[] {
  const result = read(text);
  return "problems" in result ? result.problems.map(({ code, message }) => `${code}: ${message}`) : [];
}

test("an alias is what its anchor holds, also through a merge key and from outside config", () => {
  const text = [
    "defaults: &pool { role: agent, count: 2 }",
    "config:",
    "  k3s-networking:tags: &tags { team: platform }",
    "  k3s-networking:other: *tags",
    "  k3s-networking:nodes:",
    "    - { <<: *pool, pool: worker }",
  ].join("\n");
  expect(read(text)).toEqual({
    config: {
      "k3s-networking:tags": { team: "platform" },
      "k3s-networking:other": { team: "platform" },
      "k3s-networking:nodes": [{ role: "agent", count: 2, pool: "worker" }],
    },
  });
});

test("aliases that lead nowhere, in circles, or to more than a stack can be are problems of the file", () => {
  expect(problems("config:\n  a: *nowhere\n")).toEqual([
    expect.stringMatching(/^stack-file-syntax: is not YAML: .*nowhere/),
  ]);
  expect(problems("config: &c\n  a: *c\n")).toEqual([expect.stringMatching(/^stack-file-syntax: is not YAML: /)]);
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
  const levels = ["a", "b", "c", "d", "e", "f"];
  for (const [index, name] of levels.slice(1).entries()) {
    bomb.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${levels[index]!}`).join(", ")}]`);
  }
  expect(problems(`${bomb.join("\n")}\nconfig:\n  z: *f\n`)).toEqual([
    expect.stringMatching(/^stack-file-syntax: is not YAML: /),
  ]);
});

test.each(["", "config:\n", "config: 5\n", "- config\n", "other: {}\n"])("%j has no settings", (text) => {
  expect(problems(text)).toEqual([
    'stack-file-syntax: has no "config:" mapping; a stack file holds its settings under "config:"',
  ]);
});
