import * as client from 'openid-client';
import type { Clock } from '../clock.ts';
import type { OidcClient, OidcConfig } from '../config.ts';
import { OidcVerifier, PAUSE_MS, ProviderUnreachable, TokenRefused, whole } from './oidc.ts';
import type { Claims, Logout, OidcTimes } from './oidc.ts';

/** What the browser keeps between going to the identity provider and coming back; of use to that browser alone, once. */
export interface Attempt {
  state: string;
  nonce: string;
  /** Of PKCE: a code that somebody else got hold of is of no use without it. */
  verifier: string;
}

/** What a sign-in, or the renewal of one, brought. */
export interface Granted {
  /** Null: the provider renewed without a new ID token, so it said nothing new about the person. */
  claims: Pick<Claims, 'name' | 'groups'> | null;
  idToken: string | null;
  refreshToken: string | null;
  /** How long what was said is good for, in milliseconds. */
  goodFor: number;
}

/** The provider, or what it answered, does not let this person in; the message is for the person. */
export class SignInRefused extends Error {
  override readonly name = 'SignInRefused';
}

/** In seconds: as long as a person waits. */
const TIMEOUT_S = 10;
/** Of an answer that says nothing about its end, in milliseconds. */
const UNSAID = 5 * 60_000;

/**
 * The authorization code flow with PKCE, run by the server: the browser sees a code, and never a token. ID tokens are checked as
 * bearer tokens are (signature, issuer, algorithm, name), for the audience that Sluice is at the provider.
 */
export class SignIn {
  readonly #config: OidcConfig & { client: OidcClient };
  readonly #verifier: OidcVerifier;
  #found: Promise<client.Configuration> | null = null;
  #failedAt = -Infinity;

  constructor(config: OidcConfig & { client: OidcClient }, clock: Pick<Clock, 'now'>, times?: Partial<OidcTimes>) {
    this.#config = config;
    this.#verifier = new OidcVerifier({ ...config, audience: config.client.id }, clock, times);
  }

