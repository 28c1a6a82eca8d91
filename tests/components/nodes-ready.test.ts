/** `nodes-ready.sh`: it waits for every node, and says what is wrong with those that do not come. */
import { Host, type Outcome } from "../support/host";

let host: Host;
beforeEach(() => {
  host = new Host();
  host.write("usr/local/bin/k3s", K3S, 0o755);
});
afterEach(() => {
  host.dispose();
});

const INPUT = "cni=Cilium 1.20.0\nnode=server-1\nnode=agent-1\n";
const READY = "True\tKubeletReady: kubelet is posting ready status";
const K3S = `#!/bin/sh\necho "k3s $*" >>"$calls"\nexec "$state/k3s" "$@"\n`;

const wait = (input = INPUT): Outcome => host.run("nodes-ready.sh", input);
const conditions = (states: Readonly<Record<string, string>>): void => {
  host.state(
    "conditions",
    Object.entries(states)
      .map(([node, state]) => `${node}\t${state}\n`)
      .join(""),
  );
};

test("every node is ready, and others are none of its concern", () => {
  conditions({ "agent-1": READY, "server-1": READY, "agent-9": "False\tKubeletNotReady: x" });
  expect(wait()).toEqual({ code: 0, stdout: "ready: agent-1 server-1\n", stderr: "" });
});

test("a node that is not ready ends the wait with its reason, and with what the cluster says", () => {
  conditions({ "agent-1": "False\tKubeletNotReady: cni plugin not initialized", "server-1": READY });
  host.state("troubles", "kube-system cilium-x7k2p 0/1 Init:ImagePullBackOff\n");
  const { code, stderr } = wait();
  expect(code).toBe(1);
  expect(stderr.split("\n").slice(0, 4)).toEqual([
    "k3s-networking: not every node is ready after 1 seconds (Cilium 1.20.0):",
    "agent-1: KubeletNotReady: cni plugin not initialized",
    "--- pods that do not run, in every namespace ---",
    "kube-system cilium-x7k2p 0/1 Init:ImagePullBackOff",
  ]);
  expect(stderr).toContain("--- last warnings of the cluster ---");
});

test.each([
  ["one is not in the cluster", { "server-1": READY }, "agent-1: is not in the cluster"],
  ["there are no nodes yet", {}, "agent-1: is not in the cluster"],
  ["one has no condition yet", { "agent-1": "", "server-1": READY }, "agent-1: no condition Ready yet"],
])("the wait goes on while %s", (_case, states, line) => {
  conditions(states);
  expect(wait()).toMatchObject({ code: 1, stderr: expect.stringContaining(`\n${line}\n`) as unknown });
});

test("an API that does not answer is told with its last words", () => {
  host.state("api-down", "");
  expect(wait()).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("\nthe API does not answer:\nthe API's last words\n") as unknown,
  });
});

test("input without nodes is refused", () => {
  expect(wait("cni=x\n")).toEqual({ code: 1, stdout: "", stderr: "k3s-networking: the input names no node\n" });
});

test("a user without root does everything through sudo -n", () => {
  host.state("uid", "1000\n");
  conditions({ "agent-1": READY, "server-1": READY });
  expect(wait().code).toBe(0);
  expect(host.calls().some((call) => call.startsWith("sudo -n env "))).toBe(true);
});
