import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Parts } from '../parts.ts';
import type { ApprovalLink } from '../store/approval-links.ts';
import { signingKeyOf } from '../store/approval-links.ts';

/** What a link's signature binds: change any of it, and the link is none. */
type Signed = Pick<
  ApprovalLink,
  'id' | 'releaseId' | 'environment' | 'attempt' | 'step' | 'decision' | 'approver' | 'expiresAt'
>;

/** `id.signature`, both base64url: short enough for a message, and nothing in it can be read. */
export async function signLink(app: Parts, link: Signed): Promise<string> {
  const id = Buffer.from(link.id.replaceAll('-', ''), 'hex').toString('base64url');
  return `${id}.${signatureOf(await keyOf(app), link).toString('base64url')}`;
}

/** The id that a token names, not yet believed; null for what is no token at all. */
export function idOfToken(token: string): string | null {
  const [, id] = /^([A-Za-z0-9_-]{22})\.[A-Za-z0-9_-]{43}$/.exec(token) ?? [];
  if (id === undefined) return null;
  const hex = Buffer.from(id, 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Whether the token was signed by this installation for exactly this link; compared in constant time. */
export async function isSigned(app: Parts, token: string, link: Signed): Promise<boolean> {
  const given = Buffer.from(token.split('.')[1] ?? '', 'base64url');
  const right = signatureOf(await keyOf(app), link);
  return given.length === right.length && timingSafeEqual(given, right);
}

function signatureOf(key: string, link: Signed): Buffer {
  const { id, releaseId, environment, attempt, step, decision, approver, expiresAt } = link;
  const said = [id, releaseId, environment, attempt, decision, approver.name, expiresAt.getTime()];
  // Behind all the rest, so that links of an older version are still good.
  if (step !== null) said.push(step);
  return createHmac('sha256', key)
    .update(`sluice approval link 1\n${JSON.stringify(said)}`)
    .digest();
}

function keyOf({ pool, config }: Parts): Promise<string> | string {
  return config.signingKey ?? signingKeyOf(pool);
}
