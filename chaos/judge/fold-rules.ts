import type { ReleaseEvent } from '../../src/core/events.ts';
import { comesAtTheEnd } from '../../src/core/own-steps.ts';
import { TAKEN_BACK } from '../../src/core/release.ts';
import type { PromotionStatus, StepStatus } from '../../src/core/release.ts';
import type { Invariant, ReleaseHistory } from './history.ts';
import { Rule } from './history.ts';

interface Folded {
  /** `last`: a hook that comes at the end. */
  promotions: Map<string, { status: string; attempt: number; last: boolean; steps: Map<string, StepStatus> }>;
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
      plan.promotions.map(({ name, own }) => [
        name,
        { status: 'PENDING', attempt: 0, last: comesAtTheEnd(own), steps: new Map() },
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
      for (const [step, status] of promotion.steps)
        if (whole || status !== 'SUCCEEDED') promotion.steps.set(step, 'PENDING');
    }
    return;
  }
  if (!('environment' in event)) return;
  const promotion = promotions.get(event.environment);
  if (!promotion) return;
  promotion.attempt = event.attempt;
  if (event.type === 'PromotionStarted' && event.afresh)
    for (const step of promotion.steps.keys()) promotion.steps.set(step, 'PENDING');
  if ('status' in event) promotion.status = event.status;
  if ('step' in event && event.step !== undefined) {
    const status = STEPS[event.type];
    if (status) promotion.steps.set(event.step, status);
  }
}

const STEPS: Partial<Record<ReleaseEvent['type'], StepStatus>> = {
  StepStarted: 'RUNNING',
  StepWaiting: 'WAITING',
  StepRetrying: 'WAITING',
  StepSucceeded: 'SUCCEEDED',
  StepFailed: 'FAILED',
  StepTerminated: 'TERMINATED',
};
