import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../loopback.ts';

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

/**
 * A server on loopback is meant for this machine. A page whose own name was made to point here (DNS rebinding) has an Origin
 * and a Host that agree; what gives it away is that its Host is no name of this machine. A server that listens elsewhere is
 * reached by names that only its operator knows: there every Host passes.
 */
export function hostGuard(listensOn: string, publicUrl: string | undefined): (request: IncomingMessage) => boolean {
  if (!isLoopback(listensOn)) return () => true;
  const own = publicUrl === undefined ? undefined : new URL(publicUrl).host;
  return ({ headers: { host } }) => {
    if (host === undefined || host === own) return true;
    return URL.canParse(`http://${host}`) && isLoopback(new URL(`http://${host}`).hostname);
  };
}
