/** Settings of the service mesh. */
import { z } from "zod";
import { CHARTS } from "../../catalogue/charts";
import { dnsLabel, helmValues } from "./common";

const istio = z.strictObject({
  /** `none`, or `istio`: Istio in ambient mode, without sidecars. */
  type: z.literal("istio"),
  /** Istio's release, which is its charts' version. */
  version: z.string().default(CHARTS.istioBase.version),
  /** Namespaces whose pods are in the mesh. Those that do not exist are made. @example [apps] */
  namespaces: z.array(dnsLabel).default([]),
  /** Values of the chart istiod of your own, merged last. */
  values: helmValues.default({}),
});

export const serviceMesh = z.preprocess(
  (value) => (typeof value === "string" ? { type: value } : value),
  z.discriminatedUnion("type", [z.strictObject({ type: z.literal("none") }), istio]),
);
