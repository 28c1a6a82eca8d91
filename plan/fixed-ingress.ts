/**
 * What an update tells of the ingress on a cluster that runs: another controller, another major of Traefik, and chart values of the stack's
 * own that another major of the chart reads otherwise. Refused is only what would fail on the way: one Traefik in another's place.
 */
import { DEFINITIONS_ONCE } from "../catalogue/ingress";
import { CHART_MOVES, traefikMajorOf } from "../catalogue/traefik-charts";
import type { ClusterSpec } from "../spec/types";
import { traefikChartMajor } from "./traefik";

/** Such a change: its code, why it matters, and the steps. */
interface IngressChange {
  readonly code:
    "fixed-setting" | "ingress-change" | "ingress-definitions" | "traefik-major-change" | "traefik-values-change";
  readonly why: string;
  readonly remedy: string;
}

/** By path among the plan's `fixed` values. */
export const INGRESS_CHANGES: Readonly<Record<string, IngressChange>> = {
  ingress: {
    code: "ingress-change",
    why: "the old controller's Service keeps its ports on the nodes until it is gone, so that the new one's stays Pending; the new one does not know the old one's own objects (IngressRoute, Middleware, VirtualServer), and K3s removes those of the packaged Traefik together with their definitions",
    remedy:
      "do it in a maintenance window: keep copies of those objects, update once with ingress: none, wait until the old controller's pods, Service and definitions are gone, then update with the new one; give Ingress objects that name the old class (ingressClassName) the new one",
  },
  "ingress.chart": {
    code: "fixed-setting",
    why: "both charts bring the same definitions and the same class: the new one cannot be installed while the old one's are there, and would lose them when K3s removes its own",
    remedy:
      "keep copies of IngressRoute and Middleware objects, update once with ingress: none, wait until the old Traefik is gone (kubectl get helmcharts -n kube-system), delete the definitions of traefik.io that are left, then update with the other one",
  },
  "ingress.version": {
    code: "ingress-definitions",
    why: "Helm leaves the definitions of the controller's own kinds as they are, and the new version may need newer ones",
    remedy:
      "apply the definitions of the new version before the update, as the chart's notes on upgrading say (kubectl apply --server-side --force-conflicts, with the chart's folder crds)",
  },
  traefik: {
    code: "traefik-major-change",
    why: "Traefik v3 does not serve objects of traefik.containo.us, which v2 still did, and reads rules of IngressRoute objects in a syntax of its own",
    remedy:
      "before the update, move those objects to apiVersion traefik.io/v1alpha1, try the new major on another stack, and follow Traefik's guide (Migrate, From v2 to v3); core.defaultRuleSyntax: v2 in traefik.values keeps the old rules for the time being",
  },
  "traefik.values": {
    code: "traefik-values-change",
    why: "the values of the stack's own were written for another major of Traefik's chart, which may have them in other places",
    remedy: `compare traefik.values with the new chart: ${CHART_MOVES.map(({ major, what }) => `from ${major} on ${what}`).join("; ")}`,
  },
};

/** The values of a stack's ingress. */
export function ingressFixedValues(spec: ClusterSpec): Readonly<Record<string, string>> {
  const { ingress } = spec;
  const major = traefikChartMajor(spec);
  return {
    ingress: ingress.type,
    ...("version" in ingress && DEFINITIONS_ONCE.includes(ingress.type) ? { "ingress.version": ingress.version } : {}),
    ...(major === undefined
      ? {}
      : {
          "ingress.chart": ingress.type === "traefik" ? "Traefik as K3s packages it" : "Traefik's own",
          traefik: `v${traefikMajorOf(major)}`,
        }),
    ...(major === undefined || Object.keys(spec.traefik.values).length === 0
      ? {}
      : { "traefik.values": `chart ${major}` }),
  };
}
