import { authExchange } from '@urql/exchange-auth';
import { cacheExchange, Client, type CombinedError, fetchExchange, mapExchange } from 'urql';
import { readClock } from './clock.ts';
import { heard, unreachable } from './connection.ts';
import { addressOf } from './place.ts';
import { OWN_PAGE, untilSignedIn } from './session.ts';

/** Questions and orders. What is live comes over `live.ts`. */
export function createApi(): Client {
  let words = '';
  return new Client({
    url: addressOf('graphql'),
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    fetchOptions: { headers: OWN_PAGE },
    fetch: async (...asked) => {
      const from = performance.now();
      const response = await fetch(...asked);
      readClock(response.headers.get('date'), performance.now() - from);
      return response;
    },
    exchanges: [
      mapExchange({
        // An answer without data is null, and its type says that it is undefined.
        onResult: (result) => ({ ...result, data: result.data ?? undefined }),
      }),
      cacheExchange,
      // What is asked while the session is over waits, and is asked again when the same person is back: nothing of it was carried out.
      authExchange(async () => ({
        addAuthToOperation: (operation) => operation,
        didAuthError(error) {
          const refused = error.graphQLErrors.find(({ extensions }) => extensions['code'] === 'UNAUTHENTICATED');
          words = refused?.message ?? words;
          return refused !== undefined;
        },
        refreshAuth: () => untilSignedIn(words),
      })),
      mapExchange({
        onResult({ error }) {
          if (error?.networkError && error.response === undefined) unreachable();
          else heard();
        },
      }),
      fetchExchange,
    ],
  });
}

/** An error in the words of the API, without the library's own in front. */
export function wordsOf(error: CombinedError): string {
  const words = error.graphQLErrors.map(({ message }) => message);
  if (words.length > 0) return words.join('\n');
  if (error.response === undefined) return 'The server cannot be reached.';
  return error.message.replace(/^\[\w+\] /, '');
}
