import { createHash, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import type { Clock } from '../clock.ts';
import { sameHash, hashOf, tokenId } from '../commands/access/token.ts';
import type { AuthConfig } from '../config.ts';
import {
  ANONYMOUS,
  callerName,
  grantsOfToken,
  holderOf,
  rolesOf,
  ROOT,
  sessionCredential,
} from '../core/access/index.ts';
import type { Grant, HeldGrant, Identity } from '../core/access/index.ts';
import type { Caller, Maker } from '../core/caller.ts';
import type { Log } from '../log.ts';
import { hasTokens, noteUse, readGrants, readToken } from '../store/access.ts';
import type { ApiToken } from '../store/access.ts';
import { noteSessionUse, readSession } from '../store/web-sessions.ts';
import type { WebSession } from '../store/web-sessions.ts';
import { OidcVerifier, ProviderUnreachable, TokenRefused } from './oidc.ts';
import type { AtProvider, Claims, OidcTimes } from './oidc.ts';

export interface AuthenticatorParts {
  config: AuthConfig;
  pool: Pool;
  dataSource: DataSource;
  clock: Clock;
  log: Log;
  oidcTimes?: Partial<OidcTimes>;
}

/** Who it is, and how to ask again later whether that still holds. */
export interface Identified {
  identity: Identity;
  /** The same with what is granted by then. @throws NotAuthentic */
  renew(): Promise<Identity>;
  /** What it is called when it ends: `the token`, `the session`. */
  means: string;
  /** What the identity provider calls the person; absent: it is no token of the provider. */
  provider?: AtProvider;
}

/** A caller's credential that a session can be had for: who it is, and what the session is bound to. */
export interface Swappable {
  identity: Identity;
  /** The API token; null: another kind of token. */
  tokenId: string | null;
  /** The identity provider that signed it; null: it is a token of this server. */
  issuer: string | null;
  provider: AtProvider;
}

/** A credential that is not (or no longer) good; the message is for the client that sent it. */
export class NotAuthentic extends Error {
  override readonly name = 'NotAuthentic';
}

/** The same of a session: signing in again is the cure. */
export class SessionOver extends NotAuthentic {}

/** For how long a token or a grant that was read is believed, in milliseconds: revocation reaches other processes after it. */
const BELIEF_MS = 1_000;
const LONGEST = 8_192;
/** When a credential was used is noted so often, in milliseconds. */
const NOTE_MS = 60_000;

/** Finds out who is calling. */
export class Authenticator {
  readonly #parts: AuthenticatorParts;
  readonly #oidc: OidcVerifier | null;
  readonly #adminToken: Buffer | null;
  readonly #adminTokenHash: string | null;
  readonly #sessions = new LRUCache<string, Promise<WebSession | null>>({ max: 5_000, ttl: BELIEF_MS });
  readonly #tokens = new LRUCache<string, Promise<ApiToken | null>>({ max: 5_000, ttl: BELIEF_MS });
  readonly #grants = new LRUCache<string, Promise<Grant[]>>({ max: 5_000, ttl: BELIEF_MS });
  readonly #limited = new WeakMap<ApiToken, readonly HeldGrant[]>();
  /** What was used lately, for as long as that is not noted again. */
  readonly #used = new LRUCache<string, true>({ max: 10_000, ttl: NOTE_MS });
  #configured: boolean;
  #lookedAt = -Infinity;

  constructor(parts: AuthenticatorParts) {
    const { config, oidcTimes } = parts;
    this.#parts = parts;
    this.#oidc = config.oidc ? new OidcVerifier(config.oidc, parts.clock, oidcTimes) : null;
    this.#adminToken = config.adminToken === undefined ? null : digest(config.adminToken);
    this.#adminTokenHash = config.adminToken === undefined ? null : hashOf(config.adminToken);
    this.#configured = config.mode === 'required' || this.#oidc !== null || this.#adminToken !== null;
  }

  /** Whether callers must say who they are. Once they must, they must until the process ends. */
  async required(): Promise<boolean> {
    if (this.#parts.config.mode === 'off') return false;
    if (this.#configured) return true;
    const now = performance.now();
    if (now - this.#lookedAt < BELIEF_MS) return false;
    if (await hasTokens(this.#parts.dataSource)) this.#configured = true;
    else this.#lookedAt = now;
    return this.#configured;
  }

  /** Whether anybody could say it. */
  async possible(): Promise<boolean> {
    return this.#oidc !== null || this.#adminToken !== null || (await hasTokens(this.#parts.dataSource));
  }

  /**
   * @param authorization what a request has in its header of that name, or a client sent instead of it
   * @returns null when the server runs without authentication
   * @throws NotAuthentic, ProviderUnreachable
   */
  async identify(authorization: string | undefined): Promise<Identified | null> {
    if (!(await this.required())) return null;
    if (authorization === undefined || authorization === '')
      return { identity: ANONYMOUS, renew: async () => ANONYMOUS, means: TOKEN };
    const credential = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
    if (credential === undefined) throw new NotAuthentic('the Authorization header is not of the form `Bearer TOKEN`');
    if (credential.length > LONGEST) throw new NotAuthentic('the token is too long to be one');
    const id = tokenId(credential);
    if (id !== null) return this.#byToken(id, credential);
    if (this.#adminToken && timingSafeEqual(digest(credential), this.#adminToken)) return ADMIN;
    if (credential.startsWith('sluice_')) throw new NotAuthentic('the API token is mistyped or cut off');
    if (!this.#oidc || credential.split('.').length !== 3) throw new NotAuthentic('the token is not known here');
    return this.#byClaims(this.#oidc, credential);
  }

  /** What of a token that is good is written into a session that is swapped for it. */
  swappable({ identity, provider = { subject: null, session: null } }: Identified): Swappable {
    const { credential } = identity;
    const tokenId = /^token (.+)$/.exec(credential ?? '')?.[1] ?? null;
    const issuer = tokenId === null && identity !== ADMIN_IDENTITY ? (this.#parts.config.oidc?.issuer ?? null) : null;
    return { identity, tokenId, issuer, provider };
  }

  /**
   * By the value of a session's cookie.
   * @throws SessionOver
   */
  async identifySession(value: string): Promise<Identified> {
    // Whatever is no value of ours costs no look-up.
    if (!/^[\w-]{43}$/.test(value)) throw new SessionOver('the session is not known here');
    const hash = hashOf(value);
    const renew = async (): Promise<Identity> => {
      const session = await remembered(this.#sessions, hash, () => readSession(this.#parts.pool, hash));
      if (!session) throw new SessionOver('the session is not known here');
      const why = this.#whyOver(session);
      if (why !== null) throw new SessionOver(`the session has ended: ${why}`);
      const identity = await this.#ofSession(session).catch((error: unknown) => {
        if (!(error instanceof NotAuthentic)) throw error;
        throw new SessionOver(`the session has ended: ${error.message}`);
      });
      const expiresAt = session.expiresAt.getTime();
      return { ...identity, credential: sessionCredential(session.id), restsOn: identity.credential, expiresAt };
    };
    const identity = await renew();
    this.#noteSessionUse(hash);
    return { identity, renew, means: 'the session' };
  }

  #whyOver({ endedAt, endReason, expiresAt, lastUsedAt }: WebSession): string | null {
    const now = this.#parts.clock.now().getTime();
    if (endedAt) return endReason ?? 'it was ended';
    if (expiresAt.getTime() <= now) return 'it was as old as a session may be';
    return lastUsedAt.getTime() + this.#parts.config.sessions.idleMs <= now ? 'it was not used' : null;
  }

  /** What the session rests on must still be good: the very token, or the same identity provider. */
  async #ofSession(session: WebSession): Promise<Identity> {
    const { subject, groups, issuer, tokenId, tokenHash } = session;
    if (tokenId !== null) {
      this.#noteUse(tokenId);
      return this.#ofToken(tokenId, tokenHash!, 'its API token');
    }
    if (issuer === null) {
      if (this.#adminTokenHash !== null && sameHash(tokenHash!, this.#adminTokenHash)) return ADMIN_IDENTITY;
      throw new NotAuthentic('its token is no longer good');
    }
    if (issuer !== this.#parts.config.oidc?.issuer)
      throw new NotAuthentic('its identity provider is no longer asked here');
    const caller = { name: subject, kind: 'PERSON' as const, groups };
    return identityOf(caller, await this.#granted({ ...caller, roles: [] }), `oidc ${issuer}`, null);
  }

  #noteSessionUse(hash: string): void {
    if (this.#used.has(hash)) return;
    const { pool, clock, log, config } = this.#parts;
    const every = Math.min(NOTE_MS, config.sessions.idleMs / 10);
    this.#used.set(hash, true, { ttl: every });
    noteSessionUse(pool, hash, clock.now(), every).catch((error: unknown) =>
      log.debug({ error }, 'the use of a session was not noted'),
    );
  }

  /** What was read of sessions, tokens and grants is read again. */
  forget(): void {
    this.#sessions.clear();
    this.#tokens.clear();
    this.#grants.clear();
  }

  async #byToken(id: string, credential: string): Promise<Identified> {
    const hash = hashOf(credential);
    const renew = (): Promise<Identity> => this.#ofToken(id, hash, 'the API token');
    const identity = await renew();
    this.#noteUse(id);
    return { identity, renew, means: TOKEN };
  }

  /** @param what how messages call the token */
  async #ofToken(id: string, hash: string, what: string): Promise<Identity> {
    const token = await this.#token(id);
    if (!token || !sameHash(token.hash, hash)) throw new NotAuthentic(`${what} is not known here`);
    if (token.revokedAt) throw new NotAuthentic(`${what} was revoked`);
    if (token.expiresAt && token.expiresAt <= this.#parts.clock.now()) throw new NotAuthentic(`${what} has expired`);
    const { subjectKind, subject, expiresAt } = token;
    const kind = subjectKind === 'USER' ? ('PERSON' as const) : ('SERVICE_ACCOUNT' as const);
    const name = callerName(subjectKind, subject);
    const makers = token.makers ?? unprovenMakers(token.createdBy, name);
    const caller = { name, kind, groups: [], ...(makers.length > 0 && { makers }) };
    const grants = await this.#grantsOf(token, { ...caller, groups: token.groups, roles: [] });
    const identity = identityOf(caller, grants, `token ${id}`, expiresAt && expiresAt.getTime());
    return { ...identity, scoped: token.scope !== null, ...(expiresAt && { lasts: expiresAt.getTime() }) };
  }

  async #byClaims(oidc: OidcVerifier, credential: string): Promise<Identified> {
    const { name, groups, expiresAt, provider } = await this.#verified(oidc, credential);
    const caller = { name, kind: 'PERSON' as const, groups };
    const renew = async (): Promise<Identity> => {
      if (expiresAt <= this.#parts.clock.now().getTime()) throw new NotAuthentic('the token has expired');
      const grants = await this.#granted({ ...caller, roles: [] });
      return identityOf(caller, grants, `oidc ${this.#parts.config.oidc?.issuer}`, expiresAt);
    };
    const grants = await this.#granted({ ...caller, roles: [] });
    return {
      identity: identityOf(caller, grants, `oidc ${this.#parts.config.oidc?.issuer}`, expiresAt),
      renew,
      means: TOKEN,
      provider,
    };
  }

  async #verified(oidc: OidcVerifier, credential: string): Promise<Claims> {
    try {
      return await oidc.verify(credential);
    } catch (error) {
      if (error instanceof TokenRefused) throw new NotAuthentic(`the token is refused: ${error.message}`);
      if (error instanceof ProviderUnreachable)
        this.#parts.log.warn({ reason: error.message }, 'a caller could not be identified');
      throw error;
    }
  }

  async #grantsOf(token: ApiToken, caller: Caller): Promise<readonly HeldGrant[]> {
    const { scope } = token;
    if (scope !== null && caller.kind === 'SERVICE_ACCOUNT') return scope;
    const within = await this.#granted(caller);
    if (scope === null) return within;
    const known = this.#limited.get(token);
    if (known && known[0]?.within === within) return known;
    // The same list as long as it says the same: what it lets see is worked out once per list.
    const limited = grantsOfToken(token, within);
    this.#limited.set(token, limited);
    return limited;
  }

  #token(id: string): Promise<ApiToken | null> {
    return remembered(this.#tokens, id, () => readToken(this.#parts.pool, id));
  }

  #granted(caller: Caller): Promise<Grant[]> {
    const holder = holderOf(caller);
    return remembered(this.#grants, JSON.stringify(holder), () => readGrants(this.#parts.pool, holder));
  }

  #noteUse(id: string): void {
    if (this.#used.has(id)) return;
    this.#used.set(id, true);
    const { pool, clock, log } = this.#parts;
    noteUse(pool, id, clock.now()).catch((error: unknown) => log.debug({ error }, 'the use of a token was not noted'));
  }
}

const TOKEN = 'the token';

/** Of a token that an older server made meanwhile: its maker is known by name alone. */
function unprovenMakers(createdBy: string | null, speaker: string): Maker[] {
  return createdBy === null || createdBy === speaker ? [] : [{ name: createdBy, unlimited: false }];
}

function identityOf(
  caller: Omit<Caller, 'roles'>,
  grants: readonly HeldGrant[],
  credential: string,
  expiresAt: number | null,
): Identity {
  return { caller: { ...caller, roles: rolesOf(grants) }, grants, anonymous: false, credential, expiresAt };
}

const ADMIN_IDENTITY = identityOf(
  { name: ROOT, kind: 'SERVICE_ACCOUNT', groups: [] },
  [{ role: 'ADMIN', products: {}, environments: {} }],
  'SLUICE_ADMIN_TOKEN',
  null,
);
const ADMIN: Identified = { identity: ADMIN_IDENTITY, renew: async () => ADMIN_IDENTITY, means: TOKEN };

/** Compared by their digests, which are equally long whatever was sent. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function remembered<T>(cache: LRUCache<string, Promise<T>>, key: string, read: () => Promise<T>): Promise<T> {
  const known = cache.get(key);
  if (known) return known;
  const reading = read();
  cache.set(key, reading);
  // What could not be read is not remembered as such.
  reading.catch(() => cache.delete(key));
  return reading;
}
