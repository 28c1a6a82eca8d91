/** The cluster that a provider is configured for. */
import { log } from "../engine";
import type { Values } from "../values";
import { kubeconfigText } from "./configuration";
import { Kubectl, KubectlError } from "./kubectl";

const DELETE_UNREACHABLE = "PULUMI_K8S_DELETE_UNREACHABLE";
const REMEDY = `If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the operation with the ${DELETE_UNREACHABLE} environment variable set to "true"`;

/** A cluster, and whether its API answered when the provider was configured. */
export class Cluster {
  private constructor(
    readonly kubectl: Kubectl,
    /** Why the API is out of reach. */
    readonly unreachable: string | undefined,
    private readonly deleteUnreachable: boolean,
  ) {}

  /** Asks the API once. One that is out of reach fails no preview, but whatever needs it. */
  static async connect(configuration: Values): Promise<Cluster> {
    const text = kubeconfigText(configuration);
    const kubectl = new Kubectl(text ?? "");
    const option = configuration["deleteUnreachable"] ?? process.env[DELETE_UNREACHABLE];
    const deletes = option === true || option === "true";
    if (text === undefined) return new Cluster(kubectl, "no kubeconfig", deletes);
    try {
      await kubectl.run(["get", "--raw", "/api", "--request-timeout=32s"]);
      return new Cluster(kubectl, undefined, deletes);
    } catch (error) {
      if (!(error instanceof KubectlError)) throw error;
      return new Cluster(kubectl, `unable to load schema information from the API server: ${error.message}`, deletes);
    }
  }

  /** @throws where the API is out of reach. */
  require(): Kubectl {
    if (this.unreachable === undefined) return this.kubectl;
    throw new Error(`configured Kubernetes cluster is unreachable: ${this.unreachable}`);
  }

  /**
   * For what is read or deleted.
   *
   * @param what the operation, as the error names it.
   * @returns undefined where the user wants what is out of reach to be taken as gone.
   * @throws where the API is out of reach otherwise.
   */
  async reach(urn: string, what: string): Promise<Kubectl | undefined> {
    if (this.unreachable === undefined) return this.kubectl;
    await log(urn, "warning", `configured Kubernetes cluster is unreachable: ${this.unreachable}`);
    if (!this.deleteUnreachable) throw new Error(`${what}. ${REMEDY}`);
    await log(urn, "info", "the `deleteUnreachable` option is enabled: the resource is deleted from Pulumi state");
    return undefined;
  }
}

let configured: Cluster | undefined;

/** Connects to the cluster that the provider's configuration names. */
export async function configure(configuration: Values): Promise<void> {
  configured = await Cluster.connect(configuration);
}

/** The provider's cluster. */
export function cluster(): Cluster {
  if (configured === undefined) throw new Error("the provider is not configured");
  return configured;
}
