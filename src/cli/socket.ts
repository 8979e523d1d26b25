import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

/**
 * A socket that is let go while it connects tells that as an error, after its owner has stopped listening; without a listener that
 * would be the end of the program.
 */
class QuietSocket extends WebSocket {
  constructor(...given: ConstructorParameters<typeof WebSocket>) {
    super(...given);
    this.on('error', () => undefined);
  }
}

/** A connection for subscriptions to a server, which is made when the first of them begins. */
export function openSocket(server: string, headers: Record<string, string>, connected: () => void): Client {
  return createClient({
    url: `${server.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: QuietSocket,
    connectionParams: headers,
    // Its user comes back by itself: the library would ask for the same cursor again.
    retryAttempts: 0,
    // A server that is gone without a word (power, network) is noticed.
    keepAlive: 10_000,
    on: { connected },
  });
}
