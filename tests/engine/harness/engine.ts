/** The real Pulumi engine: its CLI on a project, a state of its own in a folder, and what each command did, step by step. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run, start, type Finished, type Running } from "./process";

/** What the engine did to one resource. */
export interface Step {
  /** `create`, `update`, `delete`, `same`, `replace`, `create-replacement`, `delete-replaced`, `read`, `refresh`. */
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly name: string;
}

/** The end of a command. */
export interface EngineResult extends Finished {
  /** Steps that were done, in the order of their ends; in a preview those that would be. The stack itself, the engine's own default
   * providers, and what stays the same are left out. */
  readonly steps: readonly Step[];
  /** Steps that failed. */
  readonly failed: readonly Step[];
  /** How many resources stayed the same. */
  readonly same: number;
}

export interface EngineOptions {
  /** Folder with `pulumi` and `pulumi-language-nodejs`. */
  readonly binaries: string;
  /** Folder of the project: `Pulumi.yaml`. */
  readonly project: string;
  /** PULUMI_HOME, with the plugins. */
  readonly home: string;
  /** Where states are kept. */
  readonly state: string;
  readonly stack: string;
  readonly env: Readonly<Record<string, string>>;
  /** Seconds that a command such as `up` may take. Default: as for any child process. */
  readonly limit?: number;
}

interface StepEvent {
  readonly metadata: {
    readonly op: string;
    readonly urn: string;
    readonly type: string;
  };
}

interface EngineEvent {
  readonly resourcePreEvent?: StepEvent;
  readonly resOutputsEvent?: StepEvent;
  readonly resOpFailedEvent?: StepEvent;
}

const PASSPHRASE = "a passphrase for tests";
const STACK_TYPE = "pulumi:pulumi:Stack";

function stepOf({ metadata: { op, urn, type } }: StepEvent): Step {
  return { op, urn, type, name: urn.slice(urn.lastIndexOf("::") + 2) };
}

/** The steps in an engine's event log. */
function readSteps(file: string, preview: boolean): Pick<EngineResult, "steps" | "failed" | "same"> {
  if (!existsSync(file)) return { steps: [], failed: [], same: 0 };
  const events = readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line): EngineEvent[] => (line === "" ? [] : [JSON.parse(line) as EngineEvent]));
  const of = (kind: keyof EngineEvent): Step[] =>
    events.flatMap((event) => (event[kind] === undefined ? [] : [stepOf(event[kind])]));
  const done = of(preview ? "resourcePreEvent" : "resOutputsEvent").filter(
    ({ type, name }) => type !== STACK_TYPE && !(type.startsWith("pulumi:providers:") && name.startsWith("default")),
  );
  const quiet = ["same", "refresh", "read"];
  return {
    steps: done.filter(({ op }) => !quiet.includes(op)),
    failed: of("resOpFailedEvent"),
    same: done.filter(({ op }) => op === "same").length,
  };
}

/** The engine on one stack. */
export class Engine {
  /** Everything that any command printed, for the search for secrets. */
  readonly printed: string[] = [];
  private readonly environment: NodeJS.ProcessEnv;
  private count = 0;

  constructor(private readonly options: EngineOptions) {
    const { binaries, home, state, env } = options;
    this.environment = {
      PATH: `${binaries}:${process.env["PATH"] ?? ""}`,
      HOME: path.dirname(home),
      PULUMI_HOME: home,
      PULUMI_BACKEND_URL: `file://${state}`,
      PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      // The event log is one of the commands for debugging.
      PULUMI_DEBUG_COMMANDS: "true",
      // What Pulumi.yaml asks for, which older language hosts do not read there: no type check on each run.
      PULUMI_NODEJS_TRANSPILE_ONLY: "true",
      PULUMI_NODEJS_TSCONFIG_PATH: "tools/tsconfig.pulumi.json",
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
      NO_COLOR: "1",
      ...env,
    };
  }

