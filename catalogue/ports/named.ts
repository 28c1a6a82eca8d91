/** Ports that are named on their own, by what they are. */
import type { PortRange } from "./types";

/** `--service-node-port-range` when a stack sets none (K3s docs, cli/server.md). */
export const DEFAULT_NODE_PORT_RANGE: PortRange = { from: 30000, to: 32767 };
/** SSH, on nodes and bastions. */
export const SSH_PORT = 22;
/** HTTP and HTTPS, as clients of the ingress see them. */
export const HTTP_PORT = 80;
export const HTTPS_PORT = 443;
/** BGP (RFC 4271). */
export const BGP_PORT = 179;
/** Webhooks of the AWS Load Balancer Controller, on servers' own network (its chart, webhookBindPort). */
export const AWS_LBC_WEBHOOK_PORT = 9443;
/** DHCP by IPv4 (RFC 2131) and by IPv6 (RFC 8415): how a host may keep its own addresses. */
export const DHCP_PORTS = { client: port(68), server: port(67) };
export const DHCPV6_PORTS = { client: port(546), server: port(547) };
/** The K3s supervisor and Kubernetes API (`--https-listen-port`). */
export const API_PORT = 6443;
/**
 * The API on every node's loopback: on servers the API server itself, on agents K3s's balancer before all servers (`--lb-server-port`; on
 * servers the port after `--https-listen-port`).
 */
export const LOCAL_API_PORT = 6444;

function port(number: number): PortRange {
  return { from: number, to: number };
}
