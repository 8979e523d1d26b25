import type { Parts } from '../parts.ts';
import { sees } from '../core/access/index.ts';
import type { Visibility } from '../core/access/index.ts';
import { clientOf } from '../entities/data-source.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';
import { pages } from '../store/pages.ts';
import { holdEnvironment as keepHold, liftHolds, activeHolds, readHolds } from '../store/environment-holds.ts';
import type { KeptHold } from '../store/environment-holds.ts';
import { auditChange } from './audit.ts';
import { once } from './idempotency.ts';
import { wakeWaiting } from './reconsider.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';

/** An environment to be put on hold, for one product or for all. */
export interface HoldInput {
  environment: string;
  /** Every product when left out. */
  product?: string;
  reason: string;
  until?: Date;
  idempotencyKey?: string;
}

/** Once it has answered, no promotion starts in the environment until the hold is over. What runs there goes on. */
export function holdEnvironment(app: Parts, input: HoldInput, actor: string | null): Promise<Result<KeptHold>> {
  return refusable(async () => {
    const { environment, product, reason, until } = input;
    const keyed = { by: actor, operation: 'environmentHold', key: input.idempotencyKey, input };
    const id = await once(app, keyed, {
      async before() {
        const now = app.clock.now().getTime();
        const wrong = [...(await unknown(app, input)), ...checkReason(reason), ...checkEnd(until, now, 'until')];
        if (wrong.length > 0) throw new RefusedError(wrong);
        const ends = until?.getTime() ?? null;
        return { product: product ?? null, environment, reason, by: actor, since: now, until: ends, rollback: null };
      },
      async inside(tx, hold) {
        const made = await keepHold(await clientOf(tx), hold);
        const objects = [
          { kind: 'EnvironmentHold', name: made },
          { kind: 'Environment', name: environment },
        ];
        await auditChange(tx, { before: null, after: hold, objects });
        return made;
      },
    });
    // What waits for its merge there may not be merged any more.
    wakeWaiting(app, { product, environment });
    return (await readHolds(app.pool, [id])).get(id) as KeptHold;
  });
}

/** Which holds of an environment are to end. */
export interface LiftInput {
  environment: string;
  /** Its own holds; those of all products when left out. */
  product?: string;
  /** This one alone. */
  hold?: string;
  reason?: string;
}

/**
 * Ends the holds that are there; what waited for them is put to its gates at once.
 * @param visible a refusal names products that are seen, and no others
 */
export function releaseEnvironment(
  app: Parts,
  input: LiftInput,
  actor: string | null,
  visible: Visibility | null = null,
): Promise<Result<KeptHold[]>> {
  return refusable(async () => {
    const now = app.clock.now().getTime();
    const { environment, product, hold, reason } = input;
    const wrong = await unknown(app, input);
    if (wrong.length > 0) throw new RefusedError(wrong);
    const lifted = await app.dataSource.transaction(async (tx) => {
      const client = await clientOf(tx);
      const limit = app.limits.lifted;
      const held = { environment, at: now };
      const active: KeptHold[] = [];
      for await (const page of pages<KeptHold>(limit, (before) => activeHolds(client, { limit, before, ...held })))
        active.push(...page);
      const meant = active.filter(
        (each) => each.product === (product ?? null) && (hold === undefined || each.id === hold),
      );
      const wanted = meant.map(({ id }) => id);
      const ids = await liftHolds(client, wanted, { at: now, by: actor, reason: reason ?? null });
      // `ids` is empty also when another caller has just lifted these holds.
      if (ids.length === 0) {
        const others = active.filter((each) => each.product === null || sees(visible, each.product, environment));
        throw new RefusedError([nothingToLift(input, meant.length > 0 ? [] : others)]);
      }
      const kept = await readHolds(client, ids);
      const after = ids.map((id) => kept.get(id) as KeptHold);
      const objects = [
        ...ids.map((name) => ({ kind: 'EnvironmentHold', name })),
        { kind: 'Environment', name: environment },
      ];
      await auditChange(tx, { before: meant.filter(({ id }) => kept.has(id)), after, objects });
      return after;
    });
    wakeWaiting(app, { product, environment });
    return lifted;
  });
}

function nothingToLift({ environment, product, hold }: LiftInput, others: KeptHold[]): Refusal {
  const of = product === undefined ? 'all products' : `product "${product}"`;
  const there = [...new Set(others.map((each) => (each.product === null ? 'all products' : `"${each.product}"`)))];
  const hint = there.length > 0 ? `: it is on hold for ${there.join(', ')}` : '';
  const what = hold === undefined ? 'no hold' : `no hold "${hold}"`;
  return refusal('NOT_FOUND', `environment "${environment}" has ${what} for ${of} now${hint}`, [
    hold === undefined ? 'environment' : 'holdId',
  ]);
}

async function unknown(app: Parts, named: { environment: string; product?: string }): Promise<Refusal[]> {
  const { environments, products } = await app.definitions.current();
  const wrong: Refusal[] = [];
  if (!environments.some(({ metadata }) => metadata.name === named.environment)) {
    wrong.push(refusal('NOT_FOUND', `there is no environment "${named.environment}"`, ['environment']));
  }
  if (named.product !== undefined && !products.has(named.product)) {
    wrong.push(refusal('NOT_FOUND', `there is no product "${named.product}"`, ['product']));
  }
  return wrong;
}

/** Shown to everybody who waits: it must say something, and stay readable. */
export function checkReason(reason: string): Refusal[] {
  if (reason.trim() === '')
    return [refusal('INVALID', 'a reason is needed: say why, for the people who wait', ['reason'])];
  if (reason.length <= MAX_REASON) return [];
  return [refusal('INVALID', `the reason has ${reason.length} characters, at most ${MAX_REASON} are kept`, ['reason'])];
}

const MAX_REASON = 2_000;

/** An end that lies in the past is refused, by the name of its field; no end is fine. `now` in milliseconds (UTC). */
export function checkEnd(end: Date | undefined, now: number, field: string): Refusal[] {
  if (end === undefined || end.getTime() > now) return [];
  return [refusal('INVALID', `\`${field}\` is ${end.toISOString()}, which is over: name a later time`, [field])];
}
