/** What is read of a host's output, and how findings are shown. */
import { readCheckOutput } from "../../doctor/check-output";
import { clockRow, skewOf } from "../../doctor/clock";
import { documentOf, type HostReport } from "../../doctor/report";
import { doctorText } from "../../doctor/table";

test("lines of the checks, among what a login shell says", () => {
  const stdout =
    "Welcome!\nok\tprivileges\troot\nwarn\tswap\ton\tswapoff -a\naddress\tbackplane\t10.0.0.1\teth1\nclock\t1700000000\nok\n";
  expect(readCheckOutput(stdout)).toEqual({
    checks: [
      { check: "privileges", result: "ok", detail: "root", remedy: "" },
      { check: "swap", result: "warn", detail: "on", remedy: "swapoff -a" },
    ],
    addresses: [{ network: "backplane", address: "10.0.0.1", interface: "eth1" }],
    clock: 1700000000,
  });
});

test("what a terminal would obey does not pass", () => {
  const { checks } = readCheckOutput("fail\tports\t\u001b[31mred\u001b[0m \u202eback\u0007\tx\r\n");
  expect(checks).toEqual([{ check: "ports", result: "fail", detail: "[31mred [0m  back", remedy: "x" }]);
});

test.each([
  [100, { sent: 100.2, received: 100.9 }, 0],
  [100, { sent: 100.9, received: 104 }, 0],
  [99, { sent: 100.4, received: 101 }, -0.4],
  [103, { sent: 100, received: 102 }, 1],
])("a clock of %d in %j differs by %d at least", (clock, window, skew) => {
  expect(skewOf(clock, window)).toBeCloseTo(skew);
});

test.each([
  [5, "ok"],
  [6, "warn"],
  [60, "warn"],
  [61, "fail"],
])("a clock that is %d s ahead: %s", (ahead, result) => {
  expect(clockRow(1000 + ahead, { sent: 999, received: 1000 }).result).toBe(result);
});

const HOSTS: readonly HostReport[] = [
  {
    node: "server-1",
    endpoint: "192.0.2.11:22",
    checks: [
      { check: "privileges", result: "ok", detail: "root by sudo", remedy: "" },
      { check: "swap", result: "warn", detail: "swap is on", remedy: "swapoff -a" },
    ],
    addresses: [],
  },
  {
    node: "agent-1",
    endpoint: "192.0.2.21:22",
    checks: [
      { check: "privileges", result: "ok", detail: "root by sudo", remedy: "" },
      {
        check: "ports",
        result: "fail",
        detail: "tcp 10250 is taken by process 4711 (kubelet), which is not this program's",
        remedy: "stop it, or give this stack another host",
      },
      { check: "swap", result: "ok", detail: "none", remedy: "" },
    ],
    addresses: [],
  },
];

test("failures come first, then warnings; what is in order is one row for each host", () => {
  expect(doctorText(documentOf("mine", HOSTS), false)).toBe(
    `Stack mine: 2 hosts, 1 failure on agent-1, 1 warning

result  node      check     detail                                               remedy
fail    agent-1   ports     tcp 10250 is taken by process 4711 (kubelet), which  stop it, or give this stack another host
                            is not this program's
warn    server-1  swap      swap is on                                           swapoff -a
ok      server-1  1 check   in order
ok      agent-1   2 checks  in order
`,
  );
});

test("all: every check has its row", () => {
  const lines = doctorText(documentOf("mine", HOSTS), true).split("\n");
  expect(lines.filter((line) => line.startsWith("ok"))).toHaveLength(3);
});

test("nothing to report", () => {
  expect(doctorText(documentOf("mine", []), false).split("\n")[0]).toBe("Stack mine: 0 hosts, 0 failures, 0 warnings");
});
