import { cacheExchange, Client, type CombinedError, fetchExchange, mapExchange } from 'urql';
import { heard, refused, unreachable } from './connection.ts';
import { addressOf } from './place.ts';
import { authorization } from './token.ts';

/** Questions and orders. What is live comes over `live.ts`. */
export const createApi = (): Client =>
  new Client({
    url: addressOf('graphql'),
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    fetchOptions: () => ({ headers: authorization() }),
    exchanges: [
      mapExchange({
        onResult(result) {
          const { error } = result;
          if (error?.networkError && error.response === undefined) unreachable();
          else heard();
          const code = error?.graphQLErrors.find(({ extensions }) => extensions['code'] === 'UNAUTHENTICATED');
          if (code) refused(code.message);
          // An answer without data is null, and its type says that it is undefined.
          return { ...result, data: result.data ?? undefined };
        },
      }),
      cacheExchange,
      fetchExchange,
    ],
  });

/** An error in the words of the API, without the library's own in front. */
export function wordsOf(error: CombinedError): string {
  const words = error.graphQLErrors.map(({ message }) => message);
  if (words.length > 0) return words.join('\n');
  if (error.response === undefined) return 'The server cannot be reached.';
  return error.message.replace(/^\[\w+\] /, '');
}
