/** DNS, service mesh, image registries, and what K3s packages besides. */
import { RUNTIMES_COMPONENT, hasFeature, parseK3sVersion } from "../../catalogue/k3s-versions";
import type { ClusterSpec } from "../../spec/types";
import type { ComponentStatus } from "../types";
import { off, on, packaged } from "./status";

export function dnsComponents(spec: ClusterSpec): ComponentStatus[] {
  const { dns, k3s } = spec;
  const place = `cluster DNS at ${k3s.clusterDns}, domain ${k3s.clusterDomain}`;
  const entries = dns.type === "none" ? [] : Object.keys(dns.custom);
  return [
    packaged(spec, "coredns", place, dns.type === "none" ? undefined : `dns is ${dns.type}`),
    dns.type === "coredns-chart"
      ? on("coredns-chart", `${place}, chart ${dns.version}, ${dns.replicas === 1 ? "1 pod" : `${dns.replicas} pods`}`)
      : off("coredns-chart", `dns is ${dns.type}`),
    dns.type !== "none" && dns.nodeLocalCache
      ? on("node-local-dns", "a cache on every node, which pods ask first")
      : off("node-local-dns", "dns.nodeLocalCache is off"),
    entries.length === 0
      ? off("custom-dns", "dns.custom is empty")
      : on("custom-dns", `entries of the stack's own: ${entries.join(", ")}`),
  ];
}

export function meshComponents({ serviceMesh }: ClusterSpec): ComponentStatus[] {
  if (serviceMesh.type === "none") return [off("istio", "serviceMesh is none")];
  const { namespaces, version } = serviceMesh;
  const where = namespaces.length === 0 ? "no namespace is in it yet" : `with the pods of ${namespaces.join(", ")}`;
  return [on("istio", `service mesh, ambient mode, release ${version}, ${where}`)];
}

export function registryComponents({ k3s }: ClusterSpec): ComponentStatus[] {
  const mirrors = Object.keys(k3s.registries?.mirrors ?? {});
  return [
    k3s.embeddedRegistry
      ? on("embedded-registry", "nodes share images peer to peer")
      : off("embedded-registry", "k3s.embeddedRegistry is off"),
    mirrors.length === 0
      ? off("registry-mirrors", "k3s.registries names none")
      : on("registry-mirrors", `for ${mirrors.join(", ")}`),
  ];
}

export function otherComponents(spec: ClusterSpec): ComponentStatus[] {
  const version = parseK3sVersion(spec.k3s.version);
  return [
    packaged(spec, "local-storage", "volumes on the nodes' disks"),
    packaged(spec, "metrics-server", "resource metrics"),
    version !== undefined && hasFeature(version, RUNTIMES_COMPONENT)
      ? packaged(spec, "runtimes", "runtime classes of the container runtimes that K3s finds")
      : off("runtimes", `K3s ${spec.k3s.version} does not have it`),
  ];
}
