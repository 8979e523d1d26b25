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

/** The lines at the end of the message; `signature` proves them. */
export function trailersOf(claim: Claim, signature: string): string {
  return [
    `${claim.kind}: ${claim.release}`,
    `Sluice-Environment: ${claim.environment}`,
    `Sluice-Application: ${claim.application}`,
    `${KEY_TRAILER}: ${claim.key}`,
    `${SIGNATURE_TRAILER}: ${signature}`,
  ].join('\n');
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
