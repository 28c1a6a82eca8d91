/** A plugin's way back to the engine that started it: its log, and the plugin's end when the engine is gone. */
import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** Milliseconds in which an engine takes up a lost connection, or is gone. */
const ANSWER = 1_000;

/** How a line counts. A `status` is shown beside its resource while that is under way, and is not kept among the diagnostics. */
export type Severity = "status" | "info" | "warning" | "error";

const SEVERITIES = {
  status: LogSeverity.INFO,
  info: LogSeverity.INFO,
  warning: LogSeverity.WARNING,
  error: LogSeverity.ERROR,
} as const;

let engine: EngineClient | undefined;

function endWithoutEngine(client: EngineClient): void {
  const channel = client.getChannel();
  channel.watchConnectivityState(channel.getConnectivityState(true), Infinity, () => {
    client.waitForReady(Date.now() + ANSWER, (error) => {
      if (error !== undefined) process.exit(0);
      endWithoutEngine(client);
    });
  });
}

/**
 * Connects to the engine. From then on the process ends when the engine does.
 *
 * @param address host and port, as the engine gives it as a plugin's first argument; undefined where a plugin runs without an engine.
 */
export function connectEngine(address: string | undefined): void {
  if (address === undefined) return;
  engine = new EngineClient(address, grpc.credentials.createInsecure());
  endWithoutEngine(engine);
}

/** Has the engine show a line with a resource. Never fails: what cannot be logged is not what the resource is about. */
export async function log(urn: string, severity: Severity, message: string): Promise<void> {
  if (engine === undefined) return;
  const request = new LogRequest();
  request.setUrn(urn);
  request.setSeverity(SEVERITIES[severity]);
  request.setMessage(message);
  request.setEphemeral(severity === "status");
  const client = engine;
  await new Promise<void>((resolve) => {
    client.log(request, () => {
      resolve();
    });
  });
}

/** What tests divide the pauses between attempts and the time limits by: the environment variable ENGINE_TEST_HURRY; 1 by default. */
export const HURRY = Number(process.env["ENGINE_TEST_HURRY"] ?? "1");
