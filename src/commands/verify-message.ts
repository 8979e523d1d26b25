import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { headerOf, proofOf } from '../core/receiver/scheme.ts';
import type { Headers } from '../core/receiver/scheme.ts';
import { readSigned } from '../core/receiver/signature.ts';
import { signingKey } from '../core/secrets.ts';
import type { WebhookKey } from '../store/secrets.ts';

/**
 * The secret that a message was signed with; undefined when it was with none of them. Each is compared as its own scheme says, over the
 * bytes as they came, and in constant time; nothing in the message chooses the scheme or the algorithm.
 */
export function verifiedBy(
  keys: readonly WebhookKey[],
  headers: Headers,
  body: Buffer,
  now: number,
): WebhookKey | undefined {
  let found: WebhookKey | undefined;
  for (const key of keys) if (isProven(key, headers, body, now)) found = key;
  return found;
}

function isProven({ value, use }: WebhookKey, headers: Headers, body: Buffer, now: number): boolean {
  const proof = proofOf(use.scheme ?? 'STANDARD', use.header);
  if (proof.kind === 'STANDARD') return isSigned(value, headers, body, now);
  const given = headerOf(headers, proof.headers);
  if (given === undefined) return false;
  if (proof.kind === 'TOKEN') return timingSafeEqual(digestOf(withoutBearer(given)), digestOf(value));
  if (!given.startsWith(proof.prefix)) return false;
  const hex = given.slice(proof.prefix.length);
  const expected = createHmac('sha256', value).update(body).digest();
  return /^[0-9a-f]{64}$/i.test(hex) && timingSafeEqual(Buffer.from(hex, 'hex'), expected);
}

/** As Standard Webhooks says: over id, time and body; any of several signatures. */
function isSigned(secret: string, headers: Headers, body: Buffer, now: number): boolean {
  const message = readSigned(headers, now);
  const key = signingKey(secret);
  if ('wrong' in message || key === undefined) return false;
  const expected = createHmac('sha256', Buffer.from(key, 'base64'))
    .update(`${message.id}.${message.timestamp}.`)
    .update(body)
    .digest();
  let isGood = false;
  for (const each of message.signatures) {
    const given = Buffer.from(each, 'base64');
    if (given.length === expected.length && timingSafeEqual(given, expected)) isGood = true;
  }
  return isGood;
}

/** Digests are of one length, whatever their texts are: the comparison says nothing about either. */
const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

const withoutBearer = (text: string): string => text.replace(/^Bearer +/i, '');
