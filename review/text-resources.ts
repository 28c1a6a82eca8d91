/** The tree of resources as text: every resource, under its parent, in the order of declaration. */
import { isReference, type Recorded, type RecordedResource } from "./document";

/** Inputs that say most about a resource, shown behind its name where it has them. */
const TELLING = [
  "cidrBlock",
  "availabilityZone",
  "instanceType",
  "ipProtocol",
  "fromPort",
  "toPort",
  "cidrIpv4",
  "destinationCidrBlock",
  "sourceDestCheck",
  "internal",
  "port",
  "protocol",
  "remotePath",
  "version",
  "description",
] as const;

/** The tree, one line a resource. */
export function resourceTree(resources: readonly RecordedResource[]): string[] {
  const children = new Map<string | null, RecordedResource[]>();
  for (const resource of resources) {
    const siblings = children.get(resource.parent);
    if (siblings === undefined) children.set(resource.parent, [resource]);
    else siblings.push(resource);
  }
  const lines: string[] = [];
  const visit = (resource: RecordedResource, lead: string, mark: string, below: string): void => {
    lines.push(`${lead}${mark}${resourceLine(resource)}`);
    const inside = children.get(resource.urn) ?? [];
    inside.forEach((child, index) => {
      const last = index === inside.length - 1;
      visit(child, `${lead}${below}`, last ? "└─ " : "├─ ", last ? "   " : "│  ");
    });
  };
  for (const root of children.get(null) ?? []) visit(root, "", "", "");
  return lines;
}

function resourceLine(resource: RecordedResource): string {
  const details = TELLING.flatMap((key) => {
    const value = resource.inputs[key];
    return value === undefined ? [] : [`${key}=${recordedWords(value)}`];
  });
  const marks = [
    ...(resource.id === undefined ? [] : [`exists already: ${recordedWords(resource.id)}`]),
    ...(resource.options?.protect === true ? ["protected"] : []),
  ];
  const name = `${resource.type}  ${resource.name}`;
  return [name, ...(details.length > 0 ? [details.join(" ")] : []), ...marks].join("  ");
}

/** A recorded value in one line: a reference as `${resource.output}`. */
function recordedWords(value: Recorded): string {
  if (typeof value === "string") return /\s/u.test(value) ? JSON.stringify(value) : value;
  if (value === null || typeof value !== "object") return String(value);
  if (isReference(value)) return `\${${value.ref.split("::").at(-1) ?? value.ref}.${value.output}}`;
  return JSON.stringify(value);
}
