/** Load balancers that the cluster made go before the stack's subnets: the script that sees to it. */
import { Host, type Outcome } from "../support/host";

const SCRIPT = "load-balancers-gone.sh";
const HELD =
  'kube-system traefik ["service.k8s.aws/resources"]\nshop web ["example.com/x","service.k8s.aws/resources"]\n';
const OTHERS = 'default kubernetes \nshop plain ["service.kubernetes.io/load-balancer-cleanup"]\n';

let host: Host;
beforeEach(() => {
  host = new Host();
  host.state("active-k3s", "active\n");
  // Deletion takes a Service off the list, unless the controller does not let go.
  host.write(
    "usr/local/bin/k3s",
    `#!/bin/sh
echo "k3s $*" >>"$calls"
[ ! -e "$state/api-down" ] || { echo "the API's last words" >&2; exit 1; }
case "$*" in
  *"get services"*) cat "$state/services" ;;
  *"delete service"*) [ -e "$state/stuck" ] || { grep -v " $7 " "$state/services" >"$state/rest"; mv "$state/rest" "$state/services"; } ;;
  *"get events"*) echo "the controller's last words" ;;
esac
`,
    0o755,
  );
});
afterEach(() => {
  host.dispose();
});

const ok = (stdout: string): Outcome => ({ code: 0, stdout, stderr: "" });
const deletions = (): string[] => host.calls().filter((call) => call.includes("delete service"));

test("deletes the Services that the controller holds, and no others", () => {
  host.state("services", HELD + OTHERS);
  expect(host.run(SCRIPT, "")).toEqual(ok("no load balancer is left\n"));
  expect(deletions()).toEqual([
    "k3s kubectl --request-timeout=20s --namespace kube-system delete service traefik --ignore-not-found --wait=false",
    "k3s kubectl --request-timeout=20s --namespace shop delete service web --ignore-not-found --wait=false",
  ]);
  expect(host.stateOf("services")).toBe(OTHERS);
});

test("does nothing where there is none", () => {
  host.state("services", OTHERS);
  expect(host.run(SCRIPT, "")).toEqual(ok("no load balancer is left\n"));
  expect(deletions()).toEqual([]);
});

test("ends where the controller does not let go, and says of what", () => {
  host.state("services", HELD);
  host.state("stuck", "");
  const { code, stderr } = host.run(SCRIPT, "");
  expect(code).toBe(1);
  expect(stderr).toBe(
    "k3s-networking: load balancers are left after 1 seconds:\nkube-system traefik\nshop web\n--- last warnings of the cluster ---\nthe controller's last words\n",
  );
});

test("ends where the API does not answer", () => {
  host.state("api-down", "");
  const { code, stderr } = host.run(SCRIPT, "");
  expect(code).toBe(1);
  expect(stderr).toContain("load balancers are left after 1 seconds:\nthe API's last words\n");
});

test("succeeds where the cluster was given up, and says what may be left", () => {
  const told = ok(
    "K3s does not run on this server any more: load balancers that it made, tagged elbv2.k8s.aws/cluster, must be deleted by hand\n",
  );
  host.state("api-down", "");
  host.state("active-k3s", undefined);
  expect(host.run(SCRIPT, "")).toEqual(told);
  host.state("active-k3s", "active\n");
  host.write("var/lib/rancher/k3s/server/db/etcd/tombstone", "", 0o600);
  expect(host.run(SCRIPT, "")).toEqual(told);
});

test("succeeds where the cluster is gone", () => {
  host.remove("usr/local/bin/k3s");
  expect(host.run(SCRIPT, "")).toEqual(ok("no K3s on this server: the cluster is gone\n"));
});
