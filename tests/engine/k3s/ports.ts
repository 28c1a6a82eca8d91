/** Ports on which K3s's parts listen besides the supervisor and etcd. Here they are only held: nothing is behind them. */
import { createServer } from "node:net";
import { createSocket } from "node:dgram";
import { createServer as createHttpServer } from "node:http";
import { Refusal, messageOf } from "./log";
import { listen } from "./servers";
import type { FlannelBackend, ServerSettings } from "./server-settings";

interface Port {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  /** Default: loopback. */
  readonly host?: string;
}

const ANYWHERE = "0.0.0.0";

/** What every node holds. */
export interface NodePorts {
  readonly flannelBackend: string;
  readonly embeddedRegistry: boolean;
  readonly withoutKubeProxy: boolean;
}

/** Ports of a node: kubelet, containerd, kube-proxy, flannel, registry. */
export function nodePorts({ flannelBackend, embeddedRegistry, withoutKubeProxy }: NodePorts): Port[] {
  const flannel: Partial<Record<FlannelBackend, number>> = { vxlan: 8472, "wireguard-native": 51820 };
  const udp = flannel[flannelBackend as FlannelBackend];
  return [
    { protocol: "tcp", port: 10250, host: ANYWHERE },
    ...[10010, 10248].map((port) => ({ protocol: "tcp", port }) as const),
    ...(withoutKubeProxy ? [] : [10249, 10256].map((port) => ({ protocol: "tcp", port }) as const)),
    ...(udp === undefined ? [] : [{ protocol: "udp", port: udp, host: ANYWHERE } as const]),
    ...(embeddedRegistry ? [{ protocol: "tcp", port: 5001, host: ANYWHERE } as const] : []),
  ];
}

/** Ports of a server: the API server's own, controllers, scheduler. */
export function serverPorts({ without }: ServerSettings): Port[] {
  const loopback = [6444, 10257, ...(without.cloudController ? [] : [10258]), ...(without.scheduler ? [] : [10259])];
  return loopback.map((port) => ({ protocol: "tcp", port }));
}

async function holdUdp(port: number, host: string): Promise<void> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (error) => {
      reject(new Refusal(`listen udp ${host}:${port}: ${messageOf(error)}`));
    });
    socket.bind(port, host, resolve);
  });
}

/** Holds ports until the process ends. @throws Refusal where one is taken. */
export async function holdPorts(ports: readonly Port[]): Promise<void> {
  for (const { protocol, port, host = "127.0.0.1" } of ports) {
    if (protocol === "udp") await holdUdp(port, host);
    else
      await listen(
        createServer((socket) => socket.destroy()),
        port,
        host,
      );
  }
}

/** etcd's metrics and health, in plain HTTP. @param hosts where. */
export async function serveEtcdMetrics(hosts: readonly string[], isHealthy: () => boolean): Promise<void> {
  for (const host of hosts) {
    const server = createHttpServer((request, response) => {
      const isMetrics = (request.url ?? "").startsWith("/metrics");
      const text = isMetrics
        ? `etcd_server_has_leader ${isHealthy() ? 1 : 0}\n`
        : `{"health":"${String(isHealthy())}"}`;
      response.writeHead(isMetrics || isHealthy() ? 200 : 503).end(text);
    });
    await listen(server, 2381, host);
  }
  await holdPorts([{ protocol: "tcp", port: 2382 }]);
}
