/** The shapes of the charts' values, by chart and version. */
import { chartVersion } from "../stack-charts";
import { CHARTS, type ChartName } from "../charts";
import { AWS_LOAD_BALANCER } from "./aws-load-balancer";
import { CALICO } from "./calico";
import { CILIUM } from "./cilium";
import { COREDNS } from "./coredns";
import { HAPROXY } from "./haproxy";
import { ISTIO_BASE } from "./istio-base";
import { ISTIO_CNI } from "./istio-cni";
import { ISTIOD } from "./istiod";
import { METALLB } from "./metallb";
import { NGINX } from "./nginx";
import { parseShape, type Shape } from "./shape";
import { TRAEFIK } from "./traefik";
import { TRAEFIK39 } from "./traefik39";
import { TRAEFIK40 } from "./traefik40";
import { ZTUNNEL } from "./ztunnel";

/** Charts whose values a stack, or the program, sets. Calico's definitions take none. */
export type ChartWithValues = Exclude<ChartName, "calicoCrds">;

/** Each at the version that `charts.ts` pins. */
const SHAPES: Readonly<Record<ChartWithValues, string>> = {
  calico: CALICO,
  cilium: CILIUM,
  traefik: TRAEFIK,
  nginx: NGINX,
  haproxy: HAPROXY,
  coredns: COREDNS,
  metallb: METALLB,
  awsLoadBalancer: AWS_LOAD_BALANCER,
  istioBase: ISTIO_BASE,
  istiod: ISTIOD,
  istioCni: ISTIO_CNI,
  ztunnel: ZTUNNEL,
};

/**
 * The last version of each major of Traefik's chart that was read whole; K3s packages releases of these majors. Earlier majors are loose
 * about their values.
 */
const PACKAGED_TRAEFIK: Readonly<Partial<Record<number, string>>> = { 39: TRAEFIK39, 40: TRAEFIK40 };

/** The shape of a chart's values at a version; undefined for one of another minor release than the pinned one, which was not read. */
export function shapeOf(name: ChartWithValues, version: string): Shape | undefined {
  const [asked, read] = [chartVersion(version), chartVersion(CHARTS[name].version)];
  if (asked?.major !== read?.major || asked?.minor !== read?.minor) return undefined;
  return parseShape(SHAPES[name]);
}

/** The shape of the values of the Traefik that K3s packages, by the major of its chart; undefined for one that was not read. */
export function packagedTraefikShape(major: number): Shape | undefined {
  const text = PACKAGED_TRAEFIK[major];
  return text === undefined ? undefined : parseShape(text);
}
