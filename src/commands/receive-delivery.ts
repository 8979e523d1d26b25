import { randomUUID } from 'node:crypto';
import type { Parts } from '../parts.ts';
import type { Delivery } from '../core/receiver/delivery.ts';
import { readDecision } from '../core/receiver/decision.ts';
import { readRollout } from '../core/receiver/rollout.ts';
import { readSigned } from '../core/receiver/signature.ts';
import { verifiedBy as keyOf } from './verify-message.ts';
import { keepDelivery, MAX_PENDING } from '../store/deliveries.ts';

/** A webhook message as it came, before anybody has looked whether its sender is known. */
export interface Arrived {
  /** What it is for: reports of rollouts, or decisions on approvals. */
  purpose: 'rollouts' | 'approvals';
  source: string;
  /** From where it came; null: not known. */
  address: string | null;
  headers: Record<string, string | string[] | undefined>;
  /** As it came: the signature is over these bytes. */
  body: Buffer;
}

/** What became of a message that arrived. */
export type Received =
  /** Stored. `wrong`: it is signed, and not a message that we know; stored all the same. */
  | {
      kind: 'STORED';
      delivery: Pick<Delivery, 'id' | 'status'>;
      isNew: boolean;
      wrong?: string;
      /** News: a look says what comes of it. */ isDone?: true;
    }
  /** Nothing is stored: the message does not prove who sent it. */
  | { kind: 'UNVERIFIED'; reason: string }
  /** Another message came under the same id before. */
  | { kind: 'CONFLICT'; reason: string }
  /** Nothing is stored: too much of the source is not processed yet. */
  | { kind: 'FULL'; reason: string };

/** Kept with the delivery: what helps to understand it, and nothing that could sign or log in. */
const KEPT_HEADERS = ['content-type', 'user-agent', 'webhook-id', 'webhook-timestamp'];

/**
 * Verifies and stores what an outside system sent; once it answers, the message is not lost any more.
 *
 * @param admit asked once it is known who sent it; what it throws is thrown, and nothing is stored
 */
export async function receiveDelivery(
  app: Parts,
  { purpose, source, address, headers, body }: Arrived,
  admit: () => Promise<void> = () => Promise.resolve(),
): Promise<Received> {
  const now = app.clock.now();
  const message = readSigned(headers, now.getTime());
  if ('wrong' in message) return { kind: 'UNVERIFIED', reason: message.wrong };
  const { keys, broken } = await app.secrets.webhookSecrets(source, purpose);
  const verifiedBy = keyOf(keys, headers, body, now.getTime())?.name;
  // It may be good by a key that cannot be opened now: the sender is not told that it is none.
  if (verifiedBy === undefined && broken) throw broken;
  // The same words as for a source that does not exist: a sender that tries out names learns nothing.
  if (verifiedBy === undefined)
    return { kind: 'UNVERIFIED', reason: `the signature is not one of a secret of source "${source}" for ${purpose}` };
  await admit();
  const text = decoded(body);
  if (text === undefined) return { kind: 'CONFLICT', reason: 'the body is not UTF-8 text, or has a NUL character' };
  const read = purpose === 'rollouts' ? readRollout(text) : readDecision(text);
  const wrong = 'wrong' in read ? read.wrong : undefined;
  const kept = await keepDelivery(app.pool, {
    id: randomUUID(),
    source,
    webhookId: message.id,
    purpose,
    headers: Object.fromEntries(KEPT_HEADERS.flatMap((name) => (headers[name] ? [[name, String(headers[name])]] : []))),
    body: text,
    address,
    receivedAt: now,
    verifiedBy,
    status: wrong === undefined ? 'PENDING' : 'REFUSED',
    outcome: wrong ?? null,
    dueAt: now,
  });
  if (!kept)
    return { kind: 'FULL', reason: `${MAX_PENDING} messages of this source wait to be processed: send again later` };
  const { delivery, isNew } = kept;
  if (!isNew && delivery.body !== text)
    return { kind: 'CONFLICT', reason: `another message came before with the webhook-id ${message.id}` };
  return { kind: 'STORED', delivery, isNew, ...(wrong !== undefined && { wrong }) };
}

/** Undefined: it is not UTF-8, or has a NUL character. */
export function decoded(body: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}
