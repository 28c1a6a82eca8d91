/** What a part of `npm run bench:ssh` has around it: namespaces of its own, the tools, and standard output for results. */

/** What the command found or built, as the engine's tests get it, and the Python that has Ansible. */
export interface Tools {
  readonly pulumi: string;
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubectl: string;
  readonly crds: string;
  readonly ansible: string;
}

export function toolsOf(): Tools {
  return JSON.parse(process.env["ENGINE_TEST_TOOLS"] ?? "{}") as Tools;
}

/** One line of results. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One line of progress. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
