import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** A webhook of a repository, or of all where `repository` is absent. */
export interface Hook {
  id: number;
  url: string;
  secret: string;
  repository?: string;
}

/** One webhook that was, or was not, sent. */
export interface Delivery {
  id: number;
  /** The same on a redelivery. */
  guid: string;
  hook: Hook;
  repository: string;
  /** The host's name for it: `push`, `pull_request`. */
  event: string;
  action: string | null;
  /** The bytes that are signed and sent. */
  body: string;
  redelivery: boolean;
  at: Date;
  /** Status that was answered; 0 where nobody answered, or where it was dropped. */
  status: number;
  headers: Record<string, string>;
}

/** What becomes of a delivery on its way. */
export type Fate = 'SENT' | 'DROPPED' | 'TWICE' | { after: number };

/** How a host sends: which headers it sends beside the body. */
export type Signer = (delivery: Delivery) => Promise<Record<string, string>> | Record<string, string>;

/** The webhooks of a stand-in. A failed delivery is not sent again by itself, as GitHub does not. */
export class Deliveries {
  readonly hooks: Hook[] = [];
  /** Oldest first. */
  readonly list: Delivery[] = [];
  /** Asked for each delivery. */
  fate: (delivery: Delivery) => Fate = () => 'SENT';
  readonly #sign: Signer;
  readonly #open = new Set<Promise<unknown>>();
  readonly #closed = new AbortController();

  constructor(sign: Signer) {
    this.#sign = sign;
  }

  /** All events of a repository, or of all, go to `url` from now on. */
  to(url: string, secret: string, repository?: string): Hook {
    const hook = { id: this.hooks.length + 1, url, secret, repository };
    this.hooks.push(hook);
    return hook;
  }

  send(repository: string, event: string, action: string | null, payload: unknown): void {
    for (const hook of this.hooks) {
      if (hook.repository !== undefined && hook.repository !== repository) continue;
      this.#deliver({
        hook,
        repository,
        event,
        action,
        body: JSON.stringify(payload),
        guid: randomUUID(),
        redelivery: false,
      });
    }
  }

  /** The same delivery once more; undefined where there is none with this id. */
  redeliver(id: number): Delivery | undefined {
    const known = this.list.find((each) => each.id === id);
    return known && this.#deliver({ ...known, redelivery: true });
  }

  /** When nothing is on its way any more. */
  async idle(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.idle();
  }

  #deliver(made: Omit<Delivery, 'id' | 'at' | 'status' | 'headers'>): Delivery {
    const delivery: Delivery = { ...made, id: this.list.length + 1, at: new Date(), status: 0, headers: {} };
    this.list.push(delivery);
    const fate = this.fate(delivery);
    if (fate === 'DROPPED') return delivery;
    const times = fate === 'TWICE' ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      const sent = this.#post(delivery, typeof fate === 'object' ? fate.after : 0).finally(() =>
        this.#open.delete(sent),
      );
      this.#open.add(sent);
    }
    return delivery;
  }

  async #post(delivery: Delivery, after: number): Promise<void> {
    const { signal } = this.#closed;
    // As many as are on their way listen to it.
    setMaxListeners(0, signal);
    if (after > 0) await sleep(after, undefined, { signal }).catch(() => undefined);
    delivery.headers = { 'content-type': 'application/json', ...(await this.#sign(delivery)) };
    if (signal.aborted) return;
    try {
      const response = await fetch(delivery.hook.url, {
        method: 'POST',
        headers: delivery.headers,
        body: delivery.body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
      });
      await response.arrayBuffer();
      delivery.status = response.status;
    } catch {
      // Nobody was there: the status says so.
    }
  }
}
