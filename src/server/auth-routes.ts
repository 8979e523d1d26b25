import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { GraphQLError } from 'graphql';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Authenticator } from '../access/authenticator.ts';
import { NotAuthentic } from '../access/authenticator.ts';
import { ProviderUnreachable, TokenRefused } from '../access/oidc.ts';
import type { SessionKeeper } from '../access/session-keeper.ts';
import { type SignIn, SignInRefused } from '../access/sign-in.ts';
import { endSessionsAtProvider, signOut } from '../commands/access/end-session.ts';
import { NOTHING_KEPT, openSession } from '../commands/access/open-session.ts';
import type { SignedIn } from '../commands/access/open-session.ts';
import { hashOf } from '../commands/access/token.ts';
import { holderOf } from '../core/access/index.ts';
import { RefusedError } from '../core/problems.ts';
import type { Parts } from '../parts.ts';
import { readSession } from '../store/web-sessions.ts';
import type { WebSession } from '../store/web-sessions.ts';
import { neighbourhood } from './client-address.ts';
import { answer } from './http.ts';
import type { Identifier } from './identify.ts';
import type { Limits } from './limits.ts';
import type { OwnPages } from './own-page.ts';
import type { SessionCookies } from './session-cookie.ts';
import { smallPage, SMALL_PAGE_POLICY, escape } from './small-page.ts';
import { tooMany } from './event-stream.ts';

export interface AuthParts {
  app: Parts;
  authenticator: Authenticator;
  /** Null: people bring tokens. */
  signIn: SignIn | null;
  keeper: SessionKeeper;
  identifier: Identifier;
  cookies: SessionCookies;
  ownPages: OwnPages;
  limits: Limits;
}

/** Requests of one network address within a minute. A person signs in with three. */
const PER_MINUTE = 120;
const LOGOUTS_PER_MINUTE = 1_200;
const MAX_BODY = 16_384;
/** Characters of the path at which a browser ends up: it waits in a cookie, which holds 4 kB. */
const MOST_OF_PATH = 2_000;

/**
 * Signing in and out, for pages that this server serves:
 *
 *     GET  /auth            {"required": true, "identityProvider": true}: whether callers must say who they are, and how they can
 *     GET  /auth/login      leads to the identity provider; `return_to` is the path at which the browser ends up
 *     GET  /auth/callback   where it comes back
 *     POST /auth/token      {"token": "…"}: swaps a token for a session
 *     POST /auth/logout     ends the session; answers {"next": null}, or the address that ends the one at the provider
 *     POST /auth/backchannel-logout   from the identity provider itself, by a form with a signed `logout_token`: a person is signed out there
 *
 * The posts of a browser take what every request with a session takes: our own Origin, and the header `x-sluice-csrf: 1`.
 */
