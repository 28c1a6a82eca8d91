/**
 * The plugin `command` 1.2.1, as far as remote commands go, over real SSH. It does what the official one was observed to do, or says in
 * its source:
 *
 * - A command is an exec request of the remote user's shell, on a connection of its own, which stays open until the plugin ends.
 *   Standard input is written and closed. Outputs lose one newline at their end.
 * - Every failed attempt to connect is tried again, whatever its cause (refused, wrong host key, wrong user key): `dialErrorLimit` + 1
 *   attempts, pauses from 0.1 s that grow by half up to 5 s. `perDialTimeout` bounds the TCP connection only. Through a bastion, the
 *   handshake with the target has one try: the later ones find its tunnel closed, and `EOF` is what the error says.
 * - A pinned host key fixes the algorithm too: an RSA key means `ssh-rsa`, which today's servers refuse.
 * - With a private key, keys of an SSH agent are not tried; but the agent must answer wherever SSH_AUTH_SOCK or `agentSocketPath` name one.
 * - A changed trigger replaces; any other change, a value that becomes secret included, runs `update`, or without one `create`, in place.
 * - `environment` fails where the server refuses a variable; the previous outputs as variables only warn.
 * - An error holds the whole command text and both streams, whatever `logging` says. Logged lines are shown beside the resource. Outputs
 *   are secret only where the program says so (`additionalSecretOutputs`).
 * - A file is copied over SFTP on a connection that is closed after it: folders above it are made, an existing folder gets it into itself, a
 *   path that is not absolute begins in the user's home. Only another content or another path copies again; a changed trigger replaces;
 *   deletion leaves the copy where it is.
 * - Cancellation ends the wait for a next attempt to connect, and no command.
 *
 * Not as official: handshakes and connections that are silent for long are bounded, where the official plugin waits for ever; a line of
 * more than 64 KiB that is to be logged is an error, where it hangs; `CopyToRemote` takes a `FileAsset` only; `CopyFile` and `local` are
 * not there at all.
 *
 * The environment variable ENGINE_TEST_HURRY divides pauses and time limits.
 */
import { serve } from "../server";
import { cancellation } from "./cancellation";
import { command } from "./command";
import { copyToRemote } from "./copy";

serve({
  name: "command",
  version: "1.2.1",
  kinds: { "command:remote:Command": command, "command:remote:CopyToRemote": copyToRemote },
  cancel: () => {
    cancellation.abort();
  },
});
