import { createHmac, timingSafeEqual } from 'node:crypto';
import type { EffectContext, PinnedContent } from '../driver.ts';
import { PermanentError } from '../driver.ts';
import type { Change } from './changes.ts';
import { changesFor } from './changes.ts';
import { claimIn, claimOf, instancesOf, KEY_TRAILER, type Claim, type Seal } from './claim.ts';
import { type CommitFacts, commitsWithKey } from './history.ts';
import type { Mirror } from './mirror.ts';
import { objectId } from './objects.ts';

/**
 * Anybody who may push to a branch can write a commit message. So a commit counts as the effect of a key only with proof:
 *
 * 1. it is signed: an HMAC, by a key that only Sluice's processes have, over the trailers and over what the commit changes,
 *    file by file. A message that is copied to another commit proves nothing there.
 * 2. it changes nothing outside the application's folder.
 * 3. the content at that commit is what was to be written.
 *
 * Sluice before 0.2 did not sign. Its commits count for releases that were created then, where the other trailers fit, and 2 and 3
 * hold.
 */

/** The keys that sign: the first signs, all are believed. */
export type SigningKeys = () => Promise<readonly string[]>;

/** A file as a commit leaves it: mode, id of the content, path. Zeros: it is gone. */
type Written = string;

/** What a commit of these changes writes, on a repository whose ids have this length. */
export function written(changes: readonly Change[], idLength: number): Written[] {
  return changes.map((change) =>
    change.mode === null
      ? `000000 ${'0'.repeat(idLength)} ${change.path}`
      : `${change.mode} ${objectId('blob', change.bytes, idLength)} ${change.path}`,
  );
}

/** HMAC-SHA-256 over the claim and the changes, base64url: who does not have the key cannot make a commit look like ours. */
function signatureOf(key: string, claim: Claim, changes: readonly Written[]): string {
  const said = [claim.kind, claim.release, claim.environment, claim.application, claim.key, [...changes].toSorted()];
  return createHmac('sha256', key)
    .update(`sluice commit 1\n${JSON.stringify(said)}`)
    .digest('base64url');
}

/** By the first of the keys. */
export function sealOf(keys: readonly string[], context: EffectContext, changes: readonly Written[]): Seal {
  const signature = signatureOf(keys[0]!, claimOf(context), changes);
  return { signature, instance: instancesOf(keys)[0]!, chain: context.chain ?? 0 };
}

/** Whether one of our processes made the commit, as it stands. */
export function isSigned(keys: readonly string[], message: string, changes: readonly Written[]): boolean {
  const claim = claimIn(message);
  if (claim?.signature === undefined) return false;
  const given = Buffer.from(claim.signature, 'base64url');
  return keys.some((key) => {
    const right = Buffer.from(signatureOf(key, claim, changes), 'base64url');
    return given.length === right.length && timingSafeEqual(given, right);
  });
}

/** The same for a commit of the mirror. */
export async function isSignedCommit(
  mirror: Mirror,
  keys: readonly string[],
  { commit, message }: CommitFacts,
  signal: AbortSignal,
): Promise<boolean> {
  return claimIn(message) !== null && isSigned(keys, message, await writtenBy(mirror, commit, signal));
}

/** What a commit changed against its only parent; nothing for a merge. */
export async function writtenBy(mirror: Mirror, commit: string, signal: AbortSignal): Promise<Written[]> {
  const args = ['diff-tree', '-r', '-z', '--raw', '--no-renames', '--no-abbrev', '--no-commit-id', '--root', commit];
  return readRaw((await mirror.ask(args, signal)).toString('utf8').split('\0'));
}

/** `:MODE MODE ID ID STATUS`, then the path: of git's raw format, with NULs between. */
function readRaw(fields: string[]): Written[] {
  const found: Written[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, mode, , id] = fields[at]!.trim().split(' ');
    found.push(`${mode} ${id} ${fields[at + 1]}`);
  }
  return found;
}

/** The path of a written change. */
export const pathIn = (each: Written): string => each.split(' ').slice(2).join(' ');

/** Where a key is looked for. */
export interface Search {
  mirror: Mirror;
  head: string;
  folder: string;
  keys: readonly string[];
}

/** A commit that is the effect of a key; `changed` is false for one that was made to change nothing. */
export interface Found {
  facts: CommitFacts;
  changed: boolean;
}

