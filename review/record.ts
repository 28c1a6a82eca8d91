/**
 * Runs a Pulumi program on the recording monitor, as `pulumi preview` would run it: the same runtime, the same entry point.
 */
import { createRequire } from "node:module";
import { format } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { setAllConfig } from "@pulumi/pulumi/runtime/config";
import { disconnect, setMockOptions } from "@pulumi/pulumi/runtime/settings";
import { registerStackTransformation, runInPulumiStack } from "@pulumi/pulumi/runtime/stack";
import type { RecordedResource } from "./document";
import { RecordingMonitor } from "./recording-monitor";

/** What backends without organizations, such as a folder, call theirs. */
const ORGANIZATION = "organization";

export interface RecordOptions {
  readonly project: string;
  readonly stack: string;
  /** The stack's configuration by full key, structured values as JSON text, as the engine hands it over. */
  readonly config: Readonly<Record<string, string>>;
  /** Keys of `config` that hold secrets. */
  readonly secretKeys: readonly string[];
  /** Loads the program; what it gives is what its entry point exports. */
  readonly program: () => unknown;
  /** Whether the program is told that it runs in a preview. Default true. */
  readonly dryRun?: boolean;
  /** Keeps stack traces, at several times the cost: for finding the cause of a crash. Default false. */
  readonly traces?: boolean;
  /** Lines that the caller shows by itself; the program's log does not repeat them. */
  readonly shown?: readonly string[];
}

/**
 * Every resource that a program declares.
 *
 * @throws Error when the program fails, when it never finishes, or when a resource cannot be recorded.
 */
export async function recordProgram(options: RecordOptions): Promise<readonly RecordedResource[]> {
  const monitor = new RecordingMonitor();
  setMockOptions(monitor, options.project, options.stack, options.dryRun ?? true, ORGANIZATION);
  setAllConfig({ ...options.config }, [...options.secretKeys]);
  const restore = [quietLog(options.shown ?? []), ...(options.traces === true ? [] : [withoutStackCapture()])];
  const trap = trapFailures();
  try {
    const run = async (): Promise<void> => {
      await runInPulumiStack(async () => {
        registerStackTransformation(monitor.transformation);
        const exported = options.program();
        // As the CLI does: an exported function is called, an exported promise awaited.
        return (await (typeof exported === "function" ? (exported as () => unknown)() : exported)) as never;
      });
      await disconnect();
      // Failures that nobody awaited are reported after the current turn.
      await new Promise((resolve) => setImmediate(resolve));
    };
    await Promise.race([run(), trap.failed]);
  } catch (error) {
    // What is still under way belongs to this monitor, not to the next one: wait for it, and for failures that it still reports.
    await Promise.race([disconnect(), new Promise((resolve) => setTimeout(resolve, 100))]);
    await new Promise((resolve) => setTimeout(resolve, 0));
    throw monitor.faults[0] ?? error;
  } finally {
    trap.release();
    for (const undo of restore) undo();
  }
  const [fault] = monitor.faults;
  if (fault !== undefined) throw fault;
  return monitor.recorded();
}

/** Makes failures that the runtime leaves to nobody, and a program that waits for ever, reject `failed`. */
function trapFailures(): { failed: Promise<never>; release: () => void } {
  let reject: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_resolve, rejectFailed) => {
    reject = rejectFailed;
  });
  failed.catch(() => undefined);
  const onFailure = (error: unknown): void => {
    reject(error);
  };
  const onIdle = (): void => {
    reject(new Error("the program never finished: two resources wait for each other, or a promise is never resolved"));
  };
  process.on("unhandledRejection", onFailure).on("uncaughtException", onFailure).on("beforeExit", onIdle);
  return {
    failed,
    release: () => {
      process.off("unhandledRejection", onFailure).off("uncaughtException", onFailure).off("beforeExit", onIdle);
    },
  };
}

/** The SDK's leak detector. */
interface Debuggable {
  debuggablePromise: (promise: unknown) => unknown;
}

/** While a program runs: its log goes to stderr, since stdout belongs to the document, without what the caller shows itself. */
function quietLog(shown: readonly string[]): () => void {
  const console = { ...globalThis.console };
  const toStderr = (...parts: unknown[]): void => {
    const line = format(...parts);
    if (!shown.some((known) => line.endsWith(known))) process.stderr.write(`${line}\n`);
  };
  Object.assign(globalThis.console, { log: toStderr, info: toStderr, warn: toStderr });
  return () => {
    Object.assign(globalThis.console, console);
  };
}

/**
 * While a program runs: no stack is captured. The SDK captures one for each promise that it makes, to report leaks, and one for each
 * resource, to tell the engine where it is declared; neither is looked at here, and together they cost more than everything else.
 * A program that never finishes is found without them (`trapFailures`).
 */
function withoutStackCapture(): () => void {
  const { stackTraceLimit } = Error;
  // The module itself: an import is a view of it that cannot be changed.
  const leaks = createRequire(__filename)("@pulumi/pulumi/runtime/debuggable") as Debuggable;
  const positions = pulumi.Resource as unknown as { stackTrace: () => unknown[] };
  const { debuggablePromise } = leaks;
  const { stackTrace } = positions;
  Error.stackTraceLimit = 0;
  leaks.debuggablePromise = (promise) => promise;
  positions.stackTrace = () => [];
  return () => {
    Error.stackTraceLimit = stackTraceLimit;
    leaks.debuggablePromise = debuggablePromise;
    positions.stackTrace = stackTrace;
  };
}