export function authRoutes(parts: AuthParts): Router {
  const { app, signIn } = parts;
  const router = Router();
  router.use((_request, response, next) => {
    response.set({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
    next();
  });
  // All from one address: a provider that signs out a whole company.
  const form = express.urlencoded({ extended: false, limit: MAX_BODY });
  router.post('/backchannel-logout', slowedDown(parts.limits, LOGOUTS_PER_MINUTE), form, async (request, response) => {
    if (!signIn) return notHere(response);
    const { logout_token: token } = (request.body ?? {}) as { logout_token?: unknown };
    const refuse = (status: number, words: string): void => {
      app.log.warn({ reason: words }, 'a logout of the identity provider was not carried out');
      response.status(status).json({ error: 'invalid_request', error_description: words });
    };
    if (typeof token !== 'string') return refuse(400, 'expected a form with one logout_token');
    try {
      const { issuer } = app.config.auth.oidc!;
      await endSessionsAtProvider(
        app,
        { issuer, ...(await signIn.loggedOut(token)) },
        parts.identifier.originOf(request, 'WEB'),
      );
      parts.authenticator.forget();
      response.status(200).end();
    } catch (error) {
      if (error instanceof ProviderUnreachable) return refuse(503, error.message);
      if (error instanceof TokenRefused) return refuse(400, `the logout token is refused: ${error.message}`);
      if (error instanceof RefusedError) return refuse(400, 'another logout token had the same jti');
      throw error;
    }
  });
  router.use(slowedDown(parts.limits, PER_MINUTE));

  router.get('/', async (_request, response) => {
    response.json({ required: await parts.authenticator.required(), identityProvider: signIn !== null });
  });

  router.get('/login', async (request, response) => {
    if (!signIn) return notHere(response);
    const returnTo = localPath(request.query['return_to']);
    try {
      const { address, attempt } = await signIn.begin(redirectUri(app, request));
      parts.cookies.setAttempt(request, response, { ...attempt, returnTo });
      response.redirect(303, address);
    } catch (error) {
      problem(app, response, error, returnTo);
    }
  });

  router.get('/callback', async (request, response) => {
    if (!signIn) return notHere(response);
    const { state } = request.query;
    const begun = typeof state === 'string' ? parts.cookies.takeAttempt(request, response, state) : null;
    try {
      if (!begun)
        throw new SignInRefused('this browser did not begin it, or more than ten minutes ago, or it is done already');
      const came = new URL(redirectUri(app, request));
      came.search = new URL(request.originalUrl, came).search;
      const granted = await signIn.finish(came, begun);
      const { name, groups, provider } = granted.claims;
      const issuer = app.config.auth.oidc!.issuer;
      await begin(parts, request, response, {
        origin: 'IDENTITY_PROVIDER',
        subjectKind: 'USER',
        subject: name,
        groups,
        issuer,
        providerSubject: provider.subject,
        providerSession: provider.session,
        tokenId: null,
        tokenHash: null,
        credential: `oidc ${issuer}`,
        until: null,
        kept: (id) => parts.keeper.kept(id, granted),
      });
      response.redirect(303, localPath(begun.returnTo));
    } catch (error) {
      problem(app, response, error, localPath(begun?.returnTo));
    }
  });

  router.post('/token', express.json({ limit: MAX_BODY }), async (request, response) => {
    const { token } = (request.body ?? {}) as { token?: unknown };
    if (typeof token !== 'string')
      return answer(response, 400, 'BAD_REQUEST', 'expected JSON such as {"token": "sluice_…"}');
    const text = tokenIn(token);
    if (text === '') return answer(response, 400, 'BAD_REQUEST', 'there is no token: copy it again');
    if (/\s/.test(text))
      return answer(response, 400, 'BAD_REQUEST', 'a token has no space and no line break in it: copy it again, alone');
    const swap = async (): Promise<WebSession | null> => {
      parts.ownPages.check(request);
      const identified = await parts.authenticator.identify(`Bearer ${text}`);
      if (!identified) return null;
      const { identity, tokenId, issuer, provider } = parts.authenticator.swappable(identified);
      const { kind, subject } = holderOf(identity.caller);
      return begin(parts, request, response, {
        origin: 'TOKEN',
        subjectKind: kind,
        subject,
        groups: identity.caller.groups,
        issuer,
        providerSubject: provider.subject,
        providerSession: provider.session,
        tokenId,
        tokenHash: issuer === null ? hashOf(text) : null,
        credential: identity.credential!,
        until: identity.expiresAt === null ? null : new Date(identity.expiresAt),
        kept: () => NOTHING_KEPT,
      });
    };
    const session = await refusable(response, () => parts.identifier.asked(request, swap, 'take another one'));
    if (session === undefined) return;
    if (session === null) return answer(response, 400, 'BAD_REQUEST', 'this server does not ask who is calling');
    response.json({ id: session.id, expiresAt: session.expiresAt });
  });

  router.post('/logout', async (request, response) => {
    const checked = await refusable(response, async () => {
      parts.ownPages.check(request);
      return true;
    });
    if (!checked) return;
    const session = await ended(parts, request);
    parts.cookies.clearSession(request, response);
    const isProviders = signIn !== null && session?.origin === 'IDENTITY_PROVIDER';
    // The session here has ended, whatever the provider says.
    const next = isProviders
      ? await signIn.endAddress(parts.keeper.idToken(session), `${baseOf(app, request)}/`).catch(() => null)
      : null;
    response.json({ next });
  });

  return router;
}

/** What was copied, without what comes along with it: spaces, line breaks, `Bearer` in front of it. */
const tokenIn = (copied: string): string => copied.trim().replace(/^Bearer(\s+|$)/i, '');

/** The new session's cookie takes the place of the one before, whose session ends: it is not left behind for a thief. */
async function begin(parts: AuthParts, request: Request, response: Response, who: SignedIn): Promise<WebSession> {
  await ended(parts, request);
  const from = parts.identifier.originOf(request, 'WEB');
  const { value, session } = await openSession(parts.app, who, from);
  parts.cookies.setSession(request, response, value);
  return session;
}

/** Ends the session that the request came with, if it has one. @returns it as it was */
async function ended(
  { app, cookies, identifier, authenticator }: AuthParts,
  request: Request,
): Promise<WebSession | null> {
  const value = cookies.session(request);
  const session = value === undefined ? null : await readSession(app.pool, hashOf(value));
  if (!session || session.endedAt) return null;
  await signOut(app, session, identifier.originOf(request, 'WEB'));
  authenticator.forget();
  return session;
}

/** `undefined`: it was refused, and the client has the answer. */
async function refusable<T>(response: Response, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const { code, http } = error.extensions as { code: string; http?: { status: number } };
    answer(response, http?.status ?? 429, code, error.message);
    return undefined;
  }
}

function slowedDown(limits: Limits, points: number): RequestHandler {
  const limiter = new RateLimiterMemory({ points, duration: 60 });
  return async (request, response, next) => {
    try {
      await limiter.consume(neighbourhood(limits.addressOf(request)));
      next();
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      tooMany(response, 'too many sign-ins: try again in a minute', Math.ceil(error.msBeforeNext / 1_000));
    }
  };
}

function notHere(response: Response): void {
  answer(
    response,
    404,
    'NOT_FOUND',
    'no identity provider is set up for signing in: the operator of the server can set SLUICE_OIDC_CLIENT_ID',
  );
}

/** For a person who looks at it, and who ends up at `returnTo` after another try: no page of the app is there yet. */
function problem({ log }: Parts, response: Response, error: unknown, returnTo: string): void {
  const isProviders = error instanceof ProviderUnreachable || error instanceof SignInRefused;
  if (!isProviders && !(error instanceof TokenRefused) && !(error instanceof NotAuthentic)) throw error;
  log.warn({ reason: error.message }, 'a person could not sign in');
  const status = error instanceof ProviderUnreachable ? 503 : 403;
  const words = status === 503 ? 'The identity provider cannot be reached. Try again soon.' : `${error.message}.`;
  const again = `login?return_to=${encodeURIComponent(returnTo)}`;
  response
    .status(status)
    .set('content-security-policy', SMALL_PAGE_POLICY)
    .type('html')
    .send(smallPage('You are not signed in', `<p>${escape(words)}</p><p><a href="${escape(again)}">Try again</a></p>`));
}

const baseOf = ({ config }: Parts, request: Request): string =>
  config.publicUrl ?? `http://${request.headers.host ?? `${config.host}:${config.port}`}`;

/** Without a public URL this server listens on loopback, where `hostGuard` has looked at the Host. */
const redirectUri = (app: Parts, request: Request): string => `${baseOf(app, request)}/auth/callback`;

/** A path of this host, and nothing that a browser could take for another one; the app's own page otherwise. */
export function localPath(given: unknown): string {
  const home = '../';
  if (typeof given !== 'string' || !/^\/(?![/\\])[\x21-\x7e]*$/.test(given)) return home;
  const here = 'http://here.invalid';
  if (given.includes('\\') || !URL.canParse(given, here)) return home;
  const { origin, pathname, search, hash } = new URL(given, here);
  const path = pathname + search + hash;
  return origin === here && !pathname.startsWith('//') && path.length <= MOST_OF_PATH ? path : home;
}
