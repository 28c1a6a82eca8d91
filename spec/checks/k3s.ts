/** K3s: its release, and what that release has. */
import {
  EMBEDDED_REGISTRY,
  OLDEST_SUPPORTED,
  RUNTIMES_COMPONENT,
  hasFeature,
  isAtLeast,
  type Backported,
  type K3sVersion,
} from "../../catalogue/k3s-versions";
import { FIRST_TRAEFIK_V2 } from "../../catalogue/traefik-charts";
import { nearest } from "../config";
import { isDisableable, replacesKubeProxy } from "../normalize";
import type { Problem } from "../problems";
import { DEFAULT_K3S_VERSION, DISABLEABLE } from "../schema";
import { either, show } from "../show";
import { unsupported } from "../unsupported";
import { checkAddress } from "./addresses";
import { problem, type Check } from "./context";

export const checkVersion: Check = ({ parsed, version }) => {
  const { version: text } = parsed.k3s;
  if (version === undefined) {
    const message = `is not a K3s release (${show(text)}); allowed: vMAJOR.MINOR.PATCH+k3sN, such as ${DEFAULT_K3S_VERSION}`;
    return [problem("k3s-version", "k3s.version", message, "write the whole release, with v and +k3s1")];
  }
  if (isAtLeast(version, OLDEST_SUPPORTED)) return [];
  const message = `is older than the program supports (${show(text)}); allowed: ${OLDEST_SUPPORTED} or newer`;
  const newer = "choose a newer release: K3s upgrades one minor release at a time";
  const traefikV1 = isAtLeast(version, FIRST_TRAEFIK_V2)
    ? ""
    : "; before v1.21 it packages Traefik v1, which a newer K3s leaves in place: migrate it first, with Traefik's guide and migration tool";
  return [problem("k3s-version-unsupported", "k3s.version", message, newer + traefikV1)];
};

/** What a release is too old for. */
export function tooOld(path: string, feature: Backported, version: K3sVersion): Problem {
  const message = `needs ${feature.title}, which ${version.text} does not have; allowed: from ${either(feature.since)} on, each in its minor release`;
  return problem("k3s-too-old", path, message, "raise k3s.version, or leave it out");
}

export const checkFeatures: Check = ({ parsed, version }) => {
  if (version === undefined || !isAtLeast(version, OLDEST_SUPPORTED)) return [];
  const { embeddedRegistry, disable } = parsed.k3s;
  const runtimes = disable.indexOf("runtimes");
  return [
    ...(embeddedRegistry && !hasFeature(version, EMBEDDED_REGISTRY)
      ? [tooOld("k3s.embeddedRegistry", EMBEDDED_REGISTRY, version)]
      : []),
    ...(runtimes !== -1 && !hasFeature(version, RUNTIMES_COMPONENT)
      ? [tooOld(`k3s.disable[${runtimes}]`, RUNTIMES_COMPONENT, version)]
      : []),
  ];
};

/** What people put into `disable` that K3s switches off in another way, and how. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "network-policy": "set k3s.disableNetworkPolicy: true instead",
  "kube-proxy": "set cni.replaceKubeProxy, or k3s.disableKubeProxy, instead",
  "helm-controller": "remove it: without the Helm controller the packaged Traefik is not installed",
  "cloud-controller": "remove it: ServiceLB and the nodes' addresses need K3s's cloud controller",
  klipper: "write servicelb, which Klipper is called today",
  "klipper-lb": "write servicelb, which Klipper is called today",
};

export const checkDisable: Check = ({ parsed }) =>
  parsed.k3s.disable.flatMap((name, index) => {
    if (isDisableable(name)) return [];
    const message = `is not a packaged component (${show(name)}); allowed: ${either(DISABLEABLE)}`;
    const near = nearest(name, DISABLEABLE);
    const remedy = ELSEWHERE[name] ?? (near === undefined ? "remove it" : `did you mean ${near}?`);
    return [problem("unknown-component", `k3s.disable[${index}]`, message, remedy)];
  });

/** Where operators reach the API: one of two words, or a name or address. */
export const checkEndpoint: Check = ({ parsed }) => {
  const { endpoint } = parsed.api;
  const words = parsed.target === "aws" ? ["firstServer", "nlb"] : ["firstServer"];
  if (words.includes(endpoint)) return [];
  if (endpoint === "nlb") {
    const message = `is of target aws, and the target is ${parsed.target} ("nlb"); allowed: ${words.join(", ")}, a DNS name with a dot, or an IPv4 address`;
    const remedy = "give the name or address of a load balancer of your own, or firstServer";
    return [problem("other-target", "api.endpoint", message, remedy)];
  }
  if (/^[a-z0-9-]+$/i.test(endpoint)) {
    const subject = unsupported(endpoint, parsed.target);
    if (subject !== undefined) {
      return [
        problem(
          "unsupported-setting",
          "api.endpoint",
          `is not supported: ${subject.title} (${show(endpoint)})`,
          `use ${words.join(", ")}, or a name or address of your own`,
        ),
      ];
    }
    const near = nearest(endpoint, words);
    const message = `is neither a word of this setting nor a full name (${show(endpoint)}); allowed: ${words.join(", ")}, a DNS name with a dot, or an IPv4 address`;
    return [
      problem(
        "invalid-value",
        "api.endpoint",
        message,
        near === undefined ? "choose one of them" : `did you mean ${near}?`,
      ),
    ];
  }
  return checkAddress("api.endpoint", endpoint, true, parsed.ipFamilies);
};

/**
 * Without kube-proxy nothing forwards service addresses, the API's own and the cluster DNS's among them, but a CNI in its place. What a CNI of
 * the operator's own does is not known here.
 */
export const checkServiceProxy: Check = ({ parsed }) =>
  parsed.k3s.disableKubeProxy && parsed.cni.type !== "none" && !replacesKubeProxy(parsed)
    ? [
        problem(
          "no-service-proxy",
          "k3s.disableKubeProxy",
          "leaves the cluster's service addresses without anything that forwards them (true); advised: kube-proxy, unless another service proxy is installed",
          `remove it, or ${parsed.cni.type === "flannel" ? "install a service proxy that runs with flannel" : "set cni.replaceKubeProxy: true"}`,
        ),
      ]
    : [];
