/** Starting a role of K3s, and what happens where that fails. */
import { runAgent } from "./agent";
import { readConfiguration, type Role } from "./configuration";
import { Events } from "./events";
import { readHost, type Host } from "./host";
import { obeySignals } from "./life";
import { Refusal, log, messageOf } from "./log";
import { readNodeSettings, type NodeSettings } from "./node-settings";
import { runServer } from "./server";
import { readServerSettings } from "./server-settings";

/** What the process is known by in the log of events: more of it is known as it starts. */
class Start {
  events: Events;

  constructor(private readonly host: Host) {
    this.events = new Events(host.instanceId, "");
  }

  async run(role: Role, args: readonly string[], version: string): Promise<void> {
    const { host } = this;
    if (process.getuid?.() !== 0) throw new Refusal(`${role} must run as root`);
    const configuration = readConfiguration(role, args);
    // What is refused is an event of the node that it is meant for.
    this.events = new Events(host.instanceId, configuration.text("node-name") ?? "");
    if (role === "agent") {
      const settings = readNodeSettings(configuration, host, version);
      await runAgent(settings, this.begin(settings));
      return;
    }
    const settings = readServerSettings(configuration, host, version);
    if (host.backend === null) throw new Refusal("the lab has no datastore for its hosts");
    await runServer(settings, host.backend, this.begin(settings));
  }

  private begin({ nodeName, role, version, configHash, warnings }: NodeSettings): Events {
    this.events = new Events(this.host.instanceId, nodeName);
    obeySignals(this.events);
    this.events.emit("start", { role, version, config: configHash });
    for (const why of warnings) {
      log.warn(why);
      this.events.emit("warn", { why });
    }
    return this.events;
  }
}

/** Starts a role, which runs until the process ends: with exit code 1 where it does not start. */
export async function startRole(role: Role, args: readonly string[], version: string, commit: string): Promise<void> {
  log.info(`Starting k3s ${role === "agent" ? "agent " : ""}${version} (${commit})`);
  const start = new Start(readHost());
  const fail = (error: unknown): never => {
    const why = messageOf(error);
    log.fatal(error instanceof Refusal || !(error instanceof Error) ? why : (error.stack ?? why));
    start.events.emit("refuse", { why });
    start.events.emit("stop", { reason: why });
    process.exit(1);
  };
  process.on("uncaughtException", fail);
  await start.run(role, args, version).catch(fail);
}
