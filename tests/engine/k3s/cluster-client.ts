/** What a joining node asks of a server: certificates, configuration, and for servers the cluster's own secrets. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Bundle } from "./credentials";
import type { Member } from "./datastore";
import { basic, call, type Answer, type Call } from "./https-client";
import { Refusal, messageOf } from "./log";
import type { ClusterConfiguration } from "./supervisor";
import { NODE_NAME_HEADER, NODE_PASSWORD_HEADER } from "./supervisor";
import { hashOfCertificate } from "./token";

/** The server does not answer, or cannot now: another try may help. */
export class Unavailable extends Error {}

/** A server whose certificate is the token's cluster's, and a password for it. */
export class ClusterClient {
  private constructor(
    readonly url: string,
    readonly serverCa: string,
    private readonly user: string,
    private readonly password: string,
  ) {}

  /**
   * Makes sure of a server before it is shown a password.
   *
   * @throws Refusal where it belongs to another cluster.
   * @throws Unavailable where it does not answer.
   */
  static async connect(
    url: string,
    { caHash, user, password }: { readonly caHash: string; readonly user: string; readonly password: string },
  ): Promise<ClusterClient> {
    const ask = async (ca: string | undefined, words: string): Promise<Answer> => {
      const answer = await call(`${url}/cacerts`, ca === undefined ? {} : { ca }).catch((error: unknown) => {
        throw new Unavailable(`${words}: Get "${url}/cacerts": ${messageOf(error)}`);
      });
      if (answer.status !== 200) throw new Unavailable(`${words}: ${url}/cacerts: ${answer.status}`);
      return answer;
    };
    const { body } = await ask(undefined, "failed to get CA certs");
    const found = hashOfCertificate(body);
    if (found !== caHash) {
      throw new Refusal(`token CA hash does not match the Cluster CA certificate hash: ${caHash} != ${found}`);
    }
    try {
      await ask(body, "CA cert validation failed");
    } catch (error) {
      // It answered a moment ago: it cannot prove that the certificate is its own.
      throw error instanceof Unavailable && /certificate|altname/iu.test(error.message)
        ? new Refusal(error.message)
        : error;
    }
    return new ClusterClient(url, body, user, password);
  }

  /** The same server, asked as another user. */
  as(user: string, password: string): ClusterClient {
    return new ClusterClient(this.url, this.serverCa, user, password);
  }

  async configuration(): Promise<ClusterConfiguration> {
    return JSON.parse(await this.ask("/v1-k3s/config")) as ClusterConfiguration;
  }

  async bundle(): Promise<Bundle> {
    return JSON.parse(await this.ask("/v1-k3s/server-bootstrap")) as Bundle;
  }

  async members(): Promise<Member[]> {
    return JSON.parse(await this.ask("/db/info")) as Member[];
  }

  /** Servers of the cluster, `address:port`. */
  async apiServers(): Promise<string[]> {
    return JSON.parse(await this.ask("/v1-k3s/apiservers")) as string[];
  }

  /** The node's own certificate, or undefined where another host has its name. */
  async kubeletCertificate(node: string, password: string, publicKey: string): Promise<string | undefined> {
    const headers = { [NODE_NAME_HEADER]: node, [NODE_PASSWORD_HEADER]: password, "content-type": "text/plain" };
    const answer = await this.send("/v1-k3s/client-kubelet.crt", { method: "POST", body: publicKey, headers });
    return answer.status === 403 ? undefined : this.checked(answer, "/v1-k3s/client-kubelet.crt");
  }

  private async ask(path: string): Promise<string> {
    return this.checked(await this.send(path, {}), path);
  }

  private async send(path: string, options: Call): Promise<Answer> {
    const access = { ca: this.serverCa, authorization: basic(this.user, this.password) };
    try {
      return await call(`${this.url}${path}`, access, options);
    } catch (error) {
      throw new Unavailable(`Get "${this.url}${path}": ${messageOf(error)}`);
    }
  }

  private checked({ status, body }: Answer, path: string): string {
    if (status === 401 || status === 403) throw new Refusal(`${this.url}${path}: not authorized`);
    if (status !== 200) throw new Unavailable(`${this.url}${path}: ${status}`);
    return body;
  }
}

/** Tries until the server can answer. @param onFailure is told each time. */
export async function untilAvailable<T>(
  work: () => Promise<T>,
  pause: number,
  onFailure: (why: string) => void,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      onFailure(error.message);
      await sleep(pause);
    }
  }
}
