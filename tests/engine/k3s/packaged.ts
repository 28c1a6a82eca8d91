/**
 * The components that K3s brings with it, as files of its auto-deploy folder: an object or two of each, which say whether it is deployed.
 * There are no pods on a lab's hosts.
 */
import { existsSync, mkdirSync } from "node:fs";
import { putFile, readText } from "./files";
import { MANIFESTS_FOLDER } from "./paths";
import type { Component, ServerSettings } from "./server-settings";

const SYSTEM = "kube-system";

function yamlOf(objects: readonly object[]): string {
  // JSON is YAML.
  return objects.map((object) => `---\n${JSON.stringify(object, undefined, 2)}\n`).join("");
}

function configMap(name: string, data: Readonly<Record<string, string>>): object {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: SYSTEM }, data };
}

function chart(name: string, file: string): object {
  return {
    apiVersion: "helm.cattle.io/v1",
    kind: "HelmChart",
    metadata: { name, namespace: SYSTEM },
    spec: { chart: `https://%{KUBERNETES_API}%/static/charts/${file}.tgz` },
  };
}

const MANIFESTS: Readonly<Partial<Record<Component, readonly object[]>>> = {
  coredns: [configMap("coredns", { Corefile: ".:53 {\n  kubernetes cluster.local in-addr.arpa ip6.arpa\n}\n" })],
  "local-storage": [configMap("local-path-config", { "config.json": '{"nodePathMap":[]}' })],
  "metrics-server": [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "metrics-server", namespace: SYSTEM } },
  ],
  runtimes: [{ apiVersion: "node.k8s.io/v1", kind: "RuntimeClass", metadata: { name: "nvidia" }, handler: "nvidia" }],
  traefik: [chart("traefik-crd", "traefik-crd"), chart("traefik", "traefik")],
};

/** File of a packaged component. */
export function packagedFile(component: Component): string {
  return `${MANIFESTS_FOLDER}/${component}.yaml`;
}

/**
 * Writes the components' files, but for those that are disabled.
 *
 * @returns the components whose files are there although they are disabled: these and their objects are to go.
 */
export function writePackaged({ disabled }: ServerSettings): Component[] {
  mkdirSync(MANIFESTS_FOLDER, { recursive: true, mode: 0o700 });
  const going: Component[] = [];
  for (const [name, objects] of Object.entries(MANIFESTS)) {
    const component = name as Component;
    const file = packagedFile(component);
    const text = yamlOf(objects);
    if (disabled.has(component)) {
      if (existsSync(file)) going.push(component);
    } else if (readText(file) !== text) {
      putFile(file, text);
    }
  }
  return going;
}
