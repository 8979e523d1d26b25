import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import type { Authenticator, Identified } from '../access/authenticator.ts';
import { NotAuthentic, SessionOver } from '../access/authenticator.ts';
import { ProviderUnreachable } from '../access/oidc.ts';
import { unauthenticated } from '../resolvers/access/guard.ts';
import type { RequestOrigin } from '../schema/context.ts';
import type { Limits } from './limits.ts';
import type { OwnPages } from './own-page.ts';
import type { SessionCookies } from './session-cookie.ts';

export interface IdentifierParts {
  authenticator: Authenticator;
  limits: Limits;
  cookies: SessionCookies;
  ownPages: OwnPages;
}

/** Who sent a request, and from where, for all transports alike. */
export class Identifier {
  readonly #parts: IdentifierParts;
  /** Requests that a session's cookie came with, and that it counted on. */
  readonly #ofSessions = new WeakSet<IncomingMessage>();

  constructor(parts: IdentifierParts) {
    this.#parts = parts;
  }

  /**
   * By the Authorization header, or by what a client that cannot set one sends instead. Where there is neither, by the cookie of a session,
   * if one of our own pages has sent the request.
   * @returns null when the server runs without authentication
   * @throws GraphQLError UNAUTHENTICATED, FORBIDDEN when the cookie does not count, or UNAVAILABLE when the identity provider cannot be
   *   asked; RateLimitedError
   */
  async identify(request: IncomingMessage, instead?: unknown): Promise<Identified | null> {
    const { authenticator, cookies, ownPages } = this.#parts;
    const authorization = typeof instead === 'string' ? instead : request.headers.authorization;
    return this.asked(request, async () => {
      const cookie = authorization === undefined ? cookies.session(request) : undefined;
      if (cookie === undefined || !(await authenticator.required())) return authenticator.identify(authorization);
      ownPages.check(request);
      const identified = await authenticator.identifySession(cookie);
      this.#ofSessions.add(request);
      return identified;
    });
  }

  /**
   * What `ask` finds out of credentials, with its refusals as clients read them.
   * @param cure what to do about a token that is not good; how to send one when left out
   */
  async asked<T>(request: IncomingMessage, ask: () => Promise<T>, cure?: string): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof NotAuthentic) {
        // A caller that tries tokens is counted by address, and slowed down.
        const { limits } = this.#parts;
        await limits.operation(limits.callerOf(request));
        throw unauthenticated(error.message, error instanceof SessionOver ? 'sign in again' : cure);
      }
      if (!(error instanceof ProviderUnreachable)) throw error;
      const message = 'the identity provider cannot be reached, so its tokens cannot be checked: try again soon';
      throw new GraphQLError(message, { extensions: { code: 'UNAVAILABLE', http: { status: 503 } } });
    }
  }

  /** Asked after `identify`, which finds out whether it is the web app that sends it. */
  originOf(request: IncomingMessage, transport: RequestOrigin['transport']): RequestOrigin {
    const userAgent = request.headers['user-agent']?.slice(0, 300) ?? null;
    const address = this.#parts.limits.addressOf(request) || null;
    return { transport: this.#ofSessions.has(request) ? 'WEB' : transport, address, userAgent };
  }
}
