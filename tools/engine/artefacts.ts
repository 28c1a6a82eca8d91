/**
 * What tests run that is built from Go modules: the Pulumi engine, real counterparts of what the program talks to, and a linter.
 * Everything about an artefact stands here; go.mod and go.sum in its module folder pin every module that goes into it.
 */

/** A program that is built from a Go module. */
export interface Artefact {
  /** File name of the program. */
  readonly name: string;
  /** What it is, as progress says it. */
  readonly purpose: string;
  /** Folder under tools/engine/go whose go.mod and go.sum pin it. */
  readonly folder: string;
  /** Module that the package is in; go.mod requires it at the version below. */
  readonly module: string;
  /** Package of its main function; a `tool` line of go.mod names it. */
  readonly package: string;
  /** The module's version, as go.mod has it. */
  readonly version: string;
  /** Variables that the linker sets: name and value. Without them a program does not know its own version. */
  readonly variables: Readonly<Record<string, string>>;
  /** About how many seconds a first build takes on two cores, downloads included. */
  readonly seconds: number;
}

const PULUMI_VERSION = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
const KUBERNETES = "v1.36.3";

/** As Kubernetes' own build sets them: the version that the API reports, and the one in a client's user agent. */
function kubernetesVariables(version: string): Record<string, string> {
  const [major = "", minor = ""] = version.slice(1).split(".");
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor };
  return Object.fromEntries(
    ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((holder) =>
      Object.entries(values).map(([name, value]) => [`${holder}.${name}`, value]),
    ),
  );
}

/** All programs that are built, by what they are to the tests. */
export const ARTEFACTS = {
  pulumi: {
    name: "pulumi",
    purpose: "Pulumi's CLI with the engine",
    folder: "pulumi",
    module: "github.com/pulumi/pulumi/pkg/v3",
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    version: "v3.220.0",
    variables: { [PULUMI_VERSION]: "v3.220.0" },
    seconds: 180,
  },
  // A release whose language host is still part of the SDK's module; it works with the CLI above.
  languageHost: {
    name: "pulumi-language-nodejs",
    purpose: "Pulumi's language host for Node programs",
    folder: "language-host",
    module: "github.com/pulumi/pulumi/sdk/v3",
    package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    version: "v3.68.0",
    variables: { [PULUMI_VERSION]: "v3.68.0" },
    seconds: 30,
  },
  etcd: {
    name: "etcd",
    purpose: "the store of the Kubernetes API",
    folder: "etcd",
    module: "go.etcd.io/etcd/server/v3",
    package: "go.etcd.io/etcd/server/v3",
    version: "v3.6.5",
    variables: {},
    seconds: 60,
  },
  kubeApiserver: {
    name: "kube-apiserver",
    purpose: "the Kubernetes API",
    folder: "kubernetes",
    module: "k8s.io/kubernetes",
    package: "k8s.io/kubernetes/cmd/kube-apiserver",
    version: KUBERNETES,
    variables: kubernetesVariables(KUBERNETES),
    seconds: 240,
  },
  kubectl: {
    name: "kubectl",
    purpose: "Kubernetes' command line",
    folder: "kubernetes",
    module: "k8s.io/kubernetes",
    package: "k8s.io/kubernetes/cmd/kubectl",
    version: KUBERNETES,
    variables: kubernetesVariables(KUBERNETES),
    seconds: 30,
  },
  controllerGen: {
    name: "controller-gen",
    purpose: "writes custom resource definitions from Go types",
    folder: "crds",
    module: "sigs.k8s.io/controller-tools",
    package: "sigs.k8s.io/controller-tools/cmd/controller-gen",
    version: "v0.21.0",
    variables: {},
    seconds: 40,
  },
  // For `npm run test:workflows`.
  actionlint: {
    name: "actionlint",
    purpose: "checks workflow files",
    folder: "actionlint",
    module: "github.com/rhysd/actionlint",
    package: "github.com/rhysd/actionlint/cmd/actionlint",
    version: "v1.7.12",
    variables: { "github.com/rhysd/actionlint.version": "v1.7.12" },
    seconds: 15,
  },
} as const satisfies Record<string, Artefact>;

/** Go packages with the types of custom resources, and the file that each resource's definition comes out as. */
export interface ResourceTypes {
  /** Whose resources they are. */
  readonly owner: string;
  readonly packages: readonly string[];
  /** Options of controller-gen's generator `crd`. */
  readonly options: Readonly<Record<string, string>>;
  /** Those that tests meet; what else the packages have is left out. */
  readonly files: readonly string[];
}

/** Definitions without texts: the largest is beyond what a store takes with them, and nothing is validated by a text. */
const WITHOUT_TEXTS = { maxDescLen: "0" };

/** Custom resources that tests meet; versions are in the go.mod of tools/engine/go/crds. */
export const RESOURCE_TYPES: readonly ResourceTypes[] = [
  {
    owner: "K3s",
    packages: [
      "github.com/k3s-io/api/k3s.cattle.io/v1",
      "github.com/k3s-io/helm-controller/pkg/apis/helm.cattle.io/v1",
    ],
    // Names inside objects' metadata are part of the schema, as in the definitions that K3s itself ships.
    options: { generateEmbeddedObjectMeta: "true" },
    files: [
      "helm.cattle.io_helmchartconfigs.yaml",
      "helm.cattle.io_helmcharts.yaml",
      "k3s.cattle.io_addons.yaml",
      "k3s.cattle.io_etcdsnapshotfiles.yaml",
    ],
  },
  {
    owner: "MetalLB",
    packages: ["go.universe.tf/metallb/api/v1beta1", "go.universe.tf/metallb/api/v1beta2"],
    options: {},
    files: [
      "metallb.io_bfdprofiles.yaml",
      "metallb.io_bgpadvertisements.yaml",
      "metallb.io_bgppeers.yaml",
      "metallb.io_communities.yaml",
      "metallb.io_configurationstates.yaml",
      "metallb.io_ipaddresspools.yaml",
      "metallb.io_l2advertisements.yaml",
      "metallb.io_servicebgpstatuses.yaml",
      "metallb.io_servicel2statuses.yaml",
    ],
  },
  {
    owner: "Calico's operator",
    packages: ["github.com/tigera/operator/api/v1"],
    options: WITHOUT_TEXTS,
    files: [
      "operator.tigera.io_apiservers.yaml",
      "operator.tigera.io_goldmanes.yaml",
      "operator.tigera.io_installations.yaml",
      "operator.tigera.io_whiskers.yaml",
    ],
  },
  {
    owner: "Cilium",
    packages: [
      "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2",
      "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2alpha1",
    ],
    options: WITHOUT_TEXTS,
    files: [
      "cilium.io_ciliumbgpadvertisements.yaml",
      "cilium.io_ciliumbgpclusterconfigs.yaml",
      "cilium.io_ciliumbgpnodeconfigoverrides.yaml",
      "cilium.io_ciliumbgppeerconfigs.yaml",
      "cilium.io_ciliuml2announcementpolicies.yaml",
      "cilium.io_ciliumloadbalancerippools.yaml",
      "cilium.io_ciliumlocalredirectpolicies.yaml",
    ],
  },
];
