import { createRemoteJWKSet, customFetch, errors, jwtVerify } from 'jose';
import type { JWTHeaderParameters, JWTPayload, JWTVerifyOptions, JWTVerifyResult, RemoteJWKSet } from 'jose';
import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import type { OidcConfig } from '../config.ts';
import { isReservedName } from '../core/access/index.ts';
import { readBody } from '../drivers/http.ts';

/** Asymmetric ones only: with a shared secret (HS256) a server that checks tokens could make them, and `none` is no signature. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

export interface OidcTimes {
  /** A key that is not known makes the keys be fetched again, at most this often, in milliseconds. */
  cooldownMs: number;
  /** Keys that are older are fetched again: one that the provider took back is refused after this, in milliseconds. */
  maxAgeMs: number;
  /** For an answer of the provider, to its last byte, in milliseconds. */
  timeoutMs: number;
}

const TIMES: OidcTimes = { cooldownMs: 30_000, maxAgeMs: 5 * 60_000, timeoutMs: 5_000 };
/** Clocks of servers differ by so much, in seconds. */
const TOLERANCE_S = 30;
/** A discovery document, or the keys, in bytes: they have a few thousand. */
const MAX_ANSWER = 512 * 1_024;
/** A logout token is sent when it is made: an older one comes from somewhere else, in seconds. */
const LOGOUT_AGE_S = 10 * 60;
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const LOGOUT_TYPE = 'logout+jwt';
/** After a failure the provider is left alone for so long, in milliseconds. */
export const PAUSE_MS = 2_000;

export interface Claims {
  name: string;
  groups: string[];
  /** What the provider itself calls the person, and the person's session there. */
  provider: AtProvider;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** A person, and one of the person's sessions, at the provider; null: it says nothing of it. */
export interface AtProvider {
  /** Of the claim `sub`. */
  subject: string | null;
  /** Of the claim `sid`. */
  session: string | null;
}

/** The provider says that a person's sessions, or one of them, are over. */
export interface Logout extends AtProvider {
  /** The claim `jti`: the same message has the same. */
  id: string;
  /** Milliseconds since the epoch. */
  issuedAt: number;
}

/** What is wrong with a token, in words that hold nothing of it. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
}

/** The provider does not answer: no fault of the caller. */
export class ProviderUnreachable extends Error {
  override readonly name = 'ProviderUnreachable';
}

/** Checks tokens of an OpenID Connect provider. Its keys are found through its discovery document, and kept for a while. */
export class OidcVerifier {
  readonly #config: OidcConfig;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #times: OidcTimes;
  #keys: Promise<RemoteJWKSet> | null = null;
  #failedAt = -Infinity;

  /** @param clock says whether a token has expired: that of this machine can be wrong */
  constructor(config: OidcConfig, clock: Pick<Clock, 'now'>, times: Partial<OidcTimes> = {}) {
    this.#config = config;
    this.#clock = clock;
    this.#times = { ...TIMES, ...times };
  }

  /** @throws TokenRefused, ProviderUnreachable */
  async verify(token: string): Promise<Claims> {
    const { payload, protectedHeader } = await this.#signed(token, { requiredClaims: ['sub', 'exp'] });
    // It has the issuer and audience of a sign-in, and is no word about who is there.
    if (isLogout(payload) || typeOf(protectedHeader) === LOGOUT_TYPE) throw new TokenRefused('it is a logout token');
    return this.#claims(payload);
  }

