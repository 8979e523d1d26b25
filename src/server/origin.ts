import type { IncomingMessage } from 'node:http';

/**
 * Browsers let any page open a WebSocket or send a simple request anywhere, with the user's cookies and from inside the
 * user's network. So what comes from a page must come from our own, or from one that is allowed. Programs that are no
 * browsers send no Origin.
 */
export function originAllowed(request: IncomingMessage, allowed: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  if (allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
