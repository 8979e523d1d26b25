import { refusal, RefusedError } from '../../core/problems.ts';
import { clientOf } from '../../entities/data-source.ts';
import type { Parts } from '../../parts.ts';
import { wakeCandidates } from '../../store/candidates.ts';
import { activePauses, endPauses, insertPause, lockTriggers } from '../../store/triggers.ts';
import type { KeptPause } from '../../store/triggers.ts';
import { auditChange } from '../audit.ts';
import { checkEnd, checkReason } from '../hold-environment.ts';
import { once } from '../idempotency.ts';
import { refusable } from '../result.ts';
import type { Result } from '../result.ts';
import { doneBy } from '../../core/done-by.ts';

/** Automatic triggers to be paused, of one product or of all. */
export interface PauseInput {
  /** Every product when left out. */
  product?: string;
  reason: string;
  until?: Date;
  idempotencyKey?: string;
}

/** From its answer until it is over nothing becomes a release by itself: candidates are made and wait. */
export function pauseTriggers(app: Parts, input: PauseInput, by: string | null): Promise<Result<KeptPause>> {
  return refusable(async () => {
    const { product = null, reason, until } = input;
    const keyed = { by, operation: 'triggerPause', key: input.idempotencyKey, input };
    const made = await once(app, keyed, {
      async before() {
        const now = app.clock.now().getTime();
        await checkProduct(app, product);
        const wrong = [...checkReason(reason), ...checkEnd(until, now, 'until')];
        if (wrong.length > 0) throw new RefusedError(wrong);
        return { product, reason, by, since: now, until: until?.getTime() ?? null };
      },
      async inside(tx, pause) {
        const client = await clientOf(tx);
        await lockTriggers(client);
        const kept = await insertPause(client, pause);
        await auditChange(tx, { before: null, after: pause, objects: objectsOf(product) });
        return kept;
      },
    });
    // So that they say at once what they wait for. Not awaited: a candidate that is being written to holds up no pause.
    wakeCandidates(app.pool, app.clock.now(), { product: product ?? undefined }).catch((error: unknown) =>
      app.log.warn({ error, product }, 'candidates will see the pause when they are due'),
    );
    return made;
  });
}

/** Ends the pauses of a product, or those of all products: what waited for them is looked at at once. */
export function resumeTriggers(
  app: Parts,
  { product = null }: { product?: string | null },
  by: string | null,
): Promise<Result<KeptPause[]>> {
  return refusable(async () => {
    await checkProduct(app, product);
    return app.dataSource.transaction(async (tx) => {
      const client = await clientOf(tx);
      const now = app.clock.now();
      const ended = await endPauses(client, product, { now, by });
      if (ended.length === 0) {
        const of = product === null ? 'all products' : `product "${product}"`;
        const others = (await activePauses(client, now)).map((each) => each.product);
        const hint = notPausedBut(product, others);
        throw new RefusedError([
          refusal('NOT_FOUND', `automatic triggers of ${of} are not paused${hint}`, ['product']),
        ]);
      }
      await wakeCandidates(client, now, { product: product ?? undefined });
      await auditChange(tx, {
        before: ended.map(({ reason, since }) => ({ reason, since })),
        after: null,
        objects: objectsOf(product),
      });
      return ended;
    });
  });
}

/** The pauses that stay after the one that was asked for was not there. */
function notPausedBut(product: string | null, others: readonly (string | null)[]): string {
  if (product !== null)
    return others.includes(null)
      ? `; all products are: end that with ${doneBy('triggerResume', 'trigger resume')}`
      : '';
  const [one] = others;
  return one
    ? `; those of product "${one}" are: end that with ${doneBy('triggerResume', `trigger resume ${one}`)}`
    : '';
}

async function checkProduct(app: Parts, product: string | null): Promise<void> {
  if (product === null || (await app.definitions.current()).products.has(product)) return;
  throw new RefusedError([refusal('NOT_FOUND', `there is no product "${product}"`, ['product'])]);
}

const objectsOf = (product: string | null): { kind: string; name: string }[] =>
  product === null ? [{ kind: 'Triggers', name: 'all products' }] : [{ kind: 'Product', name: product }];
