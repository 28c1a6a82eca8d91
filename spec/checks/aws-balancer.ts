/** AWS's load balancers: in front of ServiceLB (`nlb`), or made by the AWS Load Balancer Controller (`aws`). */
import semver from "semver";
import { ingressOf, ingressPath } from "../normalize";
import type { Problem } from "../problems";
import type { ParsedAws } from "../schema";
import { formatPath, show } from "../show";
import { problem, type AwsCheck, type HostsCheck } from "./context";
import { outsideSources } from "./services";

/** First chart of the controller's third version, whose documented policy the servers' role follows. */
const OLDEST_CHART = "3.0.0";
/** Beginning of the annotations by which a Service tells the controller what it wants. */
const ANNOTATION = "service.beta.kubernetes.io/aws-load-balancer-";

/** Hosts that are there are no instances of AWS. */
export const checkAwsBalancerTarget: HostsCheck = ({ parsed: { loadBalancer } }) => {
  if (loadBalancer.type === "aws") {
    const message = 'is of target aws, and the target is existing ("aws"); allowed: servicelb, metallb, cilium or none';
    return [problem("other-target", "loadBalancer", message, "choose one of them")];
  }
  if (loadBalancer.type !== "servicelb" || !loadBalancer.nlb) return [];
  const message = "is of target aws, and the target is existing (true); allowed: false";
  return [
    problem("other-target", "loadBalancer.nlb", message, "remove it, or put a load balancer of your own in front"),
  ];
};

/** A load balancer of AWS has an ingress to serve, and nothing else asks for it. */
export const checkAwsBalancer: AwsCheck = ({ parsed }) => {
  const { loadBalancer } = parsed;
  if (loadBalancer.type === "servicelb" && loadBalancer.nlb) return nlbProblems(parsed);
  if (loadBalancer.type !== "aws") return [];
  return [
    ...ingressProblems(parsed),
    ...versionProblems(loadBalancer.version),
    ...serviceProblems(parsed),
    ...annotationProblems(parsed),
    ...providerIdProblems(parsed),
  ];
};

function nlbProblems(parsed: ParsedAws): Problem[] {
  if (ingressOf(parsed).type !== "none") return [];
  const message =
    "has no effect without an ingress (true): the load balancer stands in front of it alone; allowed: false";
  return [problem("no-effect", "loadBalancer.nlb", message, "remove it, or choose an ingress")];
}

function ingressProblems(parsed: ParsedAws): Problem[] {
  if (ingressOf(parsed).type !== "none") return [];
  const message =
    'has nothing to serve without an ingress ("aws"): the program opens nodes to the ingress\'s load balancer alone; allowed: with an ingress';
  return [problem("aws-balancer", "loadBalancer", message, "choose an ingress, or another load balancer")];
}

function versionProblems(version: string): Problem[] {
  const chart = semver.valid(version.replace(/^v/, ""));
  if (chart !== null && semver.gte(chart, OLDEST_CHART)) return [];
  const message = `is not a chart that the program can configure (${show(version)}); allowed: ${OLDEST_CHART} or newer`;
  return [problem("aws-balancer", "loadBalancer.version", message, "choose a newer chart")];
}

/** Load balancers of further Services would be in security groups of their own, which no node lets in. */
function serviceProblems({ services }: ParsedAws): Problem[] {
  return services.flatMap((service, index) => {
    if (service.name === "nodeports" || outsideSources(service).length === 0) return [];
    const message = `asks for a load balancer of its own, for sources outside the cluster (${show(service.name)}); allowed with loadBalancer aws: sources inside the cluster, and nodeports`;
    return [
      problem(
        "aws-balancer",
        `services[${index}]`,
        message,
        "lead it through the ingress, open nodeports, or set loadBalancer: servicelb",
      ),
    ];
  });
}

/** The program says itself what the ingress's Service tells the controller: its subnets, its group, its targets. */
function annotationProblems(parsed: ParsedAws): Problem[] {
  const ingress = ingressOf(parsed);
  if (ingress.type === "none") return [];
  return Object.keys(ingress.annotations)
    .filter((key) => key.startsWith(ANNOTATION))
    .map((key) =>
      problem(
        "aws-balancer",
        formatPath([ingressPath(parsed), "annotations", key]),
        `is set by the program with loadBalancer aws (${show(ingress.annotations[key])}); allowed: other annotations`,
        "remove it",
      ),
    );
}

/** The provider ID is the instance's, and the program says it. */
function providerIdProblems({ k3s }: ParsedAws): Problem[] {
  return (["extraServerArgs", "extraAgentArgs"] as const).flatMap((list) =>
    k3s[list].flatMap((option, index) => {
      if (!option.startsWith("--kubelet-arg=provider-id=")) return [];
      const message = `is set by the program with loadBalancer aws (${show(option)}); allowed: other options of the kubelet`;
      return [problem("aws-balancer", `k3s.${list}[${index}]`, message, "remove it")];
    }),
  );
}
