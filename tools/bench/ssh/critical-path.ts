/** The longest chain of SSH connections that must follow each other, in the resources that the program declares. */
import type { RecordedResource } from "../../../review/document";

/** Whether its creation opens a connection: a remote command that runs something then, or a file that is copied. */
function connects({ type, inputs }: RecordedResource): boolean {
  return (type === "command:remote:Command" && "create" in inputs) || type === "command:remote:CopyToRemote";
}

/** How many connections all of it takes, and how many of them one after another. */
export function connectionPath(resources: readonly RecordedResource[]): { total: number; depth: number } {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const depths = new Map<string, number>();
  const depth = (urn: string): number => {
    const known = depths.get(urn);
    if (known !== undefined) return known;
    const resource = byUrn.get(urn);
    if (resource === undefined) return 0;
    const before = Math.max(0, ...resource.dependencies.map(depth));
    const own = before + (connects(resource) ? 1 : 0);
    depths.set(urn, own);
    return own;
  };
  return {
    total: resources.filter(connects).length,
    depth: Math.max(0, ...resources.map(({ urn }) => depth(urn))),
  };
}
