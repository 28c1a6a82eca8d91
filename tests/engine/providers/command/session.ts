/** One command in an SSH session: environment, standard input, both output streams, and how it ended. */
import type { Client, ClientChannel } from "ssh2";

/** An environment variable that is asked of the server. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  /** Told that the server does not take it. Throws where the command must not run without it. */
  refused(): void;
}

export interface SessionArgs {
  readonly command: string;
  readonly stdin: string;
  readonly environment: readonly Variable[];
  /** Told of output as it comes. */
  output(stream: "stdout" | "stderr", text: string): void;
}

/** What ssh2 does not offer: it asks for environment variables without waiting for the server's answer. Its fields as of 1.17.0. */
interface Internals {
  readonly _protocol: {
    exec(channel: number, command: string, reply: boolean): void;
    env(channel: number, name: string, value: string, reply: boolean): void;
  };
  readonly _chanMgr: { readonly _channels: Readonly<Record<string, InternalChannel | undefined>> };
}

interface InternalChannel {
  readonly outgoing?: { readonly id: number };
  /** Called with whether a request failed, each request's in turn. */
  readonly _callbacks: ((failed: boolean | Error) => void)[];
}

/** Has the server answer for each variable before the command is started. */
function askEnvironment(client: Client, environment: readonly Variable[]): void {
  const { _protocol: protocol, _chanMgr: channels } = client as unknown as Internals;
  const exec = protocol.exec.bind(protocol);
  protocol.exec = (id, command) => {
    const callbacks =
      Object.values(channels._channels).find((channel) => channel?.outgoing?.id === id)?._callbacks ?? [];
    const ask = ([variable, ...rest]: readonly Variable[]): void => {
      if (variable === undefined) {
        exec(id, command, true);
        return;
      }
      callbacks.unshift((failed) => {
        try {
          if (failed !== false) variable.refused();
        } catch (error) {
          callbacks.shift()?.(error as Error);
          return;
        }
        ask(rest);
      });
      protocol.env(id, variable.name, variable.value, true);
    };
    ask(environment);
  };
}

/** Signal numbers that Go adds to 128 for a process that a signal ended. */
const SIGNALS: Readonly<Record<string, number>> = {
  ABRT: 6,
  ALRM: 14,
  FPE: 8,
  HUP: 1,
  ILL: 4,
  INT: 2,
  KILL: 9,
  PIPE: 13,
  QUIT: 3,
  SEGV: 11,
  TERM: 15,
};

type End = { readonly status: number } | { readonly signal: string; readonly reason: string };

function failure(end: End | undefined): string | undefined {
  if (end === undefined) return "wait: remote command exited without exit status or exit signal";
  if ("status" in end) return end.status === 0 ? undefined : `Process exited with status ${end.status}`;
  const status = `Process exited with status ${128 + (SIGNALS[end.signal] ?? 0)} from signal ${end.signal}`;
  return end.reason === "" ? status : `${status}. Reason was: ${end.reason}`;
}

/** Follows a command to its end. Listens at once: a short command's end may come in the same packet as its start. */
function follow(channel: ClientChannel, args: SessionArgs, ended: (why: string | undefined) => void): void {
  let end: End | undefined;
  channel.setEncoding("utf8").on("data", (text: string) => {
    args.output("stdout", text);
  });
  channel.stderr.setEncoding("utf8").on("data", (text: string) => {
    args.output("stderr", text);
  });
  channel.on("exit", (status: number | null, signal?: string, _core?: boolean, reason?: string) => {
    end = status === null ? { signal: (signal ?? "").replace(/^SIG/, ""), reason: reason ?? "" } : { status };
  });
  channel.on("error", () => undefined);
  channel.on("close", () => {
    ended(failure(end));
  });
  channel.end(args.stdin);
}

/**
 * Runs a command.
 *
 * @returns why it failed, such as its exit status or a connection that broke; undefined if it succeeded.
 * @throws where it could not be started.
 */
export async function runCommand(client: Client, args: SessionArgs): Promise<string | undefined> {
  askEnvironment(client, args.environment);
  return new Promise((resolve, reject) => {
    client.exec(args.command, (error: Error | undefined, channel) => {
      if (error === undefined) follow(channel, args, resolve);
      else reject(error.message === "Unable to exec" ? new Error(`ssh: command ${args.command} failed`) : error);
    });
  });
}
