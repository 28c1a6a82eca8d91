/** edge-shared-ha: one network, ServiceLB pools, objects delivered through the Kubernetes API. */
import { describeLife } from "./lifecycle";

describeLife({
  stack: "edge-shared-ha",
  pool: "ingest",
  version: "v1.36.6+k3s1",
  addressPools: [
    { name: "inside", addresses: ["10.232.0.10-10.232.0.20"], autoAssign: false },
    { name: "public", addresses: ["10.231.0.0/24"] },
  ],
});
