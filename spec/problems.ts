/**
 * Problems: a user's mistakes and warnings, each with a stable code. The catalogue below is the only place where a code stands;
 * the README's table is generated from it, and every code is reached by a test.
 */

const error = (summary: string): { severity: "error"; summary: string } => ({ severity: "error", summary });
const warning = (summary: string): { severity: "warning"; summary: string } => ({ severity: "warning", summary });

/** Every code, with what it means. `error` stops before anything is declared; `warning` is shown and goes on. */
export const PROBLEMS = {
  // The stack file's form.
  "unknown-key": error(
    "A key that no setting has, or whose namespace is missing or misspelt; the nearest known key is named.",
  ),
  "missing-setting": error("A setting that has no default is not given."),
  "wrong-type": error("A value of the wrong type, such as a word where a number belongs."),
  "invalid-value": error("A value that the setting does not take."),
  "invalid-json": error("A structured setting whose text is not JSON."),
  "secure-setting": error("A value is encrypted that is not a secret, so that a preview cannot read it."),
  "unsupported-setting": error("Something that the program does not support, or not by that name; the reason is told."),
  "legacy-setting": error("A flag or backend of older K3s releases; the modern form is named."),
  "duplicate-value": error("The same name or value twice where each must be distinct."),
  "no-effect": error("A setting that another setting makes meaningless."),
  "other-target": error("A setting, or a value, that only another target has; that target is named."),
  // Networks.
  "invalid-cidr": error("Not a network in CIDR form."),
  "cidr-host-bits": error("A network with bits set behind its prefix."),
  "cidr-size": error("A network larger or smaller than it may be."),
  "ip-family": error("An address or network of a family that the stack, or the thing that it is for, does not have."),
  "ip-families": error("IP families that do not go together, or that the target cannot have."),
  "ipv6-downloads": warning("Nodes of IPv6 alone that fetch K3s from hosts without IPv6 addresses."),
  "invalid-address": error("Not an IP address, or not a host name where one is allowed."),
  "reserved-network": error("A network inside a range that hosts cannot use."),
  "networks-overlap": error("Two networks that must be disjoint share addresses."),
  "subnet-outside-vpc": error("A reused subnet that is not inside the VPC."),
  "zone-subnets": error("A zone without its reused subnet, or a reused subnet without its zone."),
  "zone-outside-region": error(
    "An availability zone of another region, or one beyond the six that the subnet scheme has.",
  ),
  "zone-not-in-network": error("A pool's zone that the stack's network does not have."),
  "subnet-too-small": error("A subnet with fewer free addresses than the nodes, and the API's load balancer, need."),
  "cluster-cidr-too-small": error("A pod network with fewer nodes' parts, /24 or of IPv6 /64, than there are nodes."),
  "cluster-dns-address": error("A cluster DNS address that is not usable inside the service network."),
  "nat-gateways": error("NAT gateways that do not fit the placement."),
  "no-internet": error("Private nodes without a way to fetch K3s."),
  "mtu-too-large": error("An MTU of pods that the path between nodes cannot carry with the encapsulation around it."),
  "mtu-too-small": error("A path between nodes that leaves pods less than IPv6 needs."),
  "host-gw-zones": error("The host-gw backend over more than one subnet."),
  // Nodes.
  "no-server": error("A stack without a server."),
  "even-servers": error("An even number of servers: etcd's quorum gains nothing and loses one more."),
  "many-servers": warning("More servers than etcd likes."),
  "node-name-taken": error("Two pools whose nodes would have the same name."),
  "unknown-node": error("A setting that names a node, or a server, which the stack does not have."),
  "etcd-metrics-one-server": error("Metrics of etcd asked for where there is no etcd."),
  "arch-mismatch": error("An instance type of the other CPU architecture."),
  "too-few-interfaces": error("An instance type that takes fewer network interfaces than the layout needs."),
  "instance-type-unknown": warning(
    "An instance type that the catalogue does not know, so that its interfaces are not checked.",
  ),
  "elastic-ip-quota": warning("More Elastic IPs than a region gives by default."),
  "invalid-label": error("A label whose key or value Kubernetes does not take."),
  "reserved-label": error("A label that the kubelet refuses, or that the program sets."),
  "invalid-taint": error("A taint whose key or value Kubernetes does not take."),
  "invalid-tag": error("A tag that AWS does not take, or that the program sets."),
  // Access.
  "invalid-ssh-key": error("Not an OpenSSH public key of a type that works here."),
  "invalid-private-key": error("Not a private key that the program can use."),
  "open-administration": warning("SSH and the API open to the whole internet."),
  "documentation-network": warning("A network of the documentation ranges, left over from an example."),
  "host-key-first-contact": warning("Nodes whose SSH host key is trusted on first contact."),
  // Hosts that are there (target existing).
  "address-or-interface": error("An interface given by both its address and its name, or by neither."),
  "interface-name": error("Not the name of a network interface that a host can have, or one that K3s makes itself."),
  "role-conflict": error("A host's role that is not its pool's."),
  "same-interface": error("A host whose backplane is its external interface."),
  "ssh-on-backplane": error("SSH over the backplane, which carries traffic between nodes only."),
  "address-in-cluster-network": error("A host's address inside the pod or the service network."),
  "reserved-address": error("A host's address in a range that hosts cannot use."),
  "host-key-shared": warning("Two hosts with one SSH host key: a copied machine."),
  "host-firewall-cni": error("A host firewall that cannot keep its word beside the CNI."),
  "host-firewall-none": warning("Nothing closes ports on the hosts."),
  "host-gw-one-link": warning("The host-gw backend between hosts, which must share one link."),
  "host-lost": warning("A host that is gone for good, and is to be taken out of the stack."),
  "lost-bootstrap-server": error("The server that the others' update begins with is gone for good."),
  "pool-without-nodes": warning("A pool of settings that no host is in."),
  // Installation without the internet.
  "artefact-source": error("A file for the air gap given by both its path and its URL, or by neither."),
  "artefact-url": error("Not a URL that a host can fetch a file from."),
  "artefact-arch": error("An air gap without the files of a host's CPU architecture."),
  "artefact-missing": error("A file for the air gap that is not on the operator's machine."),
  "artefact-mismatch": error("A file for the air gap whose SHA-256 is another than the stack's."),
  "air-gap-chart": warning("An air gap in which the cluster itself must fetch charts."),
  "air-gap-images": warning("Images in an air gap that neither K3s's own files nor a mirror has."),
  "invalid-registry": error("Not a registry, an endpoint or a TLS setting that K3s takes in registries.yaml."),
  // Services and ports.
  "service-incomplete": error("A service that is not in the catalogue, without protocol or port."),
  "service-fixed-ports": error("A catalogue service with a protocol or port of its own."),
  "service-source": error("A source that the service may not have."),
  "no-clients": error("A service for clients in a stack that names no client networks."),
  "ingress-without-clients": warning("An ingress that nobody outside may reach."),
  "invalid-port-range": error("Not a range of ports."),
  "internal-port-exposed": error("A port of the cluster's own opened to something outside it."),
  "traefik-private-port": error("A service from outside on a port of Traefik's dashboard or metrics."),
  "traefik-private-entry-point": error("Traefik values that expose its dashboard or metrics."),
  "host-port-conflict": error("Two things on one host port."),
  "unknown-lb-pool": error("A ServiceLB pool that no node pool has."),
  "lb-pool-without-servicelb": error("A ServiceLB pool with another load balancer."),
  "no-load-balancer-node": error("ServiceLB may use no node."),
  // K3s.
  "k3s-version": error("Not a K3s release."),
  "k3s-version-unsupported": error("A K3s release older than the program supports."),
  "k3s-too-old": error("A feature that the K3s release does not have."),
  "unknown-component": error("A name in k3s.disable that is not a packaged component."),
  "invalid-argument": error("A further K3s option that is not of the form --name or --name=value."),
  "owned-argument": error("A further K3s option that the program sets itself; its setting is named."),
  "server-only-argument": error("A server's option given to agents."),
  "secret-argument": error("A further K3s option that holds a secret, which would stand in a plain file."),
  // Packaged components and load balancers.
  "traefik-disabled": error("Traefik settings while Traefik is disabled, or another ingress controller chosen."),
  "ingress-conflict": error("An ingress controller chosen and disabled at once."),
  "ingress-version": error("A chart version of an ingress controller that the program cannot configure."),
  "ingress-private-port": error(
    "Chart values that show an ingress controller's statistics, metrics or administration.",
  ),
  "acme-pods": error("Certificates from Let's Encrypt in Traefik with more than one pod."),
  "acme-volume": error("Certificates from Let's Encrypt without a volume that keeps them."),
  "acme-challenge": error("A challenge of Let's Encrypt that nothing could answer."),
  "acme-unreachable": warning("A challenge of Let's Encrypt that may not reach the ingress."),
  "acme-one-node": warning("Certificates from Let's Encrypt that are kept on one node's disk."),
  "load-balancer-conflict": error("ServiceLB chosen and disabled at once."),
  "metallb-l2-on-aws": error("MetalLB's layer 2 mode in a VPC, where it cannot work."),
  "metallb-l2-interface": error(
    "MetalLB's layer 2 mode without the names of the external interfaces, or on the backplane.",
  ),
  "metallb-node-address": error("A MetalLB pool that holds the address of a node."),
  "metallb-without-mode": error("MetalLB without a way to announce its addresses."),
  "metallb-version": error("A MetalLB chart version that the program cannot configure."),
  "metallb-address": error("Not an address range of a MetalLB pool."),
  "metallb-bgp": error("A BGP setting that MetalLB's native mode does not take."),
  "metallb-beside-calico": warning("MetalLB's BGP beside Calico's, which cannot share a router."),
  "aws-balancer": error(
    "AWS's load balancers without what they serve, or beside what would get round the plan's rules.",
  ),
  "metallb-ipvs": error("MetalLB's layer 2 mode with kube-proxy's IPVS mode, which would have every node answer."),
  "cilium-balancer": error("Cilium's load balancer without what it needs."),
  "cilium-l2-on-aws": error("Cilium's layer 2 announcements in a VPC, where they cannot work."),
  "cilium-l2-interface": error(
    "Cilium's layer 2 announcements without the names of the external interfaces, or on the backplane.",
  ),
  "cilium-pool-node-address": error("A pool of Cilium's load balancer that holds the address of a node."),
  "cilium-balancer-without-mode": error("Cilium's load balancer without a way to announce its addresses."),
  "cilium-pool-address": error("Not an address range of a pool of Cilium's load balancer."),
  "cilium-bgp": error("A BGP setting that Cilium does not take."),
  "no-dns": warning("A cluster without CoreDNS."),
  "dns-conflict": error("The packaged CoreDNS chosen and disabled at once."),
  "dns-file": error("A file for CoreDNS that it would not read, or that would keep it from starting."),
  "dns-values": error("A value of CoreDNS's chart by which the cluster finds it, and which the program sets."),
  "node-local-dns": error("NodeLocal DNSCache where pods would not ask it."),
  "reserved-namespace": error("A namespace of the cluster's own components where one of workloads belongs."),
  "network-policy-unenforced": error("Network policies where nothing enforces them."),
  "network-policy-own-cni": warning("Network policies that only a CNI of the operator's own may enforce."),
  "service-mesh-cni": error("A service mesh over a CNI, or values of its chart, that it cannot work with."),
  "cni-version": error("A release of a CNI that the program cannot configure."),
  "cni-encapsulation": error("An encapsulation that the CNI's other settings, or the IP families, do not go with."),
  "cni-api-address": error("Calico in kube-proxy's place without an address of the API that hosts and pods reach."),
  "cni-host-ports": error("ServiceLB over Cilium beside kube-proxy, where nothing forwards host ports."),
  "cni-bootstrap-taints": error("Taints that keep every server from installing the CNI."),
  "egress-selector-cni": error("A way from servers to pods that the CNI's addresses do not go with."),
  "unencapsulated-zones": error("Pods' packets as they are, over more than one subnet."),
  "unencapsulated-one-link": warning("Pods' packets as they are between hosts, which must share one link."),
  "own-cni": warning("A cluster whose CNI the operator installs."),
  "no-service-proxy": warning("A cluster without kube-proxy."),
  "no-load-balancer": warning("An ingress without a load balancer."),
  "chart-version": error("A text that is no version of a chart."),
  "chart-kubernetes": error("A chart that does not install on the stack's Kubernetes."),
  "chart-kubernetes-untested": warning("A chart beside a Kubernetes that its makers do not test it with."),
  "chart-value": error("A value that the chart does not have, or takes otherwise."),
  "chart-values-unchecked": warning("Values for a version of a chart whose own values are not known."),
  "traefik-chart-unknown": warning("A Traefik chart newer than those that the program knows."),
  "local-policy-behind-nat": warning("Client addresses are kept behind Elastic IPs, at a price."),
  // Changes of what is there.
  "fixed-setting": error("A change of what cannot change once the cluster is there; the value that it has is named."),
  "ingress-change": warning("Another ingress controller for a running cluster."),
  "ingress-definitions": warning(
    "Another chart version of an ingress controller, whose definitions Helm does not change.",
  ),
  "traefik-major-change": warning("Another major version of Traefik for a running cluster."),
  "traefik-values-change": warning("Another major version of Traefik's chart under values of the stack's own."),
  "flannel-backend-change": warning("Another flannel backend for a running cluster."),
  "layer-change": warning("Another encapsulation, traffic proxy or DNS for a running cluster."),
  // Quotas that only a plan can tell.
  "rules-per-group": error("More rules in a security group than AWS allows."),
  "groups-per-interface": error("More security groups on an interface than AWS allows."),
  // Between stacks (npm run check).
  "vpc-overlap": error("VPCs of two stacks that share addresses, so that they can never be connected."),
  "vpc-overlap-reused": warning("VPCs of two stacks that share addresses, and that are both there already."),
  "subnet-shared": warning("A subnet that two stacks reuse."),
  "vpc-holds-host": warning("A VPC that holds the address of another stack's host."),
  "pod-networks-overlap": error("Pod networks of two stacks that share addresses, and are routed on one network."),
  "cluster-network-overlap": warning("A pod or service network where another stack's machines are."),
  "host-in-two-stacks": error("One host in two stacks, by its address or its key."),
  "pools-overlap": error("MetalLB pools of two stacks that share addresses, or one that holds another stack's host."),
  "api-endpoint-shared": error("One name or address for the API of two clusters."),
  // The review's commands.
  "stack-file-missing": error("A stack file that does not exist."),
  "stack-file-syntax": error("A stack file that is not YAML, or has no settings."),
  "stack-unknown": error("A stack name that no committed stack file has; the nearest one is named."),
  "stack-name": error("A new stack's name that Pulumi does not take, or that a stack has already."),
  "stack-not-copied": error("A stack that cannot be copied: no address is left, or its copy would be wrong."),
  "option-unknown": error("An option that the command does not have; the nearest one is named."),
  "option-invalid": error("An option without its value, given twice, or with a value that it does not take."),
  "git-missing": error("The project is no git repository, or git cannot be run."),
  "git-ref-unknown": error("A git reference that the repository does not have, or that only a shallow clone lacks."),
  "old-plan-missing": error(
    "A stack of a git reference whose plan neither the code of that time nor a committed file gives.",
  ),
  "plan-file": error("A plan file that cannot be read, or that another version of the program wrote."),
  "peer-unknown": error("A peer that the stack does not have; the nearest one is named."),
} as const satisfies Record<string, { severity: "error" | "warning"; summary: string }>;

