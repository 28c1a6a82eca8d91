/** Settings of image registries (`/etc/rancher/k3s/registries.yaml`). */
import { z } from "zod";
import { stringMap } from "./common";

export const registries = z.strictObject({
  /** Mirrors by registry, such as `docker.io`; `*` is every registry. */
  mirrors: z
    .record(
      z.string(),
      z.strictObject({
        /** URLs to try instead of the registry, in order. @example ["https://registry.internal:5000"] */
        endpoint: z.array(z.string()).default([]),
        /** Rewrites of image names: regular expression to replacement. */
        rewrite: stringMap.optional(),
      }),
    )
    .default({}),
  /** TLS settings by registry host, with its port if it has one. */
  tls: z
    .record(
      z.string(),
      z.strictObject({
        /** File of the registry's certificate authority, on the hosts. @example /etc/ssl/registry-ca.pem */
        caFile: z.string().optional(),
        /** Accept any certificate. */
        insecureSkipVerify: z.boolean().optional(),
      }),
    )
    .default({}),
});
