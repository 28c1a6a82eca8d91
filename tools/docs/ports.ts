/** Tables of ports and of services, from the port catalogue. */
import {
  CATALOGUE_SERVICES,
  DEFAULT_NODE_PORT_RANGE,
  ENTRIES,
  entryPorts,
  formatPorts,
  type PortEntry,
} from "../../catalogue/ports";
import { documents, table } from "./markdown";

function portWords(entry: PortEntry): string {
  const input: Parameters<typeof entryPorts>[1] = {
    nodes: [],
    network: { egress: "https" },
    access: { ssh: {} },
    ipFamilies: ["ipv4"],
    k3s: {
      disable: [],
      flannelBackend: "vxlan",
      embeddedRegistry: false,
      etcdExposeMetrics: false,
      nodePortRange: DEFAULT_NODE_PORT_RANGE,
    },
    api: { endpoint: { kind: "firstServer" } },
    cni: { type: "flannel" },
    ingress: { type: "traefik", openHttp: true },
    loadBalancer: { type: "servicelb" },
  };
  return formatPorts(entryPorts(entry, input));
}

const protocols = (entry: PortEntry): string =>
  entry.protocols === "all" ? "all" : entry.protocols.join(", ").toUpperCase();

/** Who may reach whom on which ports: all entries of the catalogue, or some. */
export function portsTable(entries: readonly PortEntry[] = ENTRIES): string {
  return table(
    ["Protocol", "Port", "From", "To", "Network", "What", "When", "Why", "Document"],
    entries.map((entry) => [
      protocols(entry),
      portWords(entry),
      entry.from,
      entry.to,
      entry.traffic === "cluster" ? "backplane" : "external",
      `${entry.title} (\`${entry.id}\`)`,
      entry.condition,
      entry.why,
      documents(entry.documents),
    ]),
  );
}

/** Services that a stack may ask for by name. */
export function servicesTable(): string {
  return table(
    ["Service", "Ports", "Documented for", "Document"],
    CATALOGUE_SERVICES.map((service) => {
      const entries = ENTRIES.filter((entry) => entry.service === service);
      const unique = (words: readonly string[]): string => [...new Set(words)].join(", ");
      return [
        `\`${service}\``,
        unique(entries.map((entry) => `${protocols(entry)} ${portWords(entry)}`)),
        unique(entries.map((entry) => `${entry.from} → ${entry.to}`)),
        documents([...new Set(entries.flatMap((entry) => entry.documents))]),
      ];
    }),
  );
}
