/**
 * The parts of a signed message as Standard Webhooks has them (https://www.standardwebhooks.com, version 1): three headers and
 * the body, of which `id.timestamp.body` is signed.
 */
export interface SignedMessage {
  id: string;
  /** As it was written: seconds since 1970. */
  timestamp: string;
  /** Base64, of version 1 only: other versions are other algorithms. */
  signatures: string[];
}

/** How far a message's time may be from ours, in milliseconds: older ones may be replays. */
const TOLERANCE = 5 * 60 * 1000;
const MAX_SIGNATURES = 20;

type Headers = Record<string, string | string[] | undefined>;

/** @returns the message, or why it is none in words for its sender. */
export function readSigned(headers: Headers, now: number): SignedMessage | { wrong: string } {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const signature = headers['webhook-signature'];
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signature !== 'string')
    return { wrong: 'the headers webhook-id, webhook-timestamp and webhook-signature are needed, each once' };
  if (!/^[\x21-\x7e]{1,200}$/.test(id)) return { wrong: 'webhook-id must be 1 to 200 characters without spaces' };
  if (!/^\d{1,12}$/.test(timestamp)) return { wrong: 'webhook-timestamp must be whole seconds since 1970' };
  const off = Math.abs(now - Number(timestamp) * 1000);
  if (off > TOLERANCE)
    return {
      wrong: `webhook-timestamp is ${Math.round(off / 1000)} s away from our time; ${TOLERANCE / 1000} s are allowed`,
    };
  const signatures = signature
    .split(' ')
    .slice(0, MAX_SIGNATURES)
    .filter((each) => each.startsWith('v1,'))
    .map((each) => each.slice(3));
  if (signatures.length === 0) return { wrong: 'webhook-signature has no signature of version v1' };
  return { id, timestamp, signatures };
}
