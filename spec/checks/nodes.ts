/** Nodes: how many servers, their names, their machines. */
import { architecture, isInstanceType, networkInterfaces } from "../../catalogue/instance-types";
import { nearest } from "../config";
import { groupNames, serverNames } from "../normalize";
import type { Problem } from "../problems";
import type { ParsedAws } from "../schema";
import { formatPath, show } from "../show";
import { problem, type AwsCheck, type Check, type CheckContext } from "./context";

/** More servers than this make etcd slower, not safer (etcd FAQ, maximum cluster size). */
const MANY_SERVERS = 7;
const EXAMPLES = 5;

export const checkServers: Check = ({ parsed, groups }) => {
  // A host without a role is told so; it may be the server that is missing.
  if (groups.some(({ role }) => role === undefined)) return [];
  const aws = parsed.target === "aws";
  const together = aws ? " in all pools together" : "";
  const servers = serverNames(parsed).length;
  if (servers === 0) {
    const message = `have no server (0); allowed: an odd number of servers${together}`;
    return [problem("no-server", "nodes", message, `add a ${aws ? "pool" : "host"} with role: server`)];
  }
  const problems: Problem[] = [];
  if (servers % 2 === 0) {
    const message = `have an even number of servers (${servers}); allowed: an odd number${together}`;
    problems.push(
      problem(
        "even-servers",
        "nodes",
        message,
        `use ${servers - 1} or ${servers + 1}: etcd needs more than half of them`,
      ),
    );
  }
  if (servers > MANY_SERVERS) {
    const message = `have ${servers} servers; advised: at most ${MANY_SERVERS}`;
    problems.push(problem("many-servers", "nodes", message, "use fewer: every write waits for more than half of them"));
  }
  if (servers === 1 && parsed.k3s.etcdExposeMetrics) {
    const message = "asks for etcd's metrics, and one server has no etcd (true); allowed: with three or more servers";
    problems.push(problem("etcd-metrics-one-server", "k3s.etcdExposeMetrics", message, "remove it, or add servers"));
  }
  return problems;
};

/** Pool names, and the names of all nodes, are unique. */
export const checkNames: AwsCheck = ({ parsed }) => {
  const owner = new Map<string, string>();
  return parsed.nodes.flatMap((pool, index) => {
    const twin = parsed.nodes.findIndex((other) => other.pool === pool.pool);
    if (twin !== index) {
      const message = `repeats the name of nodes[${twin}] (${show(pool.pool)}); allowed: each once`;
      return [problem("duplicate-value", `nodes[${index}].pool`, message, "rename one of them")];
    }
    const taken = groupNames(pool).find((name) => owner.has(name));
    for (const name of groupNames(pool)) if (!owner.has(name)) owner.set(name, pool.pool);
    if (taken === undefined) return [];
    const path = `nodes[${index}].${pool.namePrefix === undefined ? "pool" : "namePrefix"}`;
    const message = `gives a node the name ${taken}, which pool ${owner.get(taken) ?? ""} has already; allowed: names of their own`;
    return [problem("node-name-taken", path, message, "choose another namePrefix")];
  });
};

function unknownNode(path: string, name: string, known: readonly string[], what: string): Problem {
  const examples = known.length > EXAMPLES ? `${known.slice(0, EXAMPLES).join(", ")} and so on` : known.join(", ");
  const near = nearest(name, known);
  const remedy = near === undefined ? `name ${what} of the stack` : `did you mean ${near}?`;
  return problem("unknown-node", path, `is not ${what} of the stack (${show(name)}); allowed: ${examples}`, remedy);
}

/** The server that forms the cluster exists. */
export const checkBootstrapServer: Check = ({ parsed }) => {
  const { bootstrapServer } = parsed.k3s;
  const servers = serverNames(parsed);
  if (bootstrapServer === undefined || servers.length === 0 || servers.includes(bootstrapServer)) return [];
  return [unknownNode("k3s.bootstrapServer", bootstrapServer, servers, "a server")];
};

/** Host keys are pinned for nodes that exist. */
export const checkHostKeyNames: AwsCheck = ({ parsed, nodeNames }) => {
  const known = new Set(nodeNames);
  const keys = Object.keys(parsed.access.ssh.hostKeys).filter((name) => !known.has(name));
  return keys.map((name) => unknownNode(formatPath(["access", "ssh", "hostKeys", name]), name, nodeNames, "a node"));
};

/** Instance types: their form, their architecture, and their network interfaces by `limit`. */
export function checkInstanceTypes({ parsed }: CheckContext<ParsedAws>, limit = networkInterfaces): Problem[] {
  const needed = parsed.layout === "segregated" ? 2 : 1;
  return parsed.nodes.flatMap(({ instanceType, arch }, index) => {
    const path = `nodes[${index}].instanceType`;
    if (!isInstanceType(instanceType)) {
      const message = `is not an instance type (${show(instanceType)}); allowed: a type such as t3.medium`;
      return [problem("invalid-value", path, message, "correct it")];
    }
    const problems: Problem[] = [];
    const own = architecture(instanceType);
    if (own !== arch) {
      const message = `is an ${own} type, and the pool's arch is ${arch} (${show(instanceType)}); allowed: an ${arch} type`;
      problems.push(problem("arch-mismatch", path, message, `set arch: ${own}, or choose another type`));
    }
    const interfaces = limit(instanceType);
    if (interfaces === undefined) {
      const message = `is not in the catalogue of instance types (${show(instanceType)}), so that its network interfaces are not checked`;
      problems.push(
        problem("instance-type-unknown", path, message, `see in the EC2 user guide that it takes ${needed}`),
      );
    } else if (interfaces < needed) {
      const message = `takes ${interfaces} network interface (${show(instanceType)}); layout ${parsed.layout} needs ${needed}`;
      problems.push(problem("too-few-interfaces", path, message, "choose a larger type"));
    }
    return problems;
  });
}
