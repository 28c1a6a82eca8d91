/** The ingress, for clients. */
import { port, tcp } from "./parts";
import type { CatalogueInput, PortEntry } from "./types";

const ingress = (input: CatalogueInput): boolean => input.ingress.type !== "none" && input.loadBalancer.type !== "none";
const http = (input: CatalogueInput): boolean =>
  ingress(input) && "openHttp" in input.ingress && input.ingress.openHttp;

/** Whether a load balancer of AWS stands in front of the nodes' own host ports. */
const inFront = ({ loadBalancer }: CatalogueInput): boolean =>
  loadBalancer.type === "servicelb" && loadBalancer.nlb === true;
/** Whether the load balancers are AWS's. */
const aws = ({ loadBalancer }: CatalogueInput): boolean => loadBalancer.type === "aws";
const behind = (input: CatalogueInput): boolean => inFront(input) || aws(input);

const clientToBalancer = {
  from: "client",
  to: "ingressLoadBalancer",
  traffic: "external",
  exposure: "external",
} as const;
const balancerToIngress = {
  from: "ingressLoadBalancer",
  to: "ingress",
  traffic: "external",
  exposure: "external",
} as const;
const documents = ["networking-guide", "aws-nlb"] as const;

export const INGRESS: readonly PortEntry[] = [
  {
    id: "ingress-http",
    title: "HTTP ingress",
    ...tcp,
    ports: port(80),
    from: "client",
    to: "ingress",
    traffic: "external",
    exposure: "external",
    condition: "an ingress controller and a load balancer of the cluster's own are on, and its openHttp",
    when: (input) => http(input) && !behind(input),
    why: "optional plain HTTP, which redirects to HTTPS unless told otherwise",
    documents: ["networking-guide", "k3s-networking-services"],
  },
  {
    id: "ingress-https",
    title: "HTTPS ingress",
    ...tcp,
    ports: port(443),
    from: "client",
    to: "ingress",
    traffic: "external",
    exposure: "external",
    condition: "an ingress controller and a load balancer of the cluster's own are on",
    when: (input) => ingress(input) && !behind(input),
    why: "required: every service behind the ingress",
    documents: ["networking-guide", "k3s-networking-services"],
  },
  {
    id: "ingress-nlb-http",
    title: "HTTP ingress, at the load balancer",
    ...tcp,
    ports: port(80),
    ...clientToBalancer,
    condition: "AWS's load balancer is in front of the ingress, and its openHttp",
    when: (input) => http(input) && behind(input),
    why: "optional plain HTTP, which redirects to HTTPS unless told otherwise",
    documents,
  },
  {
    id: "ingress-nlb-https",
    title: "HTTPS ingress, at the load balancer",
    ...tcp,
    ports: port(443),
    ...clientToBalancer,
    condition: "AWS's load balancer is in front of the ingress",
    when: (input) => ingress(input) && behind(input),
    why: "clients reach the ingress through the network load balancer only",
    documents,
  },
  {
    id: "nlb-ingress-http",
    title: "HTTP ingress behind the load balancer",
    ...tcp,
    ports: port(80),
    ...balancerToIngress,
    condition: "loadBalancer servicelb with nlb, and the ingress's openHttp",
    when: (input) => http(input) && inFront(input),
    why: "the load balancer forwards to the nodes that take the ingress, and checks their health",
    documents: ["aws-nlb", "k3s-networking-services"],
  },
  {
    id: "nlb-ingress-https",
    title: "HTTPS ingress behind the load balancer",
    ...tcp,
    ports: port(443),
    ...balancerToIngress,
    condition: "loadBalancer servicelb with nlb, and an ingress controller",
    when: (input) => ingress(input) && inFront(input),
    why: "the load balancer forwards to the nodes that take the ingress, and checks their health",
    documents: ["aws-nlb", "k3s-networking-services"],
  },
  {
    id: "nlb-nodeports",
    title: "NodePorts behind the load balancer",
    ...tcp,
    ports: (input) => input.k3s.nodePortRange,
    from: "ingressLoadBalancer",
    to: "node",
    traffic: "external",
    exposure: "external",
    condition: "loadBalancer is aws, and an ingress controller",
    when: (input) => ingress(input) && aws(input),
    why: "the load balancer forwards to the NodePorts of the ingress's Service, and checks their health",
    documents: ["aws-lbc-targets", "k3s-server-flags"],
  },
];
