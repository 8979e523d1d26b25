import { EVERYTHING, mayDo, sees, SOMEWHERE } from '../../core/access/index.ts';
import type { Identity, Permission, Target, ToldTarget, Visibility } from '../../core/access/index.ts';
import type { Refusal } from '../../core/problems.ts';

/**
 * What a command names by id or by name.
 *
 * The rule of "no such thing": a caller who names what is not there, what is of another kind than the command takes, or what
 * they do not see, is answered `absent`, the words that the command itself has for what is not there. Trying teaches nothing.
 * One function judges it (`judge`), in front of every command, and it looks at the thing before any permission that
 * the thing decides about.
 */
export interface Named {
  /** Where it is; for what is not there `[EVERYTHING]`: a caller who may do it everywhere is answered by the command. */
  targets: Target[];
  /** Whether it is there, of the right kind, and seen by the caller. */
  seen: boolean;
  absent: Refusal;
  /** Those of the targets that the input itself names: they can be repeated to the caller. */
  own?: readonly Target[];
  /** What it takes, where its kind decides; otherwise the permission of the command. */
  permission?: Permission;
}

export type Judgement =
  | { kind: 'MAY' }
  /** Answered as the command answers what is not there. */
  | { kind: 'ABSENT'; refusal: Refusal }
  /** `target` in words that name nothing that the caller does not see. */
  | { kind: 'MAY_NOT'; permission: Permission; target: ToldTarget };

export const absent = (refusal: Refusal): Named => ({ targets: [EVERYTHING], seen: false, absent: refusal });

export function judge(
  identity: Pick<Identity, 'grants'>,
  asked: { permission: Permission; others: readonly Permission[] },
  found: Named | Target[],
  visibility: Visibility | null,
): Judgement {
  const named = Array.isArray(found) ? null : found;
  const permission = named?.permission ?? asked.permission;
  const targets = Array.isArray(found) ? found : found.targets;
  const missing = (targets.length > 0 ? targets : [SOMEWHERE]).filter(
    (each) => !mayDo(identity.grants, permission, each),
  );
  if (missing.length === 0) return { kind: 'MAY' };
  if (named && !named.seen) {
    // Asked of every one of them, whatever the thing is: the answer must not depend on it.
    const somewhere = [asked.permission, ...asked.others].some((each) => mayDo(identity.grants, each, SOMEWHERE));
    if (somewhere) return { kind: 'ABSENT', refusal: named.absent };
    return { kind: 'MAY_NOT', permission: asked.permission, target: SOMEWHERE };
  }
  const told = missing.find((each) => named === null || named.own?.includes(each) || isSeen(each, visibility));
  return { kind: 'MAY_NOT', permission, target: told ?? unnamed(missing as [Target], visibility) };
}

function unnamed([{ product }]: [Target, ...Target[]], visibility: Visibility | null): ToldTarget {
  const seen = typeof product === 'string' || sees(visibility, product.name, null);
  return { product: seen ? product : 'ANY', environment: 'UNSEEN' };
}

function isSeen({ product, environment }: Target, visibility: Visibility | null): boolean {
  if (typeof environment === 'string') return true;
  return typeof product === 'string'
    ? visibility === null || visibility.environments.has(environment.name)
    : sees(visibility, product.name, environment.name);
}
