/** Calls from one member of etcd to another. */
import { Agent } from "node:https";
import type { CertifiedKey } from "./certificates";
import type { Member, Membership } from "./datastore";
import { call } from "./https-client";

export const CLIENT_PORT = 2379;
export const PEER_PORT = 2380;

/** Milliseconds for a member's answer. */
const LIMIT = 2000;

/** What a member says of itself and of the members. */
export interface Health extends Membership {
  readonly cluster: string;
  readonly member: string;
}

/** What both ends of a connection between members show. */
export interface PeerIdentity {
  readonly certificate: CertifiedKey;
  /** Authority of all members' certificates, in PEM. */
  readonly authority: string;
}

/** The way to the other members. */
export class Peers {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 2 });

  constructor(
    private readonly cluster: string,
    private readonly identity: PeerIdentity,
  ) {}

  /** What a member says, or undefined where it does not answer, or is another one. */
  async ask(member: Member): Promise<Health | undefined> {
    return this.exchange(member, "GET");
  }

  /** Tells a member of a new list. One that does not answer asks for it later. */
  async tell(member: Member, { revision, members }: Membership): Promise<void> {
    await this.exchange(member, "POST", { revision, members });
  }

  close(): void {
    this.agent.destroy();
  }

  private async exchange(member: Member, method: "GET" | "POST", list?: Membership): Promise<Health | undefined> {
    const { certificate, authority } = this.identity;
    const access = { ca: authority, cert: certificate.certificate, key: certificate.key, agent: this.agent };
    const body = list === undefined ? {} : { body: JSON.stringify(list) };
    try {
      const url = `https://${member.address}:${PEER_PORT}/members`;
      const answer = await call(url, access, { method, timeout: LIMIT, ...body });
      const health = JSON.parse(answer.body) as Health;
      const isRight = answer.status === 200 && health.cluster === this.cluster && health.member === member.name;
      return isRight ? health : undefined;
    } catch {
      return undefined;
    }
  }
}
