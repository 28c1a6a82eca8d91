/** Protocols and ports in AWS's words, and back. */
import { awsTraffic, trafficOfAws } from "../../plan/aws-traffic";
import type { RulePlan } from "../../plan/types";

type Traffic = Pick<RulePlan, "protocol" | "ports">;

test.each<[Traffic, object]>([
  [{ protocol: "all", ports: "all" }, { ipProtocol: "-1" }],
  [
    { protocol: "tcp", ports: { from: 2379, to: 2380 } },
    { ipProtocol: "tcp", fromPort: 2379, toPort: 2380 },
  ],
  // Type 8, code 0; type 128, code 0: echo requests only.
  [
    { protocol: "icmp", ports: "all" },
    { ipProtocol: "icmp", fromPort: 8, toPort: 0 },
  ],
  [
    { protocol: "icmpv6", ports: "all" },
    { ipProtocol: "icmpv6", fromPort: 128, toPort: 0 },
  ],
  [{ protocol: "ipip", ports: "all" }, { ipProtocol: "4" }],
])("%j", (traffic, words) => {
  expect(awsTraffic(traffic)).toEqual(words);
  const { ipProtocol, fromPort, toPort } = awsTraffic(traffic);
  expect(trafficOfAws(ipProtocol, fromPort, toPort)).toEqual(traffic);
});

test.each([
  ["every ICMP message", "icmp", -1, -1],
  ["an echo request of any code", "icmp", 8, -1],
  ["ICMP without a type", "icmp", undefined, undefined],
  ["GRE", "47", undefined, undefined],
  ["TCP without ports", "tcp", undefined, undefined],
  ["no protocol", undefined, 1, 1],
])("%s is none that a plan has", (_words, ipProtocol, fromPort, toPort) => {
  expect(trafficOfAws(ipProtocol, fromPort, toPort)).toBeUndefined();
});
