import { createHmac, randomBytes } from 'node:crypto';

export interface SignedWebhook {
  headers: Record<string, string>;
  body: Buffer;
}

let sent = 0;

/** As Standard Webhooks says, by hand: the product's own code is what is tested. */
export function signWebhook(given: {
  /** `whsec_` and the key in base64. */
  secret: string;
  body: string | Buffer | object;
  id?: string;
  /** Seconds since 1970; now when left out. */
  timestamp?: string;
}): SignedWebhook {
  const { secret, body, id = newWebhookId(), timestamp = String(Math.floor(Date.now() / 1000)) } = given;
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const key = Buffer.from(secret.slice(6), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(bytes).digest('base64');
  return {
    headers: { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` },
    body: bytes,
  };
}

export const newWebhookId = (): string => `msg_${(sent += 1)}_${randomBytes(3).toString('hex')}`;
export const newWebhookSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;
