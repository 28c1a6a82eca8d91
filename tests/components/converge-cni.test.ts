/** `converge.sh` where the CNI comes later, into the cluster: when a node without one counts as joined, and when it does not. */
import { Host, type Outcome } from "../support/host";
import { createPlan } from "../../plan";
import { fillTemplate, referenceName } from "../../plan/template";
import { specOf } from "../support/stacks";

let host: Host;
beforeEach(() => {
  host = new Host();
  host.state("address", "10.0.128.10");
  host.state("answers", "10.0.128.11:6443\n");
  host.state("not-ready", "");
  host.state("message", WITHOUT_CNI);
});
afterEach(() => {
  host.dispose();
});

/** The kubelet's own words. */
const WITHOUT_CNI =
  "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized";

const HEADER = {
  version: "v1.36.5+k3s1",
  node: "server-1",
  role: "server",
  bootstrap: "true",
  "embedded-etcd": "true",
  "api-port": "6443",
  "node-ip": "10.0.128.10",
  join: "10.0.128.11",
  cni: "later",
};
const AGENT = { node: "agent-1", role: "agent", bootstrap: "false" };
const JOINER = { node: "server-2", bootstrap: "false" };

function documentOf(changed: Partial<typeof HEADER> = {}): string {
  const lines = Object.entries({ ...HEADER, ...changed }).map(([key, value]) => `${key}=${value}\n`);
  return `${lines.join("")}\n--- /etc/rancher/k3s/config.yaml 0600\nflannel-backend: none\n`;
}

const install = (changed: Partial<typeof HEADER> = {}, environment: Record<string, string> = {}): Outcome =>
  host.run("converge.sh", documentOf(changed), { K3S_SETTLE_SECONDS: "0", ...environment });

test("the first server counts as joined without a CNI, and gets no interface of flannel's", () => {
  host.state("answers", undefined);
  const outcome = host.run("converge.sh", `step=bootstrap\n${documentOf()}`);
  expect([outcome.code, outcome.stderr]).toEqual([0, ""]);
  expect(host.file("etc/rancher/k3s/config.yaml.d/20-interface.yaml")).toBeUndefined();
});

test.each([
  ["a further server, while none is ready", JOINER, "server-1=False\nserver-2=False\n"],
  ["a further server, whatever it says of itself", JOINER, "server-1=False\nserver-2=True\n"],
  ["an agent without pods of a CNI", AGENT, ""],
])("%s counts as joined", (_case, changed, conditions) => {
  host.state("conditions", conditions);
  expect([install(changed).code]).toEqual([0]);
});

test.each([
  [
    "another server is ready, so that the CNI is in the cluster",
    JOINER,
    { conditions: "server-1=True\nserver-2=False\n" },
  ],
  ["the CNI's pods are on the agent", AGENT, { "host-pods": "cilium-x7k2p\n" }],
  ["the runtime itself is not ready", JOINER, { message: "container runtime is down" }],
  [
    "the CNI is one of several reasons",
    JOINER,
    { message: `[container runtime status check may not have completed yet, ${WITHOUT_CNI}]` },
  ],
  ["the kubelet has said nothing yet", AGENT, { message: "" }],
] as const)("a node is waited for where %s", (_case, changed, states) => {
  for (const [name, text] of Object.entries(states)) host.state(name, text);
  const outcome = install(changed);
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toContain(`k3s-networking: ${changed.node} is not ready after 1 seconds`);
});

test("a node that had a CNI must be ready again: a rolling update stops at one that is not", () => {
  expect(install(JOINER).code).toBe(0);
  host.write("etc/cni/net.d/05-cilium.conflist", "{}");
  const outcome = install({ ...JOINER, version: "v1.36.6+k3s1" });
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toContain("server-2 is not ready");
  host.state("not-ready", undefined);
  expect(install({ ...JOINER, version: "v1.36.6+k3s1" }).code).toBe(0);
});

test("an agent is given time to be found by the CNI's pods", () => {
  const outcome = install(AGENT, { K3S_SETTLE_SECONDS: "60" });
  expect(outcome.code).toBe(1);
  expect(install(AGENT).code).toBe(0);
});

test("with flannel no node without a CNI counts as joined", () => {
  const text = documentOf(JOINER).replace("cni=later\n", "");
  expect(host.run("converge.sh", text, { K3S_SETTLE_SECONDS: "0" }).code).toBe(1);
});

test.each(["calico", "cilium", "none"])("the plan's documents say so with %s, of servers and agents", (cni) => {
  const plan = createPlan(specOf({ cni }));
  const texts = plan.nodes.map(({ hostDocument }) => fillTemplate(hostDocument, referenceName));
  expect(texts.map((text) => /^cni=(.*)$/m.exec(text)?.[1])).toEqual(texts.map(() => "later"));
  expect(texts.some((text) => /^flannel-backend: none$/m.test(text))).toBe(true);
});

test("the plan's documents do not say so with flannel", () => {
  for (const { hostDocument } of createPlan(specOf({})).nodes) {
    expect(fillTemplate(hostDocument, referenceName)).not.toMatch(/^cni=/m);
  }
});
