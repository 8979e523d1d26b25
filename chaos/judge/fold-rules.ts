import type { ReleaseEvent } from '../../src/core/events.ts';
import { comesAtTheEnd } from '../../src/core/own-steps.ts';
import type { PlannedStep } from '../../src/core/plan.ts';
import { TAKEN_BACK } from '../../src/core/release.ts';
import type { PromotionStatus, StepStatus } from '../../src/core/release.ts';
import type { Invariant, ReleaseHistory } from './history.ts';
import { Rule } from './history.ts';

interface Folded {
  promotions: Map<string, FoldedPromotion>;
}

interface FoldedPromotion {
  status: string;
  attempt: number;
  /** A hook that comes at the end. */
  last: boolean;
  steps: Map<string, StepStatus>;
  /** What waits for the merge of what a step proposes. */
  merges: ReadonlyMap<string, string[]>;
}

/** Promise 5: the events tell the whole change. Folding them alone gives what the tables say. */
export function judgeFold(releases: ReleaseHistory[]): Invariant {
  const rule = new Rule('folding the events gives the tables');
  for (const release of releases) {
    const { id, events, plan, promotions } = release;
    const folded = fold(release);
    rule.expect(
      events.at(-1)?.releaseStatus === release.status,
      () => `${id}: the events end with ${events.at(-1)?.releaseStatus}, the table says ${release.status}`,
    );
    plan.promotions.forEach((planned, position) => {
      const told = folded.promotions.get(planned.name);
      const stored = promotions[position];
      rule.expect(
        told?.status === stored?.status,
        () => `${id} ${planned.name}: the events say ${told?.status}, the table ${stored?.status}`,
      );
      // A retry counts an attempt only for what had started; its number is told with the next event at that promotion.
      if (told && told.attempt > 0) {
        rule.expect(
          told.attempt === stored?.attempt,
          () => `${id} ${planned.name}: attempt ${told.attempt} in the events, ${stored?.attempt} in the table`,
        );
      }
      planned.steps.forEach((step, index) => {
        const inTable = stored?.steps[index]?.status ?? 'PENDING';
        const inEvents = told?.steps.get(step.id) ?? 'PENDING';
        rule.expect(
          inEvents === inTable,
          () => `${id} ${planned.name} ${step.id}: the events say ${inEvents}, the table ${inTable}`,
        );
      });
    });
  }
  return rule;
}

function fold({ plan, events }: ReleaseHistory): Folded {
  const folded: Folded = {
    promotions: new Map(
      plan.promotions.map(({ name, own, steps }) => [
        name,
        { status: 'PENDING', attempt: 0, last: comesAtTheEnd(own), steps: new Map(), merges: mergesOf(steps) },
      ]),
    ),
  };
  for (const { event } of events) apply(folded, event);
  return folded;
}

function apply({ promotions }: Folded, event: ReleaseEvent): void {
  if (event.type === 'ReleaseRetried') {
    for (const name of event.environments) {
      const promotion = promotions.get(name);
      if (!promotion) continue;
      // What a rollback took back is all done again, and so is what comes at the end.
      const whole = TAKEN_BACK.has(promotion.status as PromotionStatus) || promotion.last;
      promotion.status = 'PENDING';
      const before = new Map(promotion.steps);
      // A change that was proposed and did not come is proposed anew.
      const isDone = (step: string): boolean =>
        [step, ...(promotion.merges.get(step) ?? [])].every((each) => before.get(each) === 'SUCCEEDED');
      for (const step of before.keys()) if (whole || !isDone(step)) promotion.steps.set(step, 'PENDING');
    }
    return;
  }
  if (!('environment' in event)) return;
  const promotion = promotions.get(event.environment);
  if (!promotion) return;
  // What becomes of a pull request after its promotion was over is told of the attempt that opened it.
  if ('late' in event && event.late === true) return;
  promotion.attempt = event.attempt;
  if (event.type === 'PromotionStarted' && event.afresh)
    for (const step of promotion.steps.keys()) promotion.steps.set(step, 'PENDING');
  if ('status' in event) promotion.status = event.status;
  if ('step' in event && event.step !== undefined) {
    const status = STEPS[event.type];
    if (status) promotion.steps.set(event.step, status);
  }
}

/** Each step that proposes something, with those that wait for its merge. */
export function mergesOf(steps: readonly PlannedStep[]): Map<string, string[]> {
  const merges = (index: number): string[] =>
    steps.filter(({ work, needs }) => work.kind === 'merge' && needs.includes(index)).map(({ id }) => id);
  return new Map(steps.flatMap(({ id, work }, index) => (work.kind === 'propose' ? [[id, merges(index)]] : [])));
}

const STEPS: Partial<Record<ReleaseEvent['type'], StepStatus>> = {
  StepStarted: 'RUNNING',
  StepWaiting: 'WAITING',
  StepRetrying: 'WAITING',
  StepSucceeded: 'SUCCEEDED',
  StepFailed: 'FAILED',
  StepTerminated: 'TERMINATED',
};