  /**
   * @param redirectUri where the provider sends the browser back to
   * @throws ProviderUnreachable
   */
  async begin(redirectUri: string): Promise<{ address: string; attempt: Attempt }> {
    const provider = await this.#provider();
    const attempt = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      verifier: client.randomPKCECodeVerifier(),
    };
    const address = client.buildAuthorizationUrl(provider, {
      redirect_uri: redirectUri,
      scope: this.#config.client.scopes,
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(attempt.verifier),
      code_challenge_method: 'S256',
    });
    return { address: address.href, attempt };
  }

  /**
   * @param came the address at which the browser came back, which begins as `redirectUri` did
   * @throws SignInRefused, ProviderUnreachable
   */
  async finish(came: URL, attempt: Attempt): Promise<Granted & { claims: Claims }> {
    const provider = await this.#provider();
    const checks = {
      expectedState: attempt.state,
      expectedNonce: attempt.nonce,
      pkceCodeVerifier: attempt.verifier,
      idTokenExpected: true,
    };
    const answer = await client.authorizationCodeGrant(provider, came, checks).catch((error: unknown) => {
      throw this.#wording(error);
    });
    const claims = await this.#claimsOf(answer.id_token!);
    return { ...granted(answer, claims), claims };
  }

  /** @throws SignInRefused: the provider does not let the person in any more; ProviderUnreachable: try later */
  async renew(refreshToken: string): Promise<Granted> {
    const provider = await this.#provider();
    const answer = await client.refreshTokenGrant(provider, refreshToken).catch((error: unknown) => {
      // Whatever else it refuses is a fault of the set-up: sessions do not end for that.
      if (error instanceof client.ResponseBodyError && error.error !== 'invalid_grant')
        throw unreachable(this.#config, `it answers ${error.error}`);
      throw this.#wording(error);
    });
    const claims = answer.id_token === undefined ? null : await this.#claimsOf(answer.id_token);
    return granted(answer, claims);
  }

  /**
   * Where the browser goes to end the session at the provider as well; null: the provider has no such address.
   * @throws ProviderUnreachable
   */
  async endAddress(idToken: string | null, backTo: string): Promise<string | null> {
    const provider = await this.#provider();
    if (provider.serverMetadata().end_session_endpoint === undefined) return null;
    return client.buildEndSessionUrl(provider, {
      post_logout_redirect_uri: backTo,
      ...(idToken !== null && { id_token_hint: idToken }),
    }).href;
  }

  /** @throws TokenRefused, ProviderUnreachable */
  loggedOut(logoutToken: string): Promise<Logout> {
    return this.#verifier.verifyLogout(logoutToken);
  }

  async #claimsOf(idToken: string): Promise<Claims> {
    return this.#verifier.verify(idToken).catch((error: unknown) => {
      if (error instanceof TokenRefused) throw new SignInRefused(`the identity provider's token: ${error.message}`);
      throw error;
    });
  }

  /** Found once, and again after a failure; a provider that is down is not asked by each click. */
  #provider(): Promise<client.Configuration> {
    if (performance.now() - this.#failedAt < PAUSE_MS)
      return Promise.reject(unreachable(this.#config, 'it did not answer a moment ago'));
    this.#found ??= this.#discover().catch((error: unknown) => {
      this.#found = null;
      this.#failedAt = performance.now();
      throw unreachable(this.#config, causeOf(error));
    });
    return this.#found;
  }

  #discover(): Promise<client.Configuration> {
    const { issuer, client: own } = this.#config;
    const isPlain = new URL(issuer).protocol === 'http:';
    return client.discovery(
      new URL(issuer),
      own.id,
      // The library goes by the clock of this machine, which can be wrong: `OidcVerifier` says whether a token has expired.
      { [client.clockTolerance]: Number.MAX_SAFE_INTEGER },
      own.secret === undefined ? client.None() : inItsWay(own.secret),
      {
        // The setting takes plain HTTP for loopback alone.
        execute: isPlain ? [client.allowInsecureRequests] : [],
        timeout: TIMEOUT_S,
        [client.customFetch]: (address, init) => whole(address, { ...init, body: init.body ?? null }),
      },
    );
  }

  #wording(error: unknown): SignInRefused | ProviderUnreachable {
    if (error instanceof client.AuthorizationResponseError || error instanceof client.ResponseBodyError)
      return new SignInRefused(`the identity provider answers: ${said(error.error_description ?? error.error)}`);
    // What does not fit together (state, nonce, PKCE, claims) is told apart by its code alone: its words are for developers.
    if (error instanceof client.ClientError && error.code !== undefined && MISFITS.has(error.code))
      return new SignInRefused('the answer of the identity provider does not belong to this sign-in');
    return unreachable(this.#config, causeOf(error));
  }
}

const MISFITS: ReadonlySet<string> = new Set([
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_INVALID_REQUEST',
]);

/** A secret goes as the provider takes it: in a header unless it says that it takes it in the body alone. */
function inItsWay(secret: string): client.ClientAuth {
  const [basic, post] = [client.ClientSecretBasic(secret), client.ClientSecretPost(secret)];
  return (server, own, body, headers) => {
    const ways = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const way = !ways.includes('client_secret_basic') && ways.includes('client_secret_post') ? post : basic;
    return way(server, own, body, headers);
  };
}

type Answer = client.TokenEndpointResponse & client.TokenEndpointResponseHelpers;

function granted(answer: Pick<Answer, 'refresh_token' | 'id_token' | 'expiresIn'>, claims: Claims | null): Granted {
  const { refresh_token: refreshToken = null, id_token: idToken = null } = answer;
  const seconds = answer.expiresIn();
  return {
    claims: claims && { name: claims.name, groups: claims.groups },
    idToken,
    refreshToken,
    goodFor: seconds === undefined ? UNSAID : seconds * 1_000,
  };
}

const unreachable = ({ issuer }: OidcConfig, why: string): ProviderUnreachable =>
  new ProviderUnreachable(`the identity provider ${issuer} cannot be asked: ${why}`);

/** Words from outside: short, and in one line. */
const said = (text: string): string => text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200);

/** The library wraps what a network says. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
