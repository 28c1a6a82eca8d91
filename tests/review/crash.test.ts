/**
 * Programs that crash, in a process of their own: the test runner has its own ideas about failures that nobody awaits, which is
 * how the Pulumi SDK reports most of them.
 */
import { spawnSync } from "node:child_process";
import { ROOT, temporaryFile } from "./support";

/** Runs a program on the recording monitor, as `npm start` would. */
function crash(program: string): { code: number | null; stdout: string; stderr: string } {
  const script = `
    const { runCommand } = require("./review/command.ts");
    const { recordProgram } = require("./review/record.ts");
    const pulumi = require("@pulumi/pulumi");
    const { Vpc } = require("@pulumi/aws/ec2/vpc");
    const program = ${program};
    runCommand(async () => {
      const resources = await recordProgram({ project: "p", stack: "s", config: {}, secretKeys: [], program, traces: true });
      process.stdout.write(String(resources.length));
      return 0;
    }, []);`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-r", "./tools/typescript.cjs", "-e", script], {
    cwd: ROOT,
    encoding: "utf8",
    // As in the second run of a command that crashed.
    env: { ...process.env, K3S_NETWORKING_TRACES: "1" },
  });
  return { code: status, stdout, stderr };
}

const HEAD = "crash: a mistake in this program, not in your stack. Please report it with the lines below.\n";

test.each([
  ["an exception", `() => { throw new Error("no such thing"); }`, "Error: no such thing"],
  ["a rejected promise", `() => Promise.reject(new Error("too late"))`, "Error: too late"],
  [
    "an apply that nobody awaits",
    `() => { new Vpc("v", {}).id.apply(() => { throw new Error("in an apply"); }); }`,
    "Error: in an apply",
  ],
  [
    "a promise that is never resolved",
    `() => { new Vpc("v", { tags: { x: new Promise(() => undefined) } }); }`,
    "Error: the program never finished: two resources wait for each other, or a promise is never resolved",
  ],
])("%s is told from a user's mistake: exit code 2, the error, its trace", (_name, program, message) => {
  const { code, stdout, stderr } = crash(program);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr.startsWith(`${HEAD}${message}\n`)).toBe(true);
  expect(stderr).toMatch(/\n {4}at /u);
});

test("what the program logs is on stderr", () => {
  expect(crash(`() => { pulumi.log.info("hello"); pulumi.log.warn("careful"); }`)).toEqual({
    code: 0,
    stdout: "1",
    stderr: "info: [runtime] hello\nwarning: [runtime] careful\n",
  });
});

test("a command that crashes is run once more for its trace, and reported once", () => {
  const script = temporaryFile(
    "crash.cjs",
    `require(${JSON.stringify(`${ROOT}/review/command.ts`)}).runCommand(async () => {
      if (process.env.K3S_NETWORKING_TRACES === undefined) Error.stackTraceLimit = 0;
      throw new Error("broken");
    }, []);`,
  );
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-r", "./tools/typescript.cjs", script], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr.split(HEAD)).toEqual(["", expect.stringMatching(/^Error: broken\n {4}at .*crash\.cjs:3/u)]);
});
