import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * An API token: `sluice_`, 12 characters that name it, 32 secret ones (190 bits), and 6 that are a checksum of what stands
 * before them. A scanner for leaked secrets recognises one without asking us, and a mistyped one costs no look-up.
 */
export interface MadeToken {
  /** Shown once, kept nowhere. */
  token: string;
  id: string;
  hash: string;
}

const PREFIX = 'sluice_';
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const FORM = /^sluice_([0-9A-Za-z]{12})[0-9A-Za-z]{32}([0-9A-Za-z]{6})$/;

/** A new random token; only its hash is to be stored. */
export function makeToken(): MadeToken {
  const id = letters(12);
  const body = `${PREFIX}${id}${letters(32)}`;
  const token = body + checksum(body);
  return { token, id, hash: hashOf(token) };
}

/** The part that names the token; null for text that is none. */
export function tokenId(text: string): string | null {
  const match = FORM.exec(text);
  return match && checksum(text.slice(0, -6)) === match[2] ? match[1]! : null;
}

/** The secret has so much chance in it that a slow hash would add nothing. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Takes the same time wherever they differ. */
export function sameHash(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, 'hex'), Buffer.from(b, 'hex')];
  return left.length === right.length && timingSafeEqual(left, right);
}

function letters(count: number): string {
  let text = '';
  while (text.length < count) {
    // 248 is the largest multiple of 62 in a byte: the rest would make some letters more likely.
    for (const byte of randomBytes(count)) if (byte < 248 && text.length < count) text += ALPHABET[byte % 62];
  }
  return text;
}

function checksum(body: string): string {
  let rest = crc32(body);
  let text = '';
  for (let place = 0; place < 6; place += 1) {
    text = ALPHABET[rest % 62]! + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}