/** A problem's stable code. */
export type ProblemCode = keyof typeof PROBLEMS;

/** One mistake or warning. */
export interface Problem {
  readonly code: ProblemCode;
  /** Where in the stack file, such as `nodes[1].count` or `k3s.version`. */
  readonly path: string;
  /** What is wrong, with the value, and what is allowed: `is not a CIDR ("10.0.0"); allowed: an IPv4 network such as 10.0.0.0/16`. */
  readonly message: string;
  /** What to do. */
  readonly remedy: string;
}

/** Whether a problem stops the stack. */
export function isError(problem: Problem): boolean {
  return PROBLEMS[problem.code].severity === "error";
}

/** `path: what is wrong (value); what is allowed; what to do`. */
export function formatProblem(problem: Omit<Problem, "code"> & { readonly code: string }): string {
  return `${problem.path}: ${problem.message}; ${problem.remedy} [${problem.code}]`;
}

/** A path's parts: words and numbers, so that `nodes[10]` comes after `nodes[9]`. */
function pathParts(path: string): (string | number)[] {
  return [...path.matchAll(/\d+|\D+/g)].map(([part]) => (/^\d/.test(part) ? Number(part) : part));
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function comparePaths(a: string, b: string): number {
  const [one, other] = [pathParts(a), pathParts(b)];
  for (let i = 0; i < Math.min(one.length, other.length); i++) {
    const [x, y] = [one[i], other[i]];
    const order = typeof x === "number" && typeof y === "number" ? compare(x, y) : compare(String(x), String(y));
    if (order !== 0) return order;
  }
  return one.length - other.length || compare(a, b);
}

/** The problems by path, then code, then message, each once: the same order whatever the order of keys in the file. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const sorted = [...problems].sort(
    (a, b) => comparePaths(a.path, b.path) || compare(a.code, b.code) || compare(a.message, b.message),
  );
  return sorted.filter((problem, index) => {
    const before = sorted[index - 1];
    return before === undefined || formatProblem(before) !== formatProblem(problem);
  });
}

/** All mistakes of a stack at once. A user's error, not a crash: its `stack` is the message, without a trace. */
export class StackProblems extends Error {
  constructor(
    /** The stack's name. (`stack` itself is what JavaScript calls an error's trace.) */
    readonly stackName: string,
    readonly problems: readonly Problem[],
  ) {
    super(
      `stack ${stackName} has ${problems.length} problem${problems.length === 1 ? "" : "s"}:\n${problems.map((p) => `  ${formatProblem(p)}`).join("\n")}`,
    );
    this.name = "StackProblems";
    this.stack = `${this.name}: ${this.message}`;
  }
}
