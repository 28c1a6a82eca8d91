/** Cilium without encapsulation and AWS's own load balancer for the ingress, on instances that the stack makes. */
import { describeLayers } from "./layers";

describeLayers({
  stack: "dev-shared",
  delivery: "manifests",
  fragments: ["cni-cilium-native", "load-balancer-aws"],
  stays: ["cilium"],
  changes: [
    {
      title: "K3s's own Traefik gives way to NGINX",
      fragments: [],
      settings: { traefik: null, ingress: { type: "nginx" } },
    },
  ],
});
