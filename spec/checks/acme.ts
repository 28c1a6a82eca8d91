/**
 * Certificates from Let's Encrypt, got by Traefik itself. Followed: Traefik's documentation, certificate resolvers, ACME; Let's Encrypt's,
 * challenge types.
 */
import { isWorld } from "../../catalogue/cidr";
import { HTTP_PORT } from "../../catalogue/ports";
import { valueAt } from "../config";
import { ingressOf } from "../normalize";
import type { Problem } from "../problems";
import type { ParsedSpec } from "../schema";
import { formatPath, show } from "../show";
import { problem, type Check, type CheckContext } from "./context";

/** K3s's storage class of volumes on the nodes' disks, from the packaged component local-storage. */
const LOCAL_PATH = "local-path";

/** Both challenges come from addresses that Let's Encrypt does not tell. */
const UNKNOWN_ADDRESSES = "Let's Encrypt asks from addresses that it does not publish";

type Acme = NonNullable<ParsedSpec["traefik"]["acme"]>;

/** The stack's own settings of Let's Encrypt; undefined where Traefik is not there, which another check tells. */
function acmeOf(parsed: ParsedSpec): Acme | undefined {
  const { type } = ingressOf(parsed);
  return type === "traefik" || type === "traefik-chart" ? parsed.traefik.acme : undefined;
}

/** Traefik keeps certificates in a file of its own: a second pod would neither know them nor the challenge that it is asked for. */
export const checkAcmePods: Check = ({ parsed }) => {
  if (acmeOf(parsed) === undefined) return [];
  const { replicas, values } = parsed.traefik;
  const own: unknown = valueAt(values, ["deployment", "replicas"]);
  const several: readonly (readonly [place: readonly string[], value: unknown])[] = [
    ...(replicas > 1 ? [[["replicas"], replicas] as const] : []),
    ...(typeof own === "number" && own > 1 ? [[["values", "deployment", "replicas"], own] as const] : []),
    ...(valueAt(values, ["deployment", "kind"]) === "DaemonSet"
      ? [[["values", "deployment", "kind"], "DaemonSet"] as const]
      : []),
  ];
  return several.map(([place, value]) => {
    const message = `has more pods than share one file of certificates with traefik.acme (${show(value)}); allowed: 1`;
    const remedy = "set 1, or leave traefik.acme out and get certificates with cert-manager, which serves every pod";
    return problem("acme-pods", formatPath(["traefik", ...place]), message, remedy);
  });
};

/** A volume that keeps the certificates: without them each restart would ask anew, and soon meet Let's Encrypt's limits. */
export const checkAcmeVolume: Check = (context) => {
  const acme = acmeOf(context.parsed);
  if (acme === undefined) return [];
  const path = "traefik.acme.storageClass";
  const { storageClass } = acme;
  const disabled = context.parsed.k3s.disable.includes("local-storage");
  if (disabled && storageClass === undefined) {
    const message =
      "names no storage class, and k3s.disable leaves out local-storage, whose class is the cluster's (local-storage); allowed: a class that the cluster has";
    return [problem("acme-volume", path, message, "name the class of your storage, or remove it from k3s.disable")];
  }
  return disabled || (storageClass ?? LOCAL_PATH) !== LOCAL_PATH ? [] : onOneNode(context, path);
};

function onOneNode({ nodeNames }: CheckContext, path: string): Problem[] {
  if (nodeNames.length < 2) return [];
  const message = `keeps certificates on one node's disk (${LOCAL_PATH}), so that Traefik runs on that node only, and not while it is down; advised: storage that follows the pod`;
  return [problem("acme-one-node", path, message, "name a class of such storage, or accept it")];
}

/** The challenge meets Traefik. */
export const checkAcmeChallenge: Check = ({ parsed }) => {
  const acme = acmeOf(parsed);
  if (acme === undefined) return [];
  const path = "traefik.acme.challenge";
  if (parsed.target === "existing" && parsed.k3s.airGap !== undefined) {
    const message =
      "needs the internet, which an air gap does not have (k3s.airGap); allowed: certificates of your own";
    return [problem("acme-challenge", "traefik.acme", message, "remove it, and put certificates into Secrets")];
  }
  if (acme.challenge === "http" && !parsed.traefik.openHttp) {
    const message = `asks port ${HTTP_PORT}, which traefik.openHttp closes (${show(acme.challenge)}); allowed: http with that port open, or tls`;
    return [problem("acme-challenge", path, message, "set traefik.acme.challenge: tls, or traefik.openHttp: true")];
  }
  if (parsed.access.clients.length === 0) {
    const message = `reaches nobody: access.clients names no networks, and ${UNKNOWN_ADDRESSES} (${show(acme.challenge)}); allowed: clients that hold 0.0.0.0/0, or a proxy that passes the challenge on`;
    return [problem("acme-challenge", path, message, "add 0.0.0.0/0 to access.clients, or use cert-manager")];
  }
  return unreachable(parsed, acme, path);
};

function unreachable(parsed: ParsedSpec, acme: Acme, path: string): Problem[] {
  const reasons = [
    ...(parsed.access.clients.some(isWorld)
      ? []
      : [`access.clients leaves out most of the internet, and ${UNKNOWN_ADDRESSES}`]),
    ...(parsed.target === "aws" &&
    parsed.network.placement === "private" &&
    parsed.loadBalancer.type === "servicelb" &&
    !parsed.loadBalancer.nlb
      ? ["nodes of a private placement have no public addresses"]
      : []),
  ];
  return reasons.map((reason) => {
    const message = `may not reach the ingress: ${reason} (${show(acme.challenge)}); advised: an ingress that the whole internet reaches`;
    const remedy = "add 0.0.0.0/0 to access.clients or pass the challenge on from a proxy, or use cert-manager";
    return problem("acme-unreachable", path, message, remedy);
  });
}
