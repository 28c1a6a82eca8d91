import type { Command } from "@pulumi/command/remote/command";
import type { remote } from "@pulumi/command/types/input";
import type * as pulumi from "@pulumi/pulumi";
import type { ClusterStep } from "../plan/types";
import { remoteScript } from "./remote-script";

/** Waits on a server until every node of the step is ready. It runs again when the nodes or the CNI change. */
export function waitForNodes(
  name: string,
  { nodes, cni }: Extract<ClusterStep, { kind: "nodesReady" }>,
  connection: remote.ConnectionArgs,
  opts: pulumi.CustomResourceOptions,
): Command {
  const stdin = `cni=${cni}\n${nodes.map((node) => `node=${node}\n`).join("")}`;
  return remoteScript(name, { connection, script: "nodes-ready.sh", stdin }, opts);
}
