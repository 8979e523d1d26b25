import type { Parts } from '../parts.ts';
import { refusal } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';
import type { ReleasePlan } from '../core/plan.ts';
import type { ReleaseState, Stimulus } from '../core/release.ts';
import { shortIdOf } from '../core/short-id.ts';
import { whyNoRetry, whyNoRetryOf } from '../core/retry.ts';
import { whyNoSkip } from '../core/skip.ts';
import type { FrozenRelease } from '../store/load-releases.ts';
import { checkReason } from './hold-environment.ts';
import type { Result } from './result.ts';

/** Nothing new starts, what runs is aborted; again changes nothing. */
export function terminateRelease(
  app: Parts,
  input: { releaseId: string; reason?: string },
  actor: string | null,
): Promise<Result<{ releaseId: string }>> {
  const reason = input.reason ?? 'terminated by a person';
  return control(app, input.releaseId, { kind: 'terminate', reason, by: actor });
}

/** From the exact point of failure: what succeeded is not run again. With `environment`: that one alone, and what comes after it. */
export function retryRelease(
  app: Parts,
  { releaseId, environment }: { releaseId: string; environment?: string },
  actor: string | null,
): Promise<Result<{ releaseId: string }>> {
  if (environment === undefined) return control(app, releaseId, { kind: 'retry', by: actor });
  return controlOne(app, { releaseId, environment }, (promotion) => ({ kind: 'retry', by: actor, promotion }));
}

/** Leaves an environment out of a release: what depends on it goes on as if it had succeeded. */
export async function skipPromotion(
  app: Parts,
  { reason, ...place }: { releaseId: string; environment: string; reason: string },
  actor: string | null,
): Promise<Result<{ releaseId: string }>> {
  const wrong = checkReason(reason);
  if (wrong.length > 0) return { refusals: wrong };
  return controlOne(app, place, (promotion) => ({ kind: 'skip', promotion, reason, by: actor }));
}

/** What is wanted of one environment, or of one workflow step, by its name. */
async function controlOne(
  app: Parts,
  { releaseId, environment }: { releaseId: string; environment: string },
  orderOf: (position: number) => Order,
): Promise<Result<{ releaseId: string }>> {
  const release = UUID.test(releaseId) ? (await app.releaseEngine.look(releaseId, { fresh: false }))?.release : null;
  if (!release) return { refusals: [refusal('NOT_FOUND', `there is no release "${releaseId}"`, ['releaseId'])] };
  const { plan, product, number } = release;
  const position = plan.promotions.findIndex(({ name }) => name === environment);
  if (position < 0) {
    const message = `release ${shortIdOf(product, number)} does not promote into "${environment}"`;
    return { refusals: [refusal('NOT_FOUND', message, ['environment'])] };
  }
  return control(app, releaseId, orderOf(position));
}

type Order = Extract<Stimulus, { kind: 'terminate' | 'retry' | 'skip' }>;
/** What an order wants, and of which promotion; without one: of the release. */
export type Wanted = Pick<Order, 'kind'> & { promotion?: number };

/** Why such an order would be refused of a release that is in this state; null: it would be obeyed. */
export function whyNotObeyed(release: Named, state: ReleaseState, wanted: Wanted): Refusal | null {
  const why = whyUnfit(release.plan, state, wanted);
  return why === null ? null : unfitFor(release, wanted, why);
}

type Named = Pick<FrozenRelease, 'plan' | 'product' | 'number'>;

function unfitFor({ product, number }: Named, { promotion }: Wanted, why: string): Refusal {
  const message = `release ${shortIdOf(product, number)} cannot be changed like this: ${why}`;
  return refusal('WRONG_STATE', message, [promotion === undefined ? 'releaseId' : 'environment']);
}

function whyUnfit(plan: ReleasePlan, state: ReleaseState, { kind, promotion }: Wanted): string | null {
  if (kind === 'skip') return whyNoSkip(plan, state, promotion as number);
  if (kind === 'retry')
    return promotion === undefined ? whyNoRetry(state.status) : whyNoRetryOf(plan, state, promotion);
  if (state.endedAt === null || state.terminating !== null) return null;
  return state.status === 'RUNNING'
    ? 'it has ended, and a rollback takes it back: terminate the rollback'
    : `it has already ended: ${state.status}`;
}

async function control(app: Parts, releaseId: string, order: Order): Promise<Result<{ releaseId: string }>> {
  const seen = UUID.test(releaseId) ? await app.releaseEngine.look(releaseId, { fresh: true }) : null;
  if (!seen) return { refusals: [refusal('NOT_FOUND', `there is no release "${releaseId}"`, ['releaseId'])] };
  const unfit = whyNotObeyed(seen.release, seen.state, order);
  if (unfit !== null) return { refusals: [unfit] };
  const moved = await app.releaseEngine.tellKnown(releaseId, order);
  if (moved.refused) return { refusals: [unfitFor(seen.release, order, moved.refused.message)] };
  return { value: { releaseId } };
}

/** The id of a release as the database holds it; other texts are the id of nothing. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
