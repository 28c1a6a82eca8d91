/** `npm run test:workflows`: actionlint on every workflow file, and on one with mistakes. actionlint is built once into `.cache/engine`. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { spawnSync } from "node:child_process";
import { ARTEFACTS } from "./engine/artefacts";
import { ensurePrograms } from "./engine/go";
import { ownPlace, type Place } from "./engine/place";
import { SetupError } from "./engine/step";

const ROOT = path.resolve(__dirname, "..");
const FOLDER = ".github/workflows";

/** A workflow with two mistakes: whoever writes a title of a pull request runs commands, and an input is unknown. */
const MISTAKES = `on: pull_request
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - run: echo "\${{ github.event.pull_request.title }}"
      - uses: actions/checkout@v4
        with:
          no-such-input: true
`;
const FINDINGS = ["[expression]", "[action]"];

interface Result {
  readonly title: string;
  readonly passed: boolean;
  /** What is shown when it failed. */
  readonly output: string;
}

/** Runs actionlint on a file, or on a text as if it were one. */
function lint(
  actionlint: string,
  file: string,
  text = "",
): { readonly status: number | null; readonly output: string } {
  // Scripts are checked by shellcheck where the machine has it.
  const args = ["-no-color", "-oneline", "-pyflakes=", ...(text === "" ? [file] : ["-stdin-filename", file, "-"])];
  const { status, stdout, stderr, error } = spawnSync(actionlint, args, { cwd: ROOT, encoding: "utf8", input: text });
  return { status, output: error === undefined ? `${stdout}${stderr}` : error.message };
}

/** Lints every workflow file, and the one with mistakes, which must be found. */
function results(actionlint: string): Result[] {
  const files = readdirSync(path.join(ROOT, FOLDER)).sort();
  const linted = files.map((name): Result => {
    const { status, output } = lint(actionlint, `${FOLDER}/${name}`);
    return { title: name, passed: status === 0 && output === "", output };
  });
  const { status, output } = lint(actionlint, `${FOLDER}/mistakes.yml`, MISTAKES);
  const passed = status === 1 && FINDINGS.every((finding) => output.includes(finding));
  return [...linted, { title: "a workflow with mistakes is refused", passed, output }];
}

async function ensureLinter(place: Place): Promise<string | undefined> {
  try {
    return (await ensurePrograms([ARTEFACTS.actionlint], place))[0];
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    place.say(error.message);
    return undefined;
  }
}

/** Runs the command. The last line says how many files passed and failed; exit code 1 without actionlint, or with findings. */
export async function main(args: readonly string[], place: Place = ownPlace()): Promise<void> {
  if (args.length > 0) place.say(`unknown option ${args.join(" ")}; there is none`);
  const actionlint = args.length > 0 ? undefined : await ensureLinter(place);
  if (actionlint === undefined) {
    process.exitCode = 1;
    return;
  }
  const all = results(actionlint);
  for (const { title, passed, output } of all) {
    process.stdout.write(`${passed ? "passed" : "FAILED"}  ${title}\n${passed ? "" : `${output.trimEnd()}\n`}`);
  }
  const failed = all.filter(({ passed }) => !passed).length;
  process.stdout.write(`${all.length - failed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
