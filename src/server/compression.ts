import compression from 'compression';
import type { RequestHandler } from 'express';

/**
 * Answers above this size are compressed where the client takes it; of a smaller one there is little to gain.
 */
const LEAST = 8_192;

/**
 * Compresses what is sent in one piece. Streams stay as they are: each event has to leave at once. So does an answer whose
 * Cache-Control says `no-transform` (RFC 9111, 5.2.2.6), which proxies obey as well: see `PLAIN`.
 */
export function compressed(least = LEAST): RequestHandler {
  return compression({
    threshold: least,
    filter: (request, response) =>
      !String(response.getHeader('content-type')).startsWith('text/event-stream') &&
      compression.filter(request, response),
  });
}

/**
 * The Cache-Control of an answer that can hold a secret beside text that its reader chose, as a mutation's can that makes a token: its
 * compressed size would tell how much of the secret the text has guessed (BREACH).
 */
export const PLAIN = 'no-store, no-transform';
