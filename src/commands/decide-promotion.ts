import type { Parts } from '../parts.ts';
import type { DecisionChannel } from '../core/approvals/approval.ts';
import type { Caller } from '../core/caller.ts';
import { refusal } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';
import type { PlannedPromotion } from '../core/plan.ts';
import type { DecisionStimulus, PromotionState } from '../core/release.ts';
import { shortIdOf } from '../core/short-id.ts';
import { closest, quote } from '../core/wording.ts';
import { wasDecided } from '../store/approval-reads.ts';
import type { PastDecision } from '../store/approval-reads.ts';
import { UUID } from './control-release.ts';
import { forgetKey, once } from './idempotency.ts';
import type { ReleaseNow } from './release-engine.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';

/** The promotion that an approver decides on, with the approver's comment. */
export interface PromotionDecision {
  releaseId: string;
  /** The environment's name, or the workflow step's. */
  environment: string;
  /** The step that asks: its id, or the name of its action; the start of the promotion is decided on when left out. */
  step?: string;
  /** The attempt that the person was asked about; the current one when left out. */
  attempt?: number;
  comment?: string;
  idempotencyKey?: string;
}

/** Which promotion was decided on: `position` is its place in the plan. */
export interface DecidedPromotion {
  releaseId: string;
  position: number;
}

type Decide = (
  app: Parts,
  input: PromotionDecision,
  caller: Caller | null,
  via?: DecisionChannel,
) => Promise<Result<DecidedPromotion>>;

/**
 * Records an approval. The promotion starts at once when no other approval and nothing else is missing. A second approval by the
 * same person changes nothing.
 */
export const approvePromotion: Decide = (app, input, caller, via = 'API') =>
  decideOnPromotion(app, 'approve', input, caller, via);

/** Records a rejection: final for this attempt of the promotion, which fails with what the approver said. */
export const rejectPromotion: Decide = (app, input, caller, via = 'API') =>
  decideOnPromotion(app, 'reject', input, caller, via);

const MAX_COMMENT = 2_000;

/**
 * What approving and rejecting have in common. A decision is known by its person and attempt, so it can be told twice; the
 * idempotency key is there to tell a repetition from another decision. It is written before the release moves, and no
 * connection is kept while it does: many at once must not wait for each other's. So it may be there without its decision, which a
 * repetition makes, unless the attempt is over by then: that is refused, and never a decision on another attempt.
 */
export async function decideOnPromotion(
  app: Parts,
  kind: DecisionStimulus['kind'],
  decision: PromotionDecision,
  caller: Caller | null,
  via: DecisionChannel,
): Promise<Result<DecidedPromotion>> {
  const { environment, idempotencyKey } = decision;
  const comment = decision.comment?.trim() || null;
  if (comment !== null && comment.length > MAX_COMMENT) {
    const message = `the comment has ${comment.length} characters; at most ${MAX_COMMENT} are kept`;
    return { refusals: [refusal('INVALID', message, ['comment'])] };
  }
  const found = await findPromotion(app, decision);
  if (found.refusals) return found;
  const { seen, position: promotion } = found.value;
  const asks = findStep(seen, promotion, decision.step);
  if (asks.refusals) return asks;
  const step = asks.value;
  const value = { releaseId: seen.release.id, position: promotion };
  const current = (seen.state.promotions[promotion] as PromotionState).attempt;
  const wanted = decision.attempt ?? current;
  const by = caller?.name ?? null;
  const keyed = {
    // What a webhook brings is keyed by its sender: whom it speaks for may have keys of their own.
    by: via === 'API' ? by : `${via} ${by}`,
    operation: kind === 'approve' ? 'promotionApprove' : 'promotionReject',
    key: idempotencyKey,
    input: { releaseId: value.releaseId, environment, comment, attempt: decision.attempt, step: decision.step, by },
  };
  let isFirst = false;
  const inside = (): Promise<number> => {
    isFirst = true;
    return Promise.resolve(wanted);
  };
  const first = await refusable(() => once(app, keyed, { inside, single: true }));
  if (first.refusals) return first;
  const attempt = first.value;
  // The key's first use was about an attempt that is over: what was decided then is the answer, whatever is asked now.
  const isLate = !isFirst && attempt !== current;
  if (isLate && (await wasDecided(app.pool, { ...pastOf(seen, promotion, step), kind, attempt, by }))) return { value };
  const moved = await app.releaseEngine.tellKnown(value.releaseId, {
    kind,
    promotion,
    step,
    attempt,
    by: caller,
    comment,
    via,
  });
  if (!moved.refused) return { value };
  if (!isLate) await forgetKey(app.dataSource.manager, keyed);
  return { refusals: [moved.refused] };
}

/** Where it was made, as events name it. */
function pastOf(
  { release: { id: releaseId, plan } }: ReleaseNow,
  position: number,
  step: number | undefined,
): Pick<PastDecision, 'releaseId' | 'environment' | 'step'> {
  const { name: environment, steps } = plan.promotions[position] as PlannedPromotion;
  return { releaseId, environment, step: step === undefined ? undefined : steps[step]?.id };
}

/** The newest state of a release, and the place of one of its promotions. */
export async function findPromotion(
  app: Parts,
  { releaseId, environment }: Pick<PromotionDecision, 'releaseId' | 'environment'>,
): Promise<Result<{ seen: ReleaseNow; position: number }>> {
  const seen = UUID.test(releaseId) ? await app.releaseEngine.look(releaseId, { fresh: true }) : null;
  if (!seen) return { refusals: [refusal('NOT_FOUND', `there is no release "${releaseId}"`, ['releaseId'])] };
  const position = seen.release.plan.promotions.findIndex(({ name }) => name === environment);
  return position < 0 ? { refusals: [unknownEnvironment(seen, environment)] } : { value: { seen, position } };
}

/** Its place in the plan; undefined: none was named. */
export function findStep(
  { release }: ReleaseNow,
  promotion: number,
  named: string | undefined,
): Result<number | undefined> {
  if (named === undefined) return { value: undefined };
  const { name, steps } = release.plan.promotions[promotion] as PlannedPromotion;
  const exact = steps.findIndex(({ id }) => id === named);
  if (exact >= 0) return { value: exact };
  const found = steps.flatMap(({ id, work }) => (work.kind === 'action' && work.action.name === named ? [id] : []));
  if (found.length === 1) return { value: steps.findIndex(({ id }) => id === found[0]) };
  const [first = '', ...more] = found;
  const message =
    more.length > 0
      ? `${name} has several actions ${quote(named)}; name the step: ${[first, ...more].slice(0, 10).join(', ')}`
      : `the promotion into ${quote(name)} has no step ${quote(named)}; it has ${steps
          .slice(0, 10)
          .map(({ id }) => id)
          .join(', ')}`;
  return { refusals: [refusal('NOT_FOUND', message, ['step'])] };
}

function unknownEnvironment({ release }: ReleaseNow, environment: string): Refusal {
  const names = release.plan.promotions.map(({ name }) => name);
  const near = closest(environment, names);
  const hint = near === undefined ? `; it has ${names.slice(0, 10).join(', ')}` : `; did you mean ${quote(near)}?`;
  return refusal(
    'NOT_FOUND',
    `release ${shortIdOf(release.product, release.number)} does not promote ${quote(environment)}${hint}`,
    ['environment'],
  );
}
