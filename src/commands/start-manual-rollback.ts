import { randomUUID } from 'node:crypto';
import type { Parts } from '../parts.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import { madeBefore, once } from './idempotency.ts';
import type { KeyedInput } from './idempotency.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';
import type { Orderer } from './orderer.ts';
import { orderRollback } from './rollback-order.ts';
import type { RollbackInput } from './rollback-order.ts';
import { rollbackId, startRollback } from './start-rollback.ts';

/** A person's order, with the key that makes it one. */
export type KeyedRollbackInput = RollbackInput & { idempotencyKey?: string };

/**
 * A person takes environments back, or a version wherever it is live. Refused, with what was found in each environment, where
 * nothing would go back.
 */
export function startManualRollback(
  app: Parts,
  input: KeyedRollbackInput,
  by: string | null,
  { makers = [], visible = null }: Orderer = {},
): Promise<Result<{ rollbackId: string }>> {
  return refusable(async () => {
    const { idempotencyKey: key, ...asked } = input;
    const keyed = keyedRollback(input, by);
    // The key is kept by the rollback's own transaction already, under the product's lock.
    const before = async (): Promise<string> => {
      const order = await orderRollback(app, asked, by, visible);
      const id = key === undefined ? randomUUID() : rollbackId('MANUAL', input.product, by ?? '', key);
      const started = await startRollback(app, { ...order, id, keyed, makers });
      if (started.kind !== 'NOTHING') return started.rollbackId;
      const found = started.plan.targets.map(({ environment, reason }) => `${environment}: ${reason}`);
      const message = `nothing would go back. ${found.join('; ') || 'no environment of the product is known'}`;
      throw new RefusedError([
        refusal('WRONG_STATE', message, [input.version === undefined ? 'environments' : 'version']),
      ]);
    };
    return { rollbackId: await once(app, keyed, { before }) };
  });
}

function keyedRollback({ idempotencyKey: key, ...input }: KeyedRollbackInput, by: string | null): KeyedInput {
  return { by, operation: 'rollbackStart', key, input };
}

/** The rollback that the same order has started already, by its key; null: there is none. */
export const rollbackOfKey = (app: Parts, input: KeyedRollbackInput, by: string | null): Promise<string | null> =>
  madeBefore(app, keyedRollback(input, by));
