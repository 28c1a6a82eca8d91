/** The election of the server that runs the controllers: a lease, as K3s has it. */
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, type Api, type Resource } from "./api";
import { log, messageOf } from "./log";
import { microTime } from "./node-object";

interface Lease extends Resource {
  readonly spec: {
    readonly holderIdentity?: string;
    readonly renewTime?: string;
    readonly leaseDurationSeconds?: number;
  };
}

const FOLDER = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
const NAME = "k3s";
/** Milliseconds. */
const PAUSE = 2000;
const TERM = 5000;

/** One server's candidacy. */
export class Election {
  private held: Lease | undefined;
  private seen = { renewTime: "", at: 0 };
  private renewedAt = 0;

  constructor(
    private readonly api: Api,
    private readonly holder: string,
  ) {}

  /**
   * Stands for election until aborted.
   *
   * @param lead is what the leader does, until its signal is aborted: the lead was lost.
   */
  async stand(lead: (signal: AbortSignal) => void, signal: AbortSignal): Promise<void> {
    let term: AbortController | undefined;
    signal.addEventListener("abort", () => term?.abort(), { once: true });
    while (!signal.aborted) {
      try {
        this.held = this.held === undefined ? await this.acquire() : await this.renew(this.held);
      } catch (error) {
        if (this.held !== undefined) log.warn(`Failed to renew the lease of the controllers: ${messageOf(error)}`);
        if (error instanceof ApiError && error.status === 409) this.held = undefined;
        if (Date.now() - this.renewedAt > TERM) this.held = undefined;
      }
      if (this.held === undefined) {
        term?.abort();
        term = undefined;
      } else if (term === undefined) {
        log.info("Running the controllers: this server leads");
        term = new AbortController();
        lead(term.signal);
      }
      await sleep(PAUSE, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Gives the lead up. @param api a way to the datastore that may be open longer than this server's own door. */
  async release(api: Api): Promise<void> {
    if (this.held === undefined) return;
    this.held = undefined;
    const spec = { holderIdentity: "", renewTime: microTime() };
    await api.patch(`${FOLDER}/${NAME}`, "merge-patch", { spec }).catch(() => undefined);
  }

  private spec(): Lease["spec"] {
    return { holderIdentity: this.holder, renewTime: microTime(), leaseDurationSeconds: TERM / 1000 };
  }

  private async acquire(): Promise<Lease | undefined> {
    const found = await this.api.get<Lease>(`${FOLDER}/${NAME}`);
    if (found === undefined)
      return this.take(await this.api.create<Lease>(FOLDER, { metadata: { name: NAME }, spec: this.spec() }));
    const { holderIdentity = "", renewTime = "" } = found.spec;
    if (renewTime !== this.seen.renewTime) this.seen = { renewTime, at: Date.now() };
    const isFree = holderIdentity === "" || holderIdentity === this.holder || Date.now() - this.seen.at > TERM;
    return isFree ? this.renew(found) : undefined;
  }

  private async renew(lease: Lease): Promise<Lease> {
    return this.take(await this.api.replace<Lease>(`${FOLDER}/${NAME}`, { ...lease, spec: this.spec() }));
  }

  private take(lease: Lease): Lease {
    this.renewedAt = Date.now();
    return lease;
  }
}
