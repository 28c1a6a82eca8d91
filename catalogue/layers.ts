/**
 * The layers of a cluster's network: what K3s brings for each, what may stand in its place, and what chooses it. The README's table of layers
 * and the pages under `docs/layers/` follow from it.
 */
import { ACCESS_LAYERS } from "./layers/access";
import { CLUSTER_LAYERS } from "./layers/cluster";
import { NETWORK_LAYERS } from "./layers/network";
import type { Layer } from "./layers/types";

export type { Layer, LayerChoice, LayerId } from "./layers/types";

/** Every layer, in the order of the tables. */
export const LAYERS: readonly Layer[] = [
  NETWORK_LAYERS.CNI,
  NETWORK_LAYERS.TRAFFIC_PROXY,
  NETWORK_LAYERS.NETWORK_POLICY,
  ACCESS_LAYERS.INGRESS,
  CLUSTER_LAYERS.DNS,
  ACCESS_LAYERS.LOAD_BALANCER,
  CLUSTER_LAYERS.SERVICES,
  NETWORK_LAYERS.IP_FAMILIES,
  CLUSTER_LAYERS.REGISTRY,
  ACCESS_LAYERS.TRAEFIK_HISTORY,
];
