/** Mirrors of image registries, and their TLS: what K3s takes in registries.yaml. */
import { CHARTS } from "../../catalogue/charts";
import { IMAGES } from "../../catalogue/images";
import { chartsOf } from "../../catalogue/stack-charts";
import { dnsOf } from "../normalize";
import type { Problem } from "../problems";
import type { ParsedExisting } from "../schema";
import { formatPath, show } from "../show";
import { chartChoices } from "./chart-values";
import { problem, type Check, type HostsCheck } from "./context";
import { isAuthority, isUrl, shownUrl } from "./urls";

function wrong(path: string, message: string, remedy: string): Problem {
  return problem("invalid-registry", path, message, remedy);
}

function registry(path: string, name: string): Problem[] {
  if (name === "*" || isAuthority(name)) return [];
  const message = `is not a registry (${show(name)}); allowed: a host such as docker.io or registry.internal:5000, or * for every one`;
  return [wrong(path, message, "write it without scheme and path")];
}

/** What registries.yaml takes. */
export const checkRegistries: Check = ({ parsed }) => {
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
        const message = `is not a URL of a registry (${shownUrl(url)}); allowed: http:// or https://, a host, and no user in it`;
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

/** What brings images that K3s's own files for the air gap do not hold: charts, and the program's own objects. */
function furtherImages(parsed: ParsedExisting): string[] {
  const charts = chartsOf(chartChoices(parsed)).map(({ name }) => CHARTS[name].chart);
  const dns = dnsOf(parsed);
  return [...new Set(charts), ...(dns.type !== "none" && dns.nodeLocalCache ? [IMAGES.nodeLocalDns] : [])];
}

/** In an air gap, images of charts come from mirrors, or are in the stack's own image files. */
export const checkAirGapImages: HostsCheck = ({ parsed }) => {
  const { airGap, registries } = parsed.k3s;
  const further = furtherImages(parsed);
  const mirrors = Object.values(registries?.mirrors ?? {}).some(({ endpoint }) => endpoint.length > 0);
  if (airGap === undefined || mirrors || further.length === 0) return [];
  const message = `names no mirror, and K3s's own files do not hold the images of ${further.join(", ")}; advised: mirrors that do`;
  const remedy = "give mirrors, or put these images into the files of k3s.airGap";
  return [problem("air-gap-images", "k3s.registries", message, remedy)];
};
