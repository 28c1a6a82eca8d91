/** prod-segregated: two networks, three zones, a load balancer for the API, manifests delivered over SSH. */
import { describeLife } from "./lifecycle";

describeLife({
  stack: "prod-segregated",
  pool: "worker",
  version: "v1.36.6+k3s1",
  addressPools: [{ name: "public", addresses: ["10.231.0.0/24"] }],
});