  /** Any command of the CLI. */
  async cli(args: readonly string[], input?: string): Promise<Finished> {
    const result = await run("pulumi", [...args, "--non-interactive"], {
      cwd: this.options.project,
      env: this.environment,
      ...(input === undefined ? {} : { input }),
    });
    this.printed.push(result.output);
    return result;
  }

  /** A command that must succeed. */
  async must(args: readonly string[], input?: string): Promise<Finished> {
    const result = await this.cli(args, input);
    if (result.code !== 0) throw new Error(`pulumi ${args.join(" ")} failed:\n${result.output}`);
    return result;
  }

  /** Starts `up` without waiting for its end. */
  startUp(args: readonly string[] = []): { readonly running: Running; readonly result: Promise<EngineResult> } {
    return this.begin("up", ["--yes", "--skip-preview", ...args]);
  }

  async up(args: readonly string[] = []): Promise<EngineResult> {
    return this.startUp(args).result;
  }

  async preview(args: readonly string[] = []): Promise<EngineResult> {
    return this.begin("preview", ["--diff", ...args]).result;
  }

  async refresh(args: readonly string[] = []): Promise<EngineResult> {
    return this.begin("refresh", ["--yes", "--skip-preview", ...args]).result;
  }

  async destroy(args: readonly string[] = []): Promise<EngineResult> {
    return this.begin("destroy", ["--yes", "--skip-preview", ...args]).result;
  }

  /** The engine's own preview as JSON: what it would do, with inputs. */
  async previewJson(): Promise<{ readonly steps: readonly PreviewStep[] }> {
    const { stdout } = await this.must(["preview", "-s", this.options.stack, "--json"]);
    return JSON.parse(stdout) as { steps: PreviewStep[] };
  }

  /** The state's resources, secrets encrypted. */
  async exported(): Promise<readonly StateResource[]> {
    const { stdout } = await this.must(["stack", "export", "-s", this.options.stack]);
    const state = JSON.parse(stdout) as { deployment: { resources?: StateResource[] } };
    return state.deployment.resources ?? [];
  }

  /** A stack output, secrets in clear. Not noted among what was printed: the operator asked for it. */
  async output(name: string): Promise<string> {
    const args = ["stack", "output", name, "--show-secrets", "--json", "-s", this.options.stack, "--non-interactive"];
    const result = await run("pulumi", args, { cwd: this.options.project, env: this.environment });
    if (result.code !== 0) throw new Error(`no output ${name}:\n${result.output}`);
    return JSON.parse(result.stdout) as string;
  }

  private begin(command: string, args: readonly string[]): { running: Running; result: Promise<EngineResult> } {
    this.count += 1;
    const folder = path.join(this.options.state, "..");
    const log = path.join(folder, `events-${String(this.count)}.json`);
    const words = [command, "-s", this.options.stack, "--non-interactive", "--event-log", log, ...args];
    const { project: cwd, limit } = this.options;
    const running = start("pulumi", words, {
      cwd,
      env: this.environment,
      ...(limit === undefined ? {} : { limit }),
    });
    const result = running.finished.then((finished) => {
      this.printed.push(finished.output);
      writeFileSync(path.join(folder, `console-${String(this.count)}-${command}.txt`), finished.output);
      return { ...finished, ...readSteps(log, command === "preview") };
    });
    return { running, result };
  }
}

/** A step of `pulumi preview --json`. */
export interface PreviewStep {
  readonly op: string;
  readonly urn: string;
  readonly newState?: StateResource;
}

/** A resource in the state. */
export interface StateResource {
  readonly type: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

/** `op name` of every step, sorted. */
export function brief({ steps }: EngineResult): string[] {
  return steps.map(({ op, name }) => `${op} ${name}`).sort();
}

/** The result of a command that must have succeeded. @throws with all that it printed. */
export function succeeded(result: EngineResult): EngineResult {
  if (result.code !== 0) throw new Error(`pulumi ended with ${String(result.code)}:\n${result.output}`);
  return result;
}
