/** What nodes may reach outside. */
import { port, tcp } from "./parts";
import type { PortEntry } from "./types";

export const EGRESS: readonly PortEntry[] = [
  {
    id: "internet-https",
    title: "HTTPS to the internet",
    ...tcp,
    ports: port(443),
    from: "node",
    to: "world",
    traffic: "external",
    exposure: "external",
    condition: "network.egress is https",
    when: (input) => input.network.egress === "https",
    why: "K3s releases, container images and charts are fetched over HTTPS",
    documents: ["k3s-install"],
  },
  {
    id: "internet-any",
    title: "Anything to the internet",
    protocols: "all",
    ports: "all",
    from: "node",
    to: "world",
    traffic: "external",
    exposure: "external",
    condition: "network.egress is any",
    when: (input) => input.network.egress === "any",
    why: "workloads may reach any address, as the stack asks",
    documents: ["k3s-install"],
  },
];
