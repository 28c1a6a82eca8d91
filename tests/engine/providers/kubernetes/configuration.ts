/** The provider's configuration: a kubeconfig. */
import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { UNKNOWN, sameValue, type Value, type Values } from "../values";

const IDENTIFIER = "clusterIdentifier";

interface Kubeconfig {
  readonly "current-context"?: string;
  readonly contexts?: readonly { readonly name: string; readonly context: { readonly cluster?: string } }[];
  readonly clusters?: readonly { readonly name: string; readonly cluster: Value }[];
}

/** The kubeconfig's text: the input is the text itself, or a file's name. */
export function kubeconfigText(configuration: Values): string | undefined {
  const value = configuration["kubeconfig"];
  if (typeof value !== "string" || value === "") return undefined;
  return !value.includes("\n") && existsSync(value) ? readFileSync(value, "utf8") : value;
}

function activeCluster(configuration: Values): Value | undefined {
  const text = kubeconfigText(configuration);
  if (text === undefined) return undefined;
  const config = parse(text) as Kubeconfig | null;
  const context = config?.contexts?.find(({ name }) => name === config["current-context"])?.context;
  return config?.clusters?.find(({ name }) => name === context?.cluster)?.cluster;
}

/**
 * Which changes make another provider, and so another of each of its objects: that of the active cluster's address or authority; and a
 * kubeconfig that a preview cannot know, since it might be another cluster's. A cluster with an identifier is another one with another
 * identifier only.
 */
export function configurationReplaces(olds: Values, news: Values): string[] {
  const [known, identifier] = [olds[IDENTIFIER], news[IDENTIFIER]];
  if (known !== undefined && identifier !== undefined) return known === identifier ? [] : [IDENTIFIER];
  if (news["kubeconfig"] === UNKNOWN) return ["kubeconfig"];
  const [before, now] = [activeCluster(olds), activeCluster(news)];
  return before === undefined || now === undefined || sameValue(before, now) ? [] : ["kubeconfig"];
}
