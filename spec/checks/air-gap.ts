/** Installation without the internet: the files of the release, and mirrors of image registries. */
import { isAddress } from "../../catalogue/cidr";
import { artefactsByPath } from "../artefacts";
import { hostsOf } from "../hosts";
import type { Problem } from "../problems";
import type { ParsedExisting } from "../schema";
import { formatPath, show } from "../show";
import { isDnsName, problem, type HostsCheck } from "./context";

type AirGap = NonNullable<ParsedExisting["k3s"]["airGap"]>;

const URL_FORM = /^https?:\/\/([^\s/?#]+)([/?#]\S*)?$/;

/** A registry, or a URL's host: a name or an address, with a port if it has one. */
function isAuthority(text: string): boolean {
  const [host = "", port, ...rest] = text.split(":");
  const validPort = port === undefined || (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535);
  return rest.length === 0 && validPort && (isAddress(host) || isDnsName(host));
}

/** A URL that is told in reviews and on hosts: without a user in it. */
function isUrl(text: string): boolean {
  return isAuthority(URL_FORM.exec(text)?.[1] ?? "");
}

/** The URL for a message; one that holds a password is not shown. */
const shown = (text: string): string => (text.includes("@") ? "not shown" : show(text));

function source(path: string, { path: file, url }: AirGap["installScript"]): Problem[] {
  if ((file === undefined) === (url === undefined)) {
    const what = url === undefined ? "says neither path nor url" : "says both path and url";
    const remedy = "give path for a file of yours that is copied to the hosts, or url for one that they fetch";
    return [problem("artefact-source", path, `${what}; allowed: exactly one of them`, remedy)];
  }
  if (url === undefined || isUrl(url)) return [];
  const message = `is not a URL that a host can fetch (${shown(url)}); allowed: http:// or https://, a host, and no user in it`;
  return [problem("artefact-url", `${path}.url`, message, "correct it")];
}

/** The files of the air gap, and that every host has those of its architecture. */
export const checkAirGap: HostsCheck = ({ parsed }) => {
  const { airGap } = parsed.k3s;
  if (airGap === undefined) return [];
  const hosts = hostsOf(parsed);
  const missing = (["amd64", "arm64"] as const).flatMap((arch) => {
    const first = airGap[arch] === undefined ? hosts.findIndex((host) => host.arch === arch) : -1;
    if (first === -1) return [];
    const message = `is missing, and nodes[${first}] has this architecture (${arch}); allowed: binary and images`;
    return [problem("artefact-arch", `k3s.airGap.${arch}`, message, "give them, or correct the host's arch")];
  });
  return [...missing, ...artefactsByPath(airGap).flatMap(([path, artefact]) => source(path, artefact))];
};

/** MetalLB's chart comes from its own repository, which only the operator's machine reaches. */
export const checkAirGapCharts: HostsCheck = ({ parsed }) => {
  const { type } = parsed.loadBalancer;
  if (parsed.k3s.airGap === undefined || type !== "metallb" || parsed.delivery === "api") return [];
  const message =
    "leaves the fetching of MetalLB's chart to the cluster (\"manifests\"), which has no internet; advised with k3s.airGap: api, where the operator's machine fetches it";
  return [problem("air-gap-chart", "delivery", message, "set delivery: api, or loadBalancer: servicelb")];
};

function wrong(path: string, message: string, remedy: string): Problem {
  return problem("invalid-registry", path, message, remedy);
}

function registry(path: string, name: string): Problem[] {
  if (name === "*" || isAuthority(name)) return [];
  const message = `is not a registry (${show(name)}); allowed: a host such as docker.io or registry.internal:5000, or * for every one`;
  return [wrong(path, message, "write it without scheme and path")];
}

/** What registries.yaml takes. */
export const checkRegistries: HostsCheck = ({ parsed }) => {
  const { registries, embeddedRegistry } = parsed.k3s;
  if (registries === undefined) return [];
  const mirrors = Object.entries(registries.mirrors).flatMap(([name, { endpoint }]) => {
    const path = formatPath(["k3s", "registries", "mirrors", name]);
    const idle = endpoint.length === 0 && !embeddedRegistry;
    return [
      ...registry(path, name),
      ...(idle
        ? [wrong(path, "has no endpoint (an empty list); allowed: none only with k3s.embeddedRegistry", "give one")]
        : []),
      ...endpoint.flatMap((url, index) => {
        if (isUrl(url)) return [];
        const message = `is not a URL of a registry (${shown(url)}); allowed: http:// or https://, a host, and no user in it`;
        return [wrong(`${path}.endpoint[${index}]`, message, "correct it")];
      }),
    ];
  });
  const tls = Object.entries(registries.tls).flatMap(([name, { caFile }]) => {
    const path = formatPath(["k3s", "registries", "tls", name]);
    const absolute = caFile === undefined || /^\/\S*[^\s/]$/.test(caFile);
    return [
      ...registry(path, name),
      ...(absolute
        ? []
        : [
            wrong(
              `${path}.caFile`,
              `is not a file's whole path on the hosts (${show(caFile)}); allowed: a path that begins with /`,
              "correct it",
            ),
          ]),
    ];
  });
  return [...mirrors, ...tls];
};
