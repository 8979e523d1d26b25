import { createHash } from 'node:crypto';
import type { EffectContext } from '../driver.ts';

/** What the trailers of a commit say of it. */
export interface Claim {
  kind: 'Sluice-Release' | 'Sluice-Rollback';
  release: string;
  environment: string;
  application: string;
  key: string;
}

/** The trailer by which the effect of a key is found again. */
export const KEY_TRAILER = 'Sluice-Key';
const SIGNATURE_TRAILER = 'Sluice-Signature';
const INSTANCE_TRAILER = 'Sluice-Instance';
const CHAIN_TRAILER = 'Sluice-Chain';

/** In one line, so that a name cannot add a trailer. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').slice(0, 600);

/** What the commit of this effect claims to be. */
export function claimOf({ rollback, releaseId, environment, application, key }: EffectContext): Claim {
  return {
    kind: rollback ? 'Sluice-Rollback' : 'Sluice-Release',
    release: oneLine(releaseId),
    environment: oneLine(environment),
    application: oneLine(application),
    key: oneLine(key),
  };
}

/** What proves a claim, and where it comes from. */
export interface Seal {
  signature: string;
  /** The installation that made the commit. */
  instance: string;
  /** How many made what led to it, one after the other; 0: a person did. */
  chain: number;
}

/** The names of an installation: one for each of its signing keys, the current one first. All processes have the same. */
export const instancesOf = (keys: readonly string[]): string[] =>
  keys.map((each) => createHash('sha256').update(`sluice instance 1\n${each}`).digest('hex').slice(0, 16));

/** The lines at the end of the message. */
export function trailersOf(claim: Claim, { signature, instance, chain }: Seal): string {
  return [
    `${claim.kind}: ${claim.release}`,
    `Sluice-Environment: ${claim.environment}`,
    `Sluice-Application: ${claim.application}`,
    `${KEY_TRAILER}: ${claim.key}`,
    `${SIGNATURE_TRAILER}: ${signature}`,
    `${INSTANCE_TRAILER}: ${instance}`,
    ...(chain > 0 ? [`${CHAIN_TRAILER}: ${chain}`] : []),
  ].join('\n');
}

/**
 * What a message tells of commits of Sluice that went into it, also where somebody squashed several of them into one; null: nothing.
 * Proves nothing: anybody can write it.
 */
export function claimedIn(message: string): { releases: string[]; instances: string[]; chain: number } | null {
  const all = (name: string): string[] =>
    [...message.matchAll(new RegExp(`^\\s*${name}: *(\\S+)\\s*$`, 'gm'))].map(([, value]) => value!);
  if (all(KEY_TRAILER).length === 0) return null;
  const releases = ['Sluice-Release', 'Sluice-Rollback'].flatMap(all);
  const chain = Math.max(0, ...all(CHAIN_TRAILER).map(Number).filter(Number.isSafeInteger));
  return { releases: [...new Set(releases)].slice(0, 100), instances: [...new Set(all(INSTANCE_TRAILER))], chain };
}

/** What a message claims; null where a trailer is missing or there twice with another value. */
export function claimIn(message: string): (Claim & { signature?: string }) | null {
  const found = new Map<string, string>();
  for (const line of message.split('\n')) {
    const [, name, value] = /^(Sluice-[A-Za-z]+): (.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    if ((found.get(name) ?? value) !== value) return null;
    found.set(name, value);
  }
  const kind = (['Sluice-Release', 'Sluice-Rollback'] as const).filter((each) => found.has(each));
  const [environment, application, key] = ['Sluice-Environment', 'Sluice-Application', KEY_TRAILER].map((each) =>
    found.get(each),
  );
  if (kind.length !== 1 || environment === undefined || application === undefined || key === undefined) return null;
  const signature = found.get(SIGNATURE_TRAILER);
  const claim: Claim = { kind: kind[0]!, release: found.get(kind[0]!)!, environment, application, key };
  return { ...claim, ...(signature !== undefined && { signature }) };
}
