import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import type { Authenticator, Identified } from '../access/authenticator.ts';
import { NotAuthentic } from '../access/authenticator.ts';
import { ProviderUnreachable } from '../access/oidc.ts';
import { unauthenticated } from '../resolvers/access/guard.ts';
import type { RequestOrigin } from '../schema/context.ts';
import type { Limits } from './limits.ts';

/** Who sent a request, and from where, for all transports alike. */
export class Identifier {
  readonly #authenticator: Authenticator;
  readonly #limits: Limits;

  constructor(authenticator: Authenticator, limits: Limits) {
    this.#authenticator = authenticator;
    this.#limits = limits;
  }

  /**
   * By the Authorization header, or by what a client that cannot set one sends instead.
   * @returns null when the server runs without authentication
   * @throws GraphQLError UNAUTHENTICATED, or UNAVAILABLE when the identity provider cannot be asked; RateLimitedError
   */
  async identify(request: IncomingMessage, instead?: unknown): Promise<Identified | null> {
    try {
      return await this.#authenticator.identify(typeof instead === 'string' ? instead : request.headers.authorization);
    } catch (error) {
      if (error instanceof NotAuthentic) {
        // A caller that tries tokens is counted by address, and slowed down.
        await this.#limits.operation(this.#limits.callerOf(request));
        throw unauthenticated(error.message);
      }
      if (!(error instanceof ProviderUnreachable)) throw error;
      const message = 'the identity provider cannot be reached, so its tokens cannot be checked: try again soon';
      throw new GraphQLError(message, { extensions: { code: 'UNAVAILABLE', http: { status: 503 } } });
    }
  }

  originOf(request: IncomingMessage, transport: RequestOrigin['transport']): RequestOrigin {
    const userAgent = request.headers['user-agent']?.slice(0, 300) ?? null;
    return { transport, address: this.#limits.addressOf(request) || null, userAgent };
  }
}
