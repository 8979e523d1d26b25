import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';

/** A header that only a page of ours sends: a page of another origin has to ask first (CORS), and is told no. */
export const CSRF_HEADER = 'x-sluice-csrf';

/**
 * A browser sends cookies with whatever any page makes it send. So a cookie counts only on requests that a page of this very server
 * has made, which is more than `originAllowed` asks: other origins that may use the API bring tokens.
 */
export class OwnPages {
  readonly #publicUrl: URL | null;

  constructor(publicUrl: string | undefined) {
    this.#publicUrl = publicUrl === undefined ? null : new URL(publicUrl);
  }

  /** @throws GraphQLError FORBIDDEN, with what is missing: the cookie of the request does not count */
  check({ method, headers }: IncomingMessage): void {
    const { origin, upgrade } = headers;
    // Of a WebSocket browsers do not agree on the site.
    const site = upgrade === undefined ? headers['sec-fetch-site'] : undefined;
    if (site !== undefined && site !== 'same-origin') throw forbidden('another site sends it');
    if (origin !== undefined && !this.#isOwn(origin, headers.host))
      throw forbidden('a page of another origin sends it');
    if (method === 'GET') {
      // A WebSocket, which has an Origin, or an event stream, of which browsers tell the site alone, on TLS and loopback.
      if (origin === undefined && site === undefined) throw forbidden('it has no Origin');
      return;
    }
    if (origin === undefined) throw forbidden('it has no Origin');
    if (headers[CSRF_HEADER] !== '1') throw forbidden(`it has no header \`${CSRF_HEADER}: 1\``);
  }

  #isOwn(origin: string, host: string | undefined): boolean {
    if (!URL.canParse(origin)) return false;
    // Of the public name its scheme counts, too: somebody on the way can answer for it on plain HTTP.
    if (this.#publicUrl && host === this.#publicUrl.host) return origin === this.#publicUrl.origin;
    return origin === this.#publicUrl?.origin || new URL(origin).host === host;
  }
}

function forbidden(why: string): GraphQLError {
  return new GraphQLError(`the session does not count on this request: ${why}`, {
    extensions: { code: 'FORBIDDEN', http: { status: 403 } },
  });
}
