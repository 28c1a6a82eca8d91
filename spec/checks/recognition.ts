/** What is refused by name, read from the settings as written: so it is told even where the file's shape is wrong elsewhere. */
import { WIREGUARD_NATIVE_SINCE, isAtLeast, legacyBackendFate, parseK3sVersion } from "../../catalogue/k3s-versions";
import { nearest, valueAt } from "../config";
import type { Problem } from "../problems";
import { DEFAULT_K3S_VERSION, DEFAULT_TARGET, FLANNEL_BACKENDS, TARGETS } from "../schema";
import { either, show } from "../show";
import { unsupported } from "../unsupported";
import { legacyArguments } from "./arguments";
import { problem } from "./context";

function target(raw: unknown): Problem[] {
  const value = valueAt(raw, ["target"]);
  if (value === undefined || TARGETS.some((one) => one === value)) return [];
  const allowed = either(TARGETS);
  const subject = typeof value === "string" ? unsupported(value, DEFAULT_TARGET) : undefined;
  if (subject !== undefined && subject.existing === undefined) {
    const message = `is not supported: ${subject.title} (${show(value)}); allowed: ${allowed}`;
    return [problem("unsupported-setting", "target", message, subject.instead)];
  }
  const hosts = subject === undefined ? undefined : "existing";
  const near = hosts ?? (typeof value === "string" ? nearest(value, TARGETS) : undefined);
  const message = `is not a target (${show(value)}); allowed: ${allowed}`;
  const remedy =
    near === undefined ? `write ${allowed}, or leave it out for ${DEFAULT_TARGET}` : `did you mean ${near}?`;
  return [problem("invalid-value", "target", message, remedy)];
}

/** What people write as a backend that is another CNI. */
const CNI_NAMES: Readonly<Record<string, { readonly title: string; readonly setting: string }>> = {
  none: { title: "no flannel at all", setting: "calico, cilium or none" },
  calico: { title: "another CNI", setting: "calico" },
  cilium: { title: "another CNI", setting: "cilium" },
};

function backend(raw: unknown): Problem[] {
  const value = valueAt(raw, ["k3s", "flannelBackend"]);
  if (typeof value !== "string" || (FLANNEL_BACKENDS as readonly string[]).includes(value)) return [];
  const path = "k3s.flannelBackend";
  const allowed = either(FLANNEL_BACKENDS);
  if (value === "wireguard" || value === "ipsec") {
    const written = valueAt(raw, ["k3s", "version"]);
    const version = parseK3sVersion(typeof written === "string" ? written : DEFAULT_K3S_VERSION);
    const modern = version === undefined || isAtLeast(version, WIREGUARD_NATIVE_SINCE);
    const remedy = modern
      ? `use wireguard-native${value === "ipsec" ? ", which encrypts as well" : ""}`
      : `${version.text} cannot do wireguard-native, which came with ${WIREGUARD_NATIVE_SINCE}: choose a newer k3s.version, then use it`;
    const message = `is a backend of older K3s (${show(value)}): ${legacyBackendFate(value, version)}; allowed: ${allowed}`;
    return [problem("legacy-setting", path, message, remedy)];
  }
  const cni = CNI_NAMES[value.toLowerCase()];
  if (cni !== undefined) {
    const message = `is not a backend of flannel, but ${cni.title} (${show(value)}); allowed: ${allowed}`;
    return [problem("invalid-value", path, message, `remove it, and set cni: ${cni.setting}`)];
  }
  const subject = unsupported(value, DEFAULT_TARGET);
  if (subject !== undefined) {
    const message = `is not supported: ${subject.title} (${show(value)}); allowed: ${allowed}`;
    return [problem("unsupported-setting", path, message, "choose one of flannel's backends")];
  }
  const near = nearest(value, FLANNEL_BACKENDS);
  const message = `is not a backend of flannel (${show(value)}); allowed: ${allowed}`;
  return [problem("invalid-value", path, message, near === undefined ? "choose one of them" : `did you mean ${near}?`)];
}

/** Everything in the raw settings that is refused by name. Unknown keys are `parseShape`'s. */
export function recognize(raw: unknown): Problem[] {
  return [...target(raw), ...backend(raw), ...legacyArguments(raw)];
}