  /**
   * A logout token, by the rules of OpenID Connect Back-Channel Logout 1.0 (2.4, 2.6): signed as other tokens are, for this audience.
   * @throws TokenRefused, ProviderUnreachable
   */
  async verifyLogout(token: string): Promise<Logout> {
    const { payload, protectedHeader } = await this.#signed(token, {
      requiredClaims: ['iat', 'jti', 'events'],
      maxTokenAge: LOGOUT_AGE_S,
    });
    if (![undefined, 'jwt', LOGOUT_TYPE].includes(typeOf(protectedHeader)))
      throw new TokenRefused(`its type is "${typeOf(protectedHeader)}"`);
    if (!isLogout(payload)) throw new TokenRefused('its claim "events" names no logout');
    if ('nonce' in payload) throw new TokenRefused('it has a nonce, so it is an ID token');
    const { jti, iat } = payload;
    const { subject, session } = atProvider(payload);
    if (subject === null && session === null)
      throw new TokenRefused('it names neither a person (sub) nor a session (sid)');
    if (typeof jti !== 'string' || jti === '') throw new TokenRefused('its claim "jti" is no text');
    return { id: jti, issuedAt: iat! * 1_000, subject, session };
  }

  async #signed(token: string, checks: JWTVerifyOptions): Promise<JWTVerifyResult> {
    const { issuer, audience } = this.#config;
    const keys = await this.#reach(() => this.#discovered());
    try {
      return await jwtVerify(token, (header, jws) => this.#reach(() => keys(header, jws)), {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: TOLERANCE_S,
        currentDate: this.#clock.now(),
        ...checks,
      });
    } catch (error) {
      if (error instanceof errors.JOSEError) throw new TokenRefused(wording(error));
      throw error;
    }
  }

  #claims(payload: JWTPayload): Claims {
    const { nameClaim, groupsClaim } = this.#config;
    const { [nameClaim]: name, email, email_verified: isVerified } = payload;
    if (typeof name !== 'string' || name.trim() === '' || name.length > 200 || isReservedName(name)) {
      throw new TokenRefused(`its claim "${nameClaim}" does not hold a name`);
    }
    // A person who gave an unproven address could take another person's name, in whichever claim it stands. Providers at which people
    // give their own addresses say whether they are proven; a token without a word of it is of one that has them from an administrator.
    const isAddress = nameClaim === 'email' || (typeof email === 'string' && isSame(email, name));
    if (isAddress && ![undefined, true, 'true'].includes(isVerified as boolean | string | undefined)) {
      throw new TokenRefused('its email address is not verified');
    }
    const groups = payload[groupsClaim];
    return {
      name,
      groups: Array.isArray(groups) ? groups.filter((each) => typeof each === 'string') : [],
      expiresAt: payload.exp! * 1_000,
      provider: atProvider(payload),
    };
  }

  /** The keys behind the discovery document; found once, and again after a failure. */
  #discovered(): Promise<RemoteJWKSet> {
    this.#keys ??= this.#discover().catch((error: unknown) => {
      this.#keys = null;
      throw error;
    });
    return this.#keys;
  }

  async #discover(): Promise<RemoteJWKSet> {
    const { issuer } = this.#config;
    const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const { cooldownMs, maxAgeMs, timeoutMs } = this.#times;
    const response = await whole(address, { redirect: 'error', signal: systemClock.limit('provider', timeoutMs) });
    if (!response.ok) throw new Error(`${address} answers ${response.status}`);
    const found = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
    if (found.issuer !== issuer) {
      throw new Error(
        `${address} is about issuer "${String(found.issuer)}", not "${issuer}": SLUICE_OIDC_ISSUER must be the same text`,
      );
    }
    const keys = typeof found.jwks_uri === 'string' && URL.canParse(found.jwks_uri) ? new URL(found.jwks_uri) : null;
    // Keys that come over plain HTTP could be anybody's, except from the same machine.
    if (!keys || (keys.protocol !== 'https:' && keys.protocol !== new URL(issuer).protocol)) {
      throw new Error(`${address} names no usable jwks_uri`);
    }
    return createRemoteJWKSet(keys, {
      cooldownDuration: cooldownMs,
      cacheMaxAge: maxAgeMs,
      timeoutDuration: timeoutMs,
      [customFetch]: whole,
    });
  }

  /** A provider that is down is asked now and then, not by every request. */
  async #reach<T>(ask: () => Promise<T>): Promise<T> {
    if (performance.now() - this.#failedAt < PAUSE_MS)
      throw unreachable(this.#config, 'it did not answer a moment ago');
    try {
      return await ask();
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      if (error instanceof errors.JOSENotSupported || error instanceof ProviderUnreachable) throw error;
      this.#failedAt = performance.now();
      throw unreachable(this.#config, error instanceof Error ? error.message : String(error));
    }
  }
}

const isLogout = ({ events }: JWTPayload): boolean => isRecord(events) && isRecord(events[LOGOUT_EVENT]);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The type of a token, as RFC 8725 has it: without `application/`, in small letters. */
const typeOf = ({ typ }: JWTHeaderParameters): string | undefined => typ?.toLowerCase().replace(/^application\//, '');

function atProvider({ sub, sid }: JWTPayload): AtProvider {
  const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
  return { subject: text(sub), session: text(sid) };
}

const isSame = (one: string, other: string): boolean => one.trim().toLowerCase() === other.trim().toLowerCase();

/** As fetch does, once all of the answer is there: the time of the signal is for all of it, and it is not read to any length. */
export async function whole(address: string, init: RequestInit): Promise<Response> {
  const response = await fetch(address, init);
  const { text, complete } = await readBody(response, MAX_ANSWER);
  if (!complete) throw new Error(`${address} answers with more than ${MAX_ANSWER} bytes`);
  return new Response(text === '' ? null : text, { status: response.status, headers: response.headers });
}

function unreachable({ issuer }: OidcConfig, why: string): ProviderUnreachable {
  return new ProviderUnreachable(`the keys of the identity provider ${issuer} cannot be read: ${why}`);
}

function wording(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'aud' || error.claim === 'iss'
      ? `it was not made for this server (${error.claim})`
      : `its claim "${error.claim}" is missing or wrong`;
  }
  if (error instanceof errors.JWKSNoMatchingKey) return 'no key of the identity provider fits it';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'it is signed in a way that is not accepted';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong';
  return 'it cannot be read';
}
