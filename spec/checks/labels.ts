/** Labels, taints and tags: what Kubernetes and AWS take. */
import { TAGS_PER_RESOURCE, TAG_LENGTHS } from "../../catalogue/quotas";
import type { Problem } from "../problems";
import type { ParsedSpec } from "../schema";
import { formatPath, show } from "../show";
import { isDnsName, problem, type AwsCheck, type Check } from "./context";

/** Tags that every resource gets from the program; the stack's own would be overwritten by them. */
const OWN_TAGS: readonly string[] = ["Name", "pulumi:Project", "pulumi:Stack"];

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** Labels in Kubernetes' own domains that a kubelet may set on its node (kubelet, `--node-labels`). */
const KUBELET_LABELS: ReadonlySet<string> = new Set([
  ...["beta.kubernetes.io/arch", "beta.kubernetes.io/instance-type", "beta.kubernetes.io/os"],
  ...["failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone"],
  ...["kubernetes.io/arch", "kubernetes.io/hostname", "kubernetes.io/os", "node.kubernetes.io/instance-type"],
  ...["topology.kubernetes.io/region", "topology.kubernetes.io/zone"],
]);
const KUBELET_PREFIXES = /^([-a-z0-9.]+\.)?(kubelet|node)\.kubernetes\.io\//;
const KUBERNETES_DOMAIN = /^([-a-z0-9.]+\.)?(kubernetes|k8s)\.io\//;
const SERVICE_LB_DOMAIN = "svccontroller.k3s.cattle.io/";

function isKey(key: string): boolean {
  const [first = "", second, ...rest] = key.split("/");
  if (second === undefined) return NAME.test(first);
  return rest.length === 0 && isDnsName(first) && first === first.toLowerCase() && NAME.test(second);
}

const isValue = (value: string): boolean => value === "" || NAME.test(value);

const KEY_RULE = "PREFIX/NAME or NAME, the name at most 63 letters, digits, hyphens, underscores and dots";
const VALUE_RULE = "at most 63 letters, digits, hyphens, underscores and dots, a letter or digit at either end";

interface Marked {
  readonly path: readonly PropertyKey[];
  readonly labels: Readonly<Record<string, string>>;
  readonly taints?: ParsedSpec["nodes"][number]["taints"];
}

/** Where a stack has labels and taints: its node pools, or its hosts and the pools with settings of theirs. */
function marked(parsed: ParsedSpec): Marked[] {
  const nodes = parsed.nodes.map((node, index): Marked => at(["nodes", index], node));
  if (parsed.target === "aws") return nodes;
  return [...nodes, ...Object.entries(parsed.pools).map(([name, pool]) => at(["pools", name], pool))];
}

function at(path: readonly PropertyKey[], from: Omit<Marked, "path">): Marked {
  return {
    path,
    get labels() {
      return from.labels;
    },
    get taints() {
      return from.taints;
    },
  };
}

function label(path: string, key: string, value: string, whose: string): Problem[] {
  if (key.startsWith(SERVICE_LB_DOMAIN)) {
    const message = `is a label that the program sets (${show(key)}); allowed: labels of your own`;
    return [
      problem("reserved-label", path, message, `set serviceLb.enabled and serviceLb.pool of the ${whose} instead`),
    ];
  }
  if (KUBERNETES_DOMAIN.test(key) && !KUBELET_LABELS.has(key) && !KUBELET_PREFIXES.test(key)) {
    const message = `is a label that a kubelet may not set (${show(key)}); allowed: labels outside kubernetes.io and k8s.io, or under node.kubernetes.io`;
    return [
      problem(
        "reserved-label",
        path,
        message,
        "use a domain of your own, or set it with kubectl once the node is there",
      ),
    ];
  }
  if (!isKey(key)) {
    return [
      problem("invalid-label", path, `is not a label's key (${show(key)}); allowed: ${KEY_RULE}`, "correct the key"),
    ];
  }
  if (isValue(value)) return [];
  return [
    problem(
      "invalid-label",
      path,
      `is not a label's value (${show(value)}); allowed: ${VALUE_RULE}`,
      "correct the value",
    ),
  ];
}

/** Node labels: syntax, and none that is another's to set. */
export const checkLabels: Check = ({ parsed }) =>
  marked(parsed).flatMap(({ path, labels }) =>
    Object.entries(labels).flatMap(([key, value]) =>
      label(formatPath([...path, "labels", key]), key, value, parsed.target === "aws" ? "node pool" : "node"),
    ),
  );

/** Node taints: syntax, each key and effect once. */
export const checkTaints: Check = ({ parsed }) =>
  marked(parsed).flatMap(({ path: place, taints = [] }) =>
    taints.flatMap(({ key, value, effect }, index) => {
      const path = formatPath([...place, "taints", index]);
      if (!isKey(key)) {
        return [
          problem(
            "invalid-taint",
            `${path}.key`,
            `is not a taint's key (${show(key)}); allowed: ${KEY_RULE}`,
            "correct the key",
          ),
        ];
      }
      if (value !== undefined && !isValue(value)) {
        const message = `is not a taint's value (${show(value)}); allowed: ${VALUE_RULE}`;
        return [problem("invalid-taint", `${path}.value`, message, "correct the value")];
      }
      const first = taints.findIndex((other) => other.key === key && other.effect === effect);
      if (first === index) return [];
      const message = `repeats taints[${first}] (${show(`${key}:${effect}`)}); allowed: each key and effect once`;
      return [problem("duplicate-value", path, message, "remove one of them")];
    }),
  );

/** AWS tags: syntax and number. */
export const checkTags: AwsCheck = ({ parsed }) => {
  const tags = Object.entries(parsed.tags);
  const most = TAGS_PER_RESOURCE.total - TAGS_PER_RESOURCE.own;
  const many =
    tags.length <= most
      ? []
      : [
          problem(
            "invalid-tag",
            "tags",
            `are ${tags.length} tags; allowed: at most ${most}`,
            "remove some: AWS takes no more",
          ),
        ];
  return [
    ...many,
    ...tags.flatMap(([key, value]) => {
      const path = formatPath(["tags", key]);
      if (/^aws:/i.test(key)) {
        const message = `begins with aws:, which AWS keeps for itself (${show(key)}); allowed: keys of your own`;
        return [problem("invalid-tag", path, message, "rename it")];
      }
      if (OWN_TAGS.includes(key)) {
        const message = `is a tag that the program sets (${show(key)}); allowed: keys of your own`;
        return [problem("invalid-tag", path, message, "remove or rename it")];
      }
      const characters = /^[\p{L}\p{N}\p{Z}_.:/=+\-@]*$/u;
      const fits = key !== "" && key.length <= TAG_LENGTHS.key && value.length <= TAG_LENGTHS.value;
      if (fits && characters.test(key) && characters.test(value)) return [];
      const message = `is not a tag (${show(key)}: ${show(value, ["tags", key])}); allowed: letters, digits, spaces and _ . : / = + - @, at most ${TAG_LENGTHS.key} in the key and ${TAG_LENGTHS.value} in the value`;
      return [problem("invalid-tag", path, message, "correct it")];
    }),
  ];
};
