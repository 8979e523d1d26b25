import type { KeyedRollbackInput } from '../commands/start-manual-rollback.ts';
import type { TriggerInput } from '../commands/trigger-release.ts';

/** What a caller orders, as commands take it. A rule and its command make the same of an input, by which a call that comes again is known. */

/** Null is how GraphQL leaves something out. */
type Given<T> = { [K in keyof T]: T[K] | null };

export function triggerOf(input: Given<TriggerInput> & Pick<TriggerInput, 'product'>): TriggerInput {
  const { product, commit, version, flow, from, to, idempotencyKey, acknowledgeBadVersion, rollbackFloor } = input;
  return {
    product,
    commit: commit ?? undefined,
    version: version ?? undefined,
    flow: flow ?? undefined,
    from: from ?? undefined,
    to: to ?? undefined,
    idempotencyKey: idempotencyKey ?? undefined,
    acknowledgeBadVersion: acknowledgeBadVersion ?? undefined,
    rollbackFloor: rollbackFloor ?? undefined,
  };
}

export function rollbackOf(
  input: Given<KeyedRollbackInput> & Pick<KeyedRollbackInput, 'product' | 'reason'>,
): KeyedRollbackInput {
  const { product, environments, version, to, reason, idempotencyKey } = input;
  return {
    product,
    environments: environments ?? undefined,
    version: version ?? undefined,
    to: to ?? undefined,
    reason,
    idempotencyKey: idempotencyKey ?? undefined,
  };
}
