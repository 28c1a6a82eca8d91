/** Which resources the API has. */
import { Refusal } from "./log";
import { ApiError, type Api, type Resource } from "./api";

export interface ResourceKind {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

interface GroupList {
  readonly groups: readonly { readonly preferredVersion: { readonly groupVersion: string } }[];
}

function folderOf(version: string): string {
  return version.includes("/") ? `/apis/${version}` : `/api/${version}`;
}

async function kindsOf(api: Api, version: string): Promise<readonly ResourceKind[]> {
  const found = await api.get<{ readonly resources: readonly ResourceKind[] }>(folderOf(version));
  return (found?.resources ?? []).filter(({ name }) => !name.includes("/"));
}

/** Finds the paths of objects by their kinds. What was found once is remembered. */
export class Discovery {
  private readonly known = new Map<string, ResourceKind>();

  constructor(private readonly api: Api) {}

  /** Path of an object. An object of a namespaced kind without a namespace is in `default`. @throws Refusal where nobody knows the kind. */
  async pathOf({ apiVersion = "", kind = "", metadata }: Resource): Promise<string> {
    const { name, namespaced } = await this.find(apiVersion, kind);
    const namespace = namespaced ? `/namespaces/${metadata.namespace ?? "default"}` : "";
    return `${folderOf(apiVersion)}${namespace}/${name}/${metadata.name}`;
  }

  /** Paths of all collections in a namespace whose objects can be deleted. */
  async collectionsIn(namespace: string): Promise<string[]> {
    const groups = await this.api.get<GroupList>("/apis");
    const versions = ["v1", ...(groups?.groups ?? []).map(({ preferredVersion }) => preferredVersion.groupVersion)];
    const found = await Promise.all(
      versions.map(async (version) => {
        const kinds = await kindsOf(this.api, version).catch((error: unknown) => {
          // A group whose definitions are going.
          if (error instanceof ApiError) return [];
          throw error;
        });
        return kinds
          .filter(({ namespaced, verbs }) => namespaced && verbs.includes("deletecollection"))
          .map(({ name }) => `${folderOf(version)}/namespaces/${namespace}/${name}`);
      }),
    );
    return found.flat();
  }

  private async find(version: string, kind: string): Promise<ResourceKind> {
    const key = `${version} ${kind}`;
    if (!this.known.has(key)) {
      for (const one of await kindsOf(this.api, version)) this.known.set(`${version} ${one.kind}`, one);
    }
    const found = this.known.get(key);
    if (found === undefined) throw new Refusal(`no matches for kind "${kind}" in version "${version}"`);
    return found;
  }
}
