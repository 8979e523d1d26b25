import type { Draft } from './draft.ts';
import { tellGroups } from './group-answer.ts';
import type { PlannedPromotion } from './plan.ts';
import { ENDED_PROMOTION } from './release.ts';
import type { PromotionState, Stimulus } from './release.ts';
import { lookAtSoak } from './soak.ts';
import { cutOff } from './steps.ts';

/** Each promotion into an environment that is under way and changes the application there, with the place of both. */
function* underWay(
  { plan, state }: Draft,
  { environment, application: name }: { environment: string; application: string },
): Generator<{ planned: PlannedPromotion; promotion: PromotionState; position: number; application: number }> {
  for (const [position, planned] of plan.promotions.entries()) {
    const promotion = state.promotions[position] as PromotionState;
    const isUnderWay = promotion.startedAt !== null && !ENDED_PROMOTION.has(promotion.status);
    const application = planned.applications.findIndex((each) => each.name === name);
    if (planned.environment === environment && isUnderWay && application >= 0)
      yield { planned, promotion, position, application };
  }
}

/** An application's health: what waits for it looks at once, and a soak is broken by bad news. */
export function applyHealthReport(draft: Draft, report: Extract<Stimulus, { kind: 'health-reported' }>): void {
  tellGroups(draft, report);
  for (const { planned, promotion, position, application } of underWay(draft, report)) {
    const before = promotion.status;
    const { application: name, status: health, message } = report;
    const at = { environment: planned.name, attempt: promotion.attempt, before, status: before };
    draft.emit({ type: 'HealthChanged', ...at, application: name, health, message });
    planned.steps.forEach((step, index) => {
      const seen = promotion.steps[index];
      const looks = seen?.status === 'RUNNING';
      if (step.application !== application || (!looks && seen?.status !== 'WAITING')) return;
      // A soak is broken by bad news at once, and goes on with good news; it ends after a look of its own.
      if (step.work.kind === 'soak') {
        const { unhealthyAt } = report;
        const { clock, recheckAt, outside } = seen;
        const known = unhealthyAt === undefined || unhealthyAt === clock?.unhealthyAt[0];
        // No news: the next look, where there is one, counts the time; the one that is under way may not know it.
        if (clock?.status === health && known && looks) draft.step(position, index).news = health;
        if (clock?.status === health && known && (looks || health !== 'HEALTHY' || (recheckAt !== null && !outside)))
          return;
        const through = lookAtSoak(draft, position, index, { status: health, message, unhealthyAt }, true);
        if (through && !looks) Object.assign(draft.step(position, index), { recheckAt: draft.now, outside: false });
      } else if (step.work.kind === 'health') {
        if (looks) draft.step(position, index).news = health;
        else Object.assign(draft.step(position, index), { recheckAt: draft.now, outside: false });
      }
    });
  }
}

/** What waits for the sync or the health of an application asks at once; a look that is under way is followed by another one. */
export function lookAgain(draft: Draft, told: Extract<Stimulus, { kind: 'application-told' }>): void {
  for (const { planned, promotion: seen, position, application } of underWay(draft, told)) {
    planned.steps.forEach(({ work, application: of }, index) => {
      if ((work.kind !== 'sync' && work.kind !== 'health') || of !== application) return;
      const status = seen.steps[index]?.status;
      if (status === 'RUNNING') draft.step(position, index).news = 'TOLD';
      if (status === 'WAITING') draft.step(position, index).recheckAt = draft.now;
    });
  }
}

/** Which commit or version runs there: what waits for that looks at once, and reads it where it was written down. */
export function applyDeploymentReport(draft: Draft, report: Extract<Stimulus, { kind: 'deployment-reported' }>): void {
  const { application: name, running } = report;
  const { commit, version } = running;
  for (const { planned, promotion: seen, position, application } of underWay(draft, report)) {
    draft.emit({
      type: 'DeploymentReported',
      ...draft.atPromotion(position, seen.status),
      application: name,
      commit,
      version,
    });
    planned.steps.forEach(({ work, application: of }, index) => {
      const status = seen.steps[index]?.status;
      if (work.kind !== 'sync' || of !== application) return;
      if (status === 'RUNNING') draft.step(position, index).news = 'TOLD';
      if (status === 'WAITING') draft.step(position, index).recheckAt = draft.now;
    });
  }
}

/** The last word on what still waits there for its health; history where the promotion has ended. */
export function applyRolloutReport(draft: Draft, report: Extract<Stimulus, { kind: 'rollout-reported' }>): void {
  draft.plan.promotions.forEach((planned, position) => {
    const seen = draft.state.promotions[position] as PromotionState;
    const { environment, attempt, status: rollout, message } = report;
    if (planned.environment !== environment || seen.startedAt === null || seen.attempt !== attempt) return;
    draft.emit({ type: 'RolloutReported', ...draft.atPromotion(position, seen.status), rollout, message });
    if (ENDED_PROMOTION.has(seen.status) || (rollout !== 'FAILED' && rollout !== 'ROLLED_BACK')) return;
    const running = seen.steps.some((step) => step.status === 'RUNNING');
    seen.steps.forEach((step, index) => {
      if (step.status !== 'RUNNING' && step.status !== 'WAITING') return;
      draft.step(position, index).seen = true;
      cutOff(draft, position, index, `reported from outside: ${message}`);
    });
    if (running) draft.work.push({ kind: 'abort', promotions: [position] });
  });
}
