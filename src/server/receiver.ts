import express, { type RequestHandler, type Response, Router } from 'express';
import type { App } from '../app.ts';
import { processDelivery } from '../commands/process-delivery.ts';
import { receiveDelivery } from '../commands/receive-delivery.ts';
import { tooMany } from './event-stream.ts';
import { type Limits, RateLimitedError } from './limits.ts';

/** A report is a few lines: more is no report. */
const MAX_BYTES = 256 * 1024;

/** `POST /hooks/rollouts/SOURCE`: what outside systems tell, signed as Standard Webhooks says. */
export function receiver(app: App, limits: Limits): RequestHandler {
  const router = Router();
  router.use(async (request, response, next) => {
    try {
      await limits.operation(limits.callerOf(request));
      next();
    } catch (error) {
      if (!(error instanceof RateLimitedError)) throw error;
      tooMany(response, error.message, error.retryAfter);
    }
  });
  // Whatever its type says: the signature is over the bytes. Compressed ones are refused, they would be other bytes.
  router.post(
    '/rollouts/:source',
    express.raw({ type: () => true, limit: MAX_BYTES, inflate: false }),
    async (request, response) => {
      const { source } = request.params;
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const received = await receiveDelivery(app, {
        source: source.slice(0, 100),
        headers: request.headers,
        body,
      }).catch((error: unknown) => {
        // The operator has to put a key or a secret right: the sender tries again until then.
        if (!(error instanceof Error && error.name === 'PermanentError')) throw error;
        app.log.error({ error, source }, 'a webhook could not be verified');
        return null;
      });
      if (received === null)
        return say(response, 503, 'UNAVAILABLE', 'the secrets of this server cannot be opened now');
      if (received.kind === 'UNVERIFIED') return say(response, 401, 'UNVERIFIED', received.reason);
      if (received.kind === 'CONFLICT') return say(response, 409, 'CONFLICT', received.reason);
      const { delivery, isNew, wrong } = received;
      if (wrong !== undefined) return say(response, 400, 'INVALID', wrong);
      response.status(isNew ? 202 : 200).json({ delivery: delivery.id, status: delivery.status });
      // It is stored: should this process end now, the sweep of a worker goes on with it.
      if (isNew)
        void processDelivery(app, delivery.id).catch((error: unknown) =>
          app.log.warn({ error, delivery: delivery.id }, 'a delivery waits for the sweep'),
        );
    },
  );
  return router;
}

function say(response: Response, status: number, code: string, message: string): void {
  response.status(status).json({ errors: [{ message, extensions: { code } }] });
}
