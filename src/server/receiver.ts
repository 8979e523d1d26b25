import express, { type NextFunction, type Request, type RequestHandler, type Response, Router } from 'express';
import type { App } from '../app.ts';
import { processDelivery, processDue } from '../commands/process-delivery.ts';
import { NEWS_PURPOSES } from '../commands/receive-news.ts';
import { receiveDelivery } from '../commands/receive-delivery.ts';
import type { Received } from '../commands/receive-delivery.ts';
import { NewsReceiver, refuse } from './news-receiver.ts';
import { tooMany } from './event-stream.ts';
import { type Limits, RateLimitedError } from './limits.ts';

/** A report is a few lines: more is no report. */
const MAX_BYTES = 256 * 1024;
/** Processed side by side by one process, of all that its sources send. */
const AT_ONCE = 16;
/** When a source may send again that has too much waiting, in seconds. */
const LATER = 10;

/**
 * `POST /hooks/git/SOURCE`, `/hooks/argocd/SOURCE` and `/hooks/generic/SOURCE`: news; see `NewsReceiver`.
 *
 * `POST /hooks/rollouts/SOURCE` and `/hooks/approvals/SOURCE`: what outside systems tell, and decide, signed as Standard Webhooks
 * says. Every sender is counted by address, and one that has proven to be the source by the source's name, too.
 */
export function receiver(app: App, limits: Limits): RequestHandler {
  const router = Router();
  const follow = following(app);
  const news = new NewsReceiver(app, limits);
  for (const purpose of NEWS_PURPOSES) {
    const receive: Handler = async (request, response) => {
      const received = await news.receive(purpose, request);
      if ('status' in received) refuse(response, received);
      else answer(response, received, follow);
    };
    router.post(`/${purpose}/:source`, limited(unlessClosed(app, receive)));
  }
  // Whatever its type says: the signature is over the bytes. Compressed ones are refused, they would be other bytes.
  const body = express.raw({ type: () => true, limit: MAX_BYTES, inflate: false });
  router.use(
    limited(async (request, _response, next) => {
      await limits.operation(limits.callerOf(request));
      next();
    }),
  );
  for (const purpose of ['rollouts', 'approvals'] as const) {
    const receive: Handler = async (request, response) => {
      const source = String(request.params['source']).slice(0, 100);
      const address = limits.addressOf(request) || null;
      const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const arrived = { purpose, source, address, headers: request.headers, body: bytes };
      const received = await receiveDelivery(app, arrived, () => limits.operation(`webhook ${source}`));
      answer(response, received, follow);
    };
    router.post(`/${purpose}/:source`, body, limited(unlessClosed(app, receive)));
  }
  return router;
}

type Handler = (request: Request, response: Response, next: NextFunction) => Promise<void>;

function limited(handle: Handler): Handler {
  return async (request, response, next) => {
    try {
      await handle(request, response, next);
    } catch (error) {
      if (!(error instanceof RateLimitedError)) throw error;
      tooMany(response, error.message, error.retryAfter);
    }
  };
}

/** The operator has to put a key or a secret right: the sender tries again until then. */
function unlessClosed({ log }: App, handle: Handler): Handler {
  return async (request, response, next) => {
    try {
      await handle(request, response, next);
    } catch (error) {
      if (!(error instanceof Error && error.name === 'PermanentError')) throw error;
      log.error({ error, source: request.params['source'] }, 'a webhook could not be verified');
      say(response, 503, 'UNAVAILABLE', 'the secrets of this server cannot be opened now');
    }
  };
}

function answer(response: Response, received: Received, follow: (delivery: string) => void): void {
  if (received.kind === 'UNVERIFIED') return say(response, 401, 'UNVERIFIED', received.reason);
  if (received.kind === 'CONFLICT') return say(response, 409, 'CONFLICT', received.reason);
  if (received.kind === 'FULL') return tooMany(response, received.reason, LATER);
  const { delivery, isNew, wrong } = received;
  if (wrong !== undefined) return say(response, 400, 'INVALID', wrong);
  response.status(isNew ? 202 : 200).json({ delivery: delivery.id, status: delivery.status });
  // News that came before may be told again: what comes of it is done again.
  if ((isNew || delivery.status === 'PENDING') && received.isDone !== true) follow(delivery.id);
}

/**
 * Processes what was stored, at once, but not all of a flood side by side: what finds no place is taken from the table by those
 * who have one. Should this process end now, the sweep of a worker goes on with it.
 */
function following(app: App): (delivery: string) => void {
  let busy = 0;
  let more = false;
  const work = async (delivery: string): Promise<void> => {
    await processDelivery(app, delivery);
    while (more) more = (await processDue(app)) > 0;
  };
  return (delivery) => {
    if (busy >= AT_ONCE) {
      more = true;
      return;
    }
    busy += 1;
    work(delivery)
      .catch((error: unknown) => app.log.warn({ error, delivery }, 'a delivery waits for the sweep'))
      .finally(() => (busy -= 1));
  };
}

function say(response: Response, status: number, code: string, message: string): void {
  response.status(status).json({ errors: [{ message, extensions: { code } }] });
}