/** The commit that is the effect of the context's key, if there is one that proves it. */
export async function findEffect(
  { mirror, head, folder, keys }: Search,
  content: PinnedContent,
  context: EffectContext,
): Promise<Found | undefined> {
  const { key, since, signal } = context;
  // The oldest: should it be there twice (cherry-picked by hand), the first one was the effect.
  for (const facts of (await commitsWithKey(mirror, head, key, since, signal)).toReversed()) {
    const changes = await writtenBy(mirror, facts.commit, signal);
    // Only a rollback makes a commit without changes: to keep what it takes back from arriving later.
    if ((changes.length === 0 && !context.rollback) || !changes.every((each) => isBelow(folder, pathIn(each))))
      continue;
    const unsigned = context.unsignedKeys === true && changes.length > 0 && fits(facts, context);
    const believed = unsigned || isSigned(keys, facts.message, changes);
    if (believed && (await holdsAt(mirror, facts.commit, folder, content, signal)))
      return { facts, changed: changes.length > 0 };
  }
  return undefined;
}

/** The same without knowing the content: the signature alone must do. */
export async function findSigned(
  { mirror, head, folder, keys }: Search,
  key: string,
  signal: AbortSignal,
): Promise<Found | undefined> {
  for (const facts of (await commitsWithKey(mirror, head, key, undefined, signal)).toReversed()) {
    const changes = await writtenBy(mirror, facts.commit, signal);
    if (!changes.every((each) => isBelow(folder, pathIn(each)))) continue;
    if (isSigned(keys, facts.message, changes)) return { facts, changed: changes.length > 0 };
  }
  return undefined;
}

/** Whether a path is below an application's folder. */
export const isBelow = (folder: string, path: string): boolean => folder === '' || path.startsWith(`${folder}/`);

/** An unsigned commit says of itself what the context says. */
function fits({ message }: CommitFacts, context: EffectContext): boolean {
  const said = claimIn(message);
  const wanted = claimOf(context);
  if (!said || said.signature !== undefined) return false;
  return (['kind', 'release', 'environment', 'application', 'key'] as const).every(
    (each) => said[each] === wanted[each],
  );
}

/** Whether the folder holds the content at a commit. */
export async function holdsAt(
  mirror: Mirror,
  commit: string,
  folder: string,
  content: PinnedContent,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return (await changesFor(mirror, commit, folder, content, signal)).length === 0;
  } catch (error) {
    if (error instanceof PermanentError) return false;
    throw error;
  }
}

/**
 * Paths that commits after `base` touched and that are not ours. An unsigned commit of an earlier Sluice counts as ours only as long
 * as none that is signed stands before it: from then on every commit of ours is signed.
 */
export async function touchedByOthers(
  { mirror, head, keys }: Search,
  base: string,
  paths: string[],
  context: Pick<EffectContext, 'environment' | 'application' | 'signal'>,
): Promise<string[]> {
  const range = ['--topo-order', '--reverse', `${base}..${head}`];
  const shape = ['-z', '--raw', '--no-abbrev', '--no-renames', '--full-history', '--full-diff', '--format=%x01%B%x00'];
  const records = (await mirror.ask(['log', ...shape, ...range, '--', ...paths], context.signal)).toString('utf8');
  const before = await mirror.ask(['log', '-1', '--format=%B', base, '--'], context.signal);
  let signing = claimIn(before.toString('utf8'))?.signature !== undefined;
  const foreign = new Set<string>();
  for (const record of records.split('\x01').slice(1)) {
    const [message = '', ...fields] = record.split('\0');
    // Behind the message git puts an empty field, or a line break, before the first file.
    const first = fields.findIndex((each) => each.trim().startsWith(':'));
    const changes = first < 0 ? [] : readRaw(fields.slice(first));
    const signed = isSigned(keys, message, changes);
    signing ||= signed;
    const ours = signed || (!signing && isUnsignedOurs(message, context));
    if (!ours) for (const each of changes) foreign.add(pathIn(each));
  }
  return paths.filter((path) => foreign.has(path));
}

function isUnsignedOurs(
  message: string,
  { environment, application }: Pick<EffectContext, 'environment' | 'application'>,
): boolean {
  const claim = claimIn(message);
  if (!claim || claim.signature !== undefined || !message.includes(`${KEY_TRAILER}: `)) return false;
  return claim.environment === environment && claim.application === application;
}
