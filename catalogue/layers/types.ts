/** What a layer of the cluster's network is, and what may be chosen for it. */
import type { ChartName } from "../charts";
import type { DocumentId } from "../documents";

/** The pages of layers: `docs/layers/ID.md`. */
export type LayerId =
  | "cni"
  | "traffic-proxy"
  | "network-policy"
  | "ingress"
  | "dns"
  | "load-balancer"
  | "services"
  | "ip-families"
  | "registry"
  | "traefik-history";

export interface LayerChoice {
  readonly name: string;
  /** Whether a stack that says nothing has it. */
  readonly default?: true;
  /** What chooses it, in YAML on one line; none for what needs no setting. */
  readonly setting?: string;
  /** Whole examples: `docs/layers/fragments/NAME.yaml`. */
  readonly fragments?: readonly string[];
  /** When it is the one to take. */
  readonly when: string;
  /** What takes K3s's own part out of the way, as K3s calls it. */
  readonly off?: string;
  readonly charts?: readonly ChartName[];
  /** Beginnings of ids of the port catalogue. */
  readonly ports?: readonly string[];
  readonly documents: readonly DocumentId[];
}

export interface Layer {
  readonly id: LayerId;
  readonly title: string;
  /** What the layer does, in a sentence. */
  readonly what: string;
  readonly choices: readonly LayerChoice[];
  /** Beginnings of the settings that belong to it. */
  readonly settings: readonly string[];
  /** Codes of problems that belong to it. */
  readonly problems: readonly string[];
  /** Names that are refused for good, each with its reason (`spec/unsupported.ts`). */
  readonly refused: readonly string[];
}
