/** `npm run test:workflows`: what it counts, and that it fails where its linter finds nothing. With a stand-in for Go and what it builds. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { main } from "../../tools/workflows-test";
import type { Place } from "../../tools/engine/place";
import { ROOT } from "../review/support";

const GO = `#!/bin/sh
if [ "$1" = version ]; then echo "go version go1.30.1 linux/amd64"; exit 0; fi
for word; do
  if [ "$before" = -o ]; then out=$word; fi
  before=$word
done
/bin/cp "$LINTER" "$out"
`;
const FINDS = `/bin/cat >/dev/null; echo ".github/workflows/mistakes.yml:6:24: injection [expression]"; echo "no input [action]"; exit 1`;
/** Says nothing of files, but for the one in BAD, and what FINDS says of a text. */
const LINTER = `#!/bin/sh
for word; do :; done
case "$word" in "$BAD") echo "$word:1:1: wrong [syntax-check]"; exit 1;; -) ${FINDS};; esac
`;
const workflows = readdirSync(path.join(ROOT, ".github/workflows")).sort();

let folder: string;
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "k3s-networking-linter-"));
  said = [];
  mkdirSync(path.join(folder, "bin"));
  cpSync(path.join(ROOT, "tools/engine/go/actionlint"), path.join(folder, "go/actionlint"), { recursive: true });
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function command(linter: string, args: string[] = [], go = true): Promise<{ code: unknown; stdout: string[] }> {
  if (go) writeFileSync(path.join(folder, "bin/go"), GO, { mode: 0o755 });
  writeFileSync(path.join(folder, "linter"), linter, { mode: 0o755 });
  const place: Place = {
    target: path.join(folder, "target"),
    sources: folder,
    env: { PATH: path.join(folder, "bin"), LINTER: path.join(folder, "linter") },
    say: (line) => said.push(line),
    interval: 60_000,
  };
  const written: string[] = [];
  const stdout = jest.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
  try {
    await main(args, place);
    return { code: process.exitCode, stdout: written.join("").trimEnd().split("\n") };
  } finally {
    stdout.mockRestore();
    process.exitCode = undefined;
  }
}

test("every workflow file is one test, and so is that mistakes are found", async () => {
  expect(await command(LINTER)).toEqual({
    code: 0,
    stdout: [
      ...workflows.map((name) => `passed  ${name}`),
      "passed  a workflow with mistakes is refused",
      `${workflows.length + 1} passed, 0 failed`,
    ],
  });
});

test("a file with a finding has failed, and the finding is shown", async () => {
  const { code, stdout } = await command(LINTER.replace("$BAD", ".github/workflows/ci.yml"));
  expect(code).toBe(1);
  expect(stdout.slice(0, 2)).toEqual(["FAILED  ci.yml", ".github/workflows/ci.yml:1:1: wrong [syntax-check]"]);
  expect(stdout.at(-1)).toBe(`${workflows.length} passed, 1 failed`);
});

test.each([
  ["finds nothing", "#!/bin/sh\n/bin/cat >/dev/null\n"],
  ["finds one of two mistakes", LINTER.replace('echo "no input [action]"; ', "")],
  ["does not run", "#!/nonexistent\n"],
])("a linter that %s fails the command", async (_what, linter) => {
  const { code, stdout } = await command(linter);
  expect(code).toBe(1);
  expect(stdout).toContain("FAILED  a workflow with mistakes is refused");
});

test("without Go, or with an option, it says why it cannot", async () => {
  expect(await command(LINTER, [], false)).toMatchObject({ code: 1, stdout: [""] });
  expect(said).toEqual([expect.stringMatching(/^Go is needed to build actionlint, .*\nInstall Go 1\.25\.0/u)]);
  said.length = 0;
  expect(await command(LINTER, ["--fast"])).toMatchObject({ code: 1, stdout: [""] });
  expect(said).toEqual(["unknown option --fast; there is none"]);
});
