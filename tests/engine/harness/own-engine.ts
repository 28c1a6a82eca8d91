/** An engine of a test's own: its home with the plugins, and its state. */
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Account } from "./account";
import { Engine } from "./engine";
import { installPlugins } from "./plugins";

/** What the runner found or built: files, and the folder of custom resource definitions. */
export interface Tools {
  readonly pulumi: string;
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubectl: string;
  readonly crds: string;
  readonly python: string;
}

/** A program, and one stack of it. */
export interface Program {
  /** Its folder: `Pulumi.yaml`. */
  readonly folder: string;
  readonly stack: string;
}

/** How much faster an unreachable host is given up than in real life. */
const HURRY = 20;

/** The tools of this run. */
export function ownTools(): Tools {
  return JSON.parse(process.env["ENGINE_TEST_TOOLS"] ?? "{}") as Tools;
}

/** An engine on a program, with everything that it keeps in `folder`. */
export function ownEngine(folder: string, program: Program, tools: Tools, account: Account | undefined): Engine {
  const [home, state] = [path.join(folder, "home/.pulumi"), path.join(folder, "state")];
  mkdirSync(home, { recursive: true });
  mkdirSync(state);
  installPlugins(home);
  return new Engine({
    binaries: path.dirname(tools.pulumi),
    project: program.folder,
    home,
    state,
    stack: program.stack,
    env: {
      ...(account === undefined ? {} : account.environment),
      ENGINE_TEST_AWS_FAULTS: path.join(folder, "aws-faults.json"),
      ENGINE_TEST_HURRY: String(HURRY),
      ENGINE_TEST_KUBECTL: tools.kubectl,
      ENGINE_TEST_CRDS: tools.crds,
    },
  });
}
