/** What a preview takes for the output of a host's check. */
import { checkStdout } from "../../review/host-check";

const COMMAND = "command:remote:Command";
const stdin = "stack=s\nnetwork=external - eno1\nnetwork=backplane 10.20.0.11 -\n\n--- /etc/file 0600\nnode-ip: x\n";
const token = (output: string): string => `<${output}>`;
const read = (type: string, name: string, inputs: Parameters<typeof checkStdout>[0]["inputs"]): string | undefined =>
  checkStdout({ type, name, inputs }, token);

test("addresses that the stack gives are themselves, the others references to the check", () => {
  expect(read(COMMAND, "k3s-server-1-check", { stdin })).toBe(
    [
      "address\texternal\t<stdout address of external>\teno1",
      "address\tbackplane\t10.20.0.11\t<stdout interface of backplane>",
      "",
    ].join("\n"),
  );
});

test.each<[string, Parameters<typeof read>]>([
  ["another command", [COMMAND, "k3s-server-1-firewall", { stdin }]],
  ["another resource", ["aws:ec2/vpc:Vpc", "k3s-check", { stdin }]],
  ["a check without a text", [COMMAND, "k3s-server-1-check", {}]],
])("%s has no such output", (_what, given) => {
  expect(read(...given)).toBeUndefined();
});
