/** Addresses and networks as far as K3s's configuration needs them. */
import { isIP, isIPv4 } from "node:net";
import { Refusal } from "./log";

/** @throws Refusal unless the value is a network in CIDR notation. @returns its own address and prefix length. */
export function parseNetwork(flag: string, value: string): { readonly address: string; readonly prefix: number } {
  const [, address = "", prefix = ""] = /^([^/]+)\/(\d{1,3})$/u.exec(value) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(prefix) > (family === 4 ? 32 : 128)) {
    throw new Refusal(`invalid ${flag} ${value}: invalid CIDR address: ${value}`);
  }
  return { address, prefix: Number(prefix) };
}

/** @throws Refusal unless the value is an address. */
export function checkAddress(flag: string, value: string): string {
  if (isIP(value) === 0) throw new Refusal(`invalid ${flag} address ${value}`);
  return value;
}

/** The address of a number of places after a network's first one, in IPv4. */
export function addressIn(network: string, place: number): string {
  const { address, prefix } = parseNetwork("service-cidr", network);
  if (!isIPv4(address)) throw new Refusal(`the lab's K3s knows IPv4 only: ${network}`);
  const value = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - prefix);
  const result = Math.floor(value / size) * size + place;
  return [24, 16, 8, 0].map((shift) => Math.floor(result / 2 ** shift) % 256).join(".");
}

/** @throws Refusal unless the value is `FROM-TO`. */
export function checkPortRange(value: string): void {
  const [, from = "0", to = "0"] = /^(\d+)-(\d+)$/u.exec(value) ?? [];
  if (Number(from) < 1 || Number(to) > 65535 || Number(from) > Number(to)) {
    throw new Refusal(`invalid port range ${value}: the port range must be of the form FROM-TO`);
  }
}
