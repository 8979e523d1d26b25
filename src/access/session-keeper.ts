import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import type { Clock } from '../clock.ts';
import type { SessionLimits } from '../config.ts';
import type { Log } from '../log.ts';
import { type Sealed, type Sealing, SealingError } from '../store/sealing.ts';
import { endSession, endSpentSessions, saveRenewal, takeRenewals } from '../store/web-sessions.ts';
import type { Renewal, WebSession } from '../store/web-sessions.ts';
import { SignInRefused } from './sign-in.ts';
import type { Granted, SignIn } from './sign-in.ts';

export interface KeeperParts {
  limits: SessionLimits;
  /** Null: nobody signs in at an identity provider. */
  signIn: SignIn | null;
  sealing: Sealing;
  pool: Pool;
  dataSource: DataSource;
  clock: Clock;
  log: Log;
}

/** How often sessions are looked through, in milliseconds. */
const LOOK_MS = 5_000;
/** Sessions that one process renews at a time. */
const MOST = 20;
/** After a renewal that did not come about, in milliseconds. */
const AGAIN_MS = 60_000;
/** A longer promise of the provider is not relied on: a person who is locked out there is out here after so long, in milliseconds. */
const LONGEST_MS = 15 * 60_000;
/** A shorter one is not followed: its tokens are used for nothing else, in milliseconds. */
const SHORTEST_MS = 10_000;

/** What a session keeps of the provider's tokens. */
export type Kept = Pick<WebSession, 'renewAt' | 'keyId' | 'nonce' | 'sealed'>;

/**
 * Ends sessions that are spent, and has the others renewed by the identity provider before what it said runs out. Each api process has one;
 * a session is renewed by one of them at a time. While the provider does not answer, sessions go on as they are, until their own limits.
 */
export class SessionKeeper {
  readonly #parts: KeeperParts;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  start(everyMs = LOOK_MS): void {
    this.#timer = setInterval(() => {
      this.#looking = this.#looking
        .then(() => this.look())
        .catch((error: unknown) =>
          this.#parts.log.warn({ error }, 'sessions could not be looked through, trying again'),
        );
    }, everyMs).unref();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer) clearInterval(this.#timer);
    await this.#looking;
  }

  async look(): Promise<void> {
    const { dataSource, pool, clock, limits, signIn } = this.#parts;
    await dataSource.transaction((tx) => endSpentSessions(tx, clock.now(), limits.idleMs));
    if (!signIn) return;
    let isMore = true;
    while (isMore && !this.#isClosed) {
      const now = clock.now();
      const due = await takeRenewals(pool, now, new Date(now.getTime() + AGAIN_MS), MOST);
      const answered = await Promise.all(due.map((each) => this.#renew(signIn, each)));
      // A provider in trouble is not asked for all the others as well.
      isMore = due.length === MOST && answered.every(Boolean);
    }
  }

  /** What of the provider's answer is kept with the session `id`; without a key nothing is. */
  kept(id: string, { refreshToken, idToken, goodFor }: Granted): Kept {
    const { sealing, clock } = this.#parts;
    if (sealing.keyId === undefined) return { renewAt: null, keyId: null, nonce: null, sealed: null };
    const sealed = sealing.seal(nameOf(id), JSON.stringify({ refreshToken, idToken }));
    const renewAt = refreshToken === null ? null : new Date(clock.now().getTime() + renewIn(goodFor));
    return { renewAt, ...sealed };
  }

  /** The provider's ID token, which it wants to see when the session ends; null: it was not kept. */
  idToken({ id, keyId, nonce, sealed }: WebSession): string | null {
    if (keyId === null || nonce === null || sealed === null) return null;
    return this.#open(id, { keyId, nonce, sealed })?.idToken ?? null;
  }

  /** @returns false: the provider did not answer, or the answer could not be kept */
  async #renew(signIn: SignIn, session: Renewal): Promise<boolean> {
    const { dataSource, log } = this.#parts;
    const tokens = this.#open(session.id, session);
    if (!tokens || tokens.refreshToken === null) return true;
    try {
      const answer = await signIn.renew(tokens.refreshToken);
      // Never another person's session: a provider that mixes them up is not believed.
      if (answer.claims && answer.claims.name !== session.subject)
        throw new SignInRefused('the identity provider answers with another name');
      const known = { ...answer, idToken: answer.idToken ?? tokens.idToken };
      // A provider that sends no new refresh token goes on with the one before.
      const { renewAt, ...sealed } = this.kept(session.id, {
        ...known,
        refreshToken: answer.refreshToken ?? tokens.refreshToken,
      });
      const groups = answer.claims?.groups ?? session.groups;
      await dataSource.transaction((tx) =>
        saveRenewal(tx, session.id, { groups, renewAt: renewAt!, sealed: sealed as Sealed }),
      );
    } catch (error) {
      if (!(error instanceof SignInRefused)) {
        log.warn({ error, session: session.id }, 'a session could not be renewed, trying again');
        return false;
      }
      await this.#end(session.id, error.message);
    }
    return true;
  }

  async #end(id: string, reason: string): Promise<void> {
    const { dataSource, clock } = this.#parts;
    await dataSource.transaction((tx) => endSession(tx, id, { by: null, reason, at: clock.now() }));
  }

  #open(id: string, sealed: Sealed): { refreshToken: string | null; idToken: string | null } | null {
    try {
      return JSON.parse(this.#parts.sealing.open(nameOf(id), sealed));
    } catch (error) {
      if (!(error instanceof SealingError)) throw error;
      this.#parts.log.warn({ session: id, reason: error.message }, 'the tokens of a session cannot be opened');
      return null;
    }
  }
}

/** No secret is called so: names of secrets have no spaces. */
const nameOf = (id: string): string => `session ${id}`;

/** Before it runs out, with time for a second try. */
const renewIn = (goodFor: number): number => Math.max(SHORTEST_MS, Math.min(goodFor * 0.75, LONGEST_MS));
