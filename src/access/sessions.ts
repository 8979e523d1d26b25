import type { Clock } from '../clock.ts';
import type { Identity, LiveAccess, Visibility } from '../core/access/index.ts';
import type { Log } from '../log.ts';
import type { Pool } from 'pg';
import { accessRevision } from '../store/access.ts';
import type { DefinitionSnapshot, DefinitionSnapshots } from '../store/definition-snapshot.ts';
import { NotAuthentic } from './authenticator.ts';
import type { Authenticator, Identified } from './authenticator.ts';

/** A connection that stays open: who it belongs to, as that is now. */
export interface Session extends LiveAccess {
  /** Resolves with the reason when it has to end; never, when it is closed before. */
  readonly ended: Promise<string>;
  close(): void;
}

interface Open {
  identified: Identified;
  identity: Identity;
  visibility: Visibility | null;
  end: (reason: string) => void;
}

export interface SessionParts {
  authenticator: Authenticator;
  pool: Pool;
  definitions: DefinitionSnapshots;
  clock: Clock;
  log: Log;
}

const LOOK_MS = 1_000;

/**
 * Open subscriptions outlive what they were opened with. Once a second, while there are any, a session ends when its token (or
 * the web session that it came with) has expired, was revoked or ended (also by another process); after a change of grants or of labels every session is judged again.
 */
export class Sessions {
  readonly #parts: SessionParts;
  readonly #open = new Set<Open>();
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();
  #access = '';
  #snapshot: DefinitionSnapshot | null = null;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** @param identified null: a server without authentication, whose connections need no watching. */
  async open(identified: Identified | null): Promise<Session | null> {
    if (!identified || identified.identity.anonymous) return null;
    const { identity } = identified;
    const visibility = (await this.#parts.definitions.current()).visibleTo(identity.grants);
    let end!: (reason: string) => void;
    const ended = new Promise<string>((resolve) => (end = resolve));
    const open: Open = { identified, identity, visibility, end };
    this.#open.add(open);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
    return {
      get identity() {
        return open.identity;
      },
      get visibility() {
        return open.visibility;
      },
      ended,
      close: () => this.#close(open),
    };
  }

  async close(): Promise<void> {
    this.#open.clear();
    this.#rest();
    await this.#looking;
  }

  #look(): void {
    this.#looking = this.#looking
      .then(() => this.#judge())
      // A database that is away for a moment must not end what is open: it is looked again.
      .catch((error: unknown) => this.#parts.log.warn({ error }, 'open connections could not be judged, trying again'));
  }

  async #judge(): Promise<void> {
    const now = this.#parts.clock.now().getTime();
    for (const open of this.#open) {
      const { expiresAt } = open.identity;
      if (expiresAt !== null && expiresAt <= now) this.#end(open, `${open.identified.means} has expired`);
    }
    if (this.#open.size === 0) return;
    const access = await accessRevision(this.#parts.pool);
    const snapshot = await this.#parts.definitions.current();
    if (access === this.#access && snapshot === this.#snapshot) return;
    // After the revision was read: what is read from here on is at least as new as it.
    this.#parts.authenticator.forget();
    for (const open of this.#open) await this.#renew(open, snapshot);
    this.#access = access;
    this.#snapshot = snapshot;
  }

  async #renew(open: Open, snapshot: DefinitionSnapshot): Promise<void> {
    try {
      const identity = await open.identified.renew();
      // The same object as long as it says the same: executions are shared by it.
      if (JSON.stringify(identity) !== JSON.stringify(open.identity)) open.identity = identity;
      open.visibility = snapshot.visibleTo(open.identity.grants);
    } catch (error) {
      if (!(error instanceof NotAuthentic)) throw error;
      this.#end(open, error.message);
    }
  }

  #end(open: Open, reason: string): void {
    this.#close(open);
    open.end(reason);
  }

  #close(open: Open): void {
    this.#open.delete(open);
    if (this.#open.size === 0) this.#rest();
  }

  #rest(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.#access = '';
    this.#snapshot = null;
  }
}
