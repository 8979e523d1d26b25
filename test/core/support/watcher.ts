import { actorOf } from '../../../src/core/actor.ts';
import { pauses } from '../../../src/core/gates/answer.ts';
import type { GateAnswer } from '../../../src/core/gates/answer.ts';
import { advance } from '../../../src/core/advance.ts';
import type { Decision } from '../../../src/core/decision.ts';
import type { ReleaseEvent } from '../../../src/core/events.ts';
import type { HealthClock } from '../../../src/core/health-clock.ts';
import type {
  Dependency,
  OwnSteps,
  Phase,
  PlannedApplication,
  PlannedGroup,
  PlannedPromotion,
  PlannedStep,
  ReleasePlan,
  StepWork,
} from '../../../src/core/plan.ts';
import { decisionTime } from '../../../src/core/clock.ts';
import { DEFAULT_MAX_AGE } from '../../../src/core/definitions.ts';
import { BAD_PROMOTION, ENDED_PROMOTION, ENDED_RELEASE } from '../../../src/core/release.ts';
import { STATUS_LEAD } from '../../../src/core/gates/merge.ts';
import {
  actionOf,
  closing,
  closingWithin,
  holding,
  isApproved,
  marked,
  mergeObstacle,
  obstacle,
  openObstacle,
  opensBy,
  wasClosed,
} from './oracle.ts';
import { Looks } from './soaks.ts';
import type {
  Facts,
  GroupState,
  PromotionState,
  PromotionStatus,
  ReleaseState,
  ReleaseStatus,
  StepState,
  Stimulus,
} from '../../../src/core/release.ts';

function isUnmerged({ steps }: PlannedPromotion, state: PromotionState, index: number): boolean {
  if (steps[index]?.work.kind !== 'propose') return false;
  return steps.some(({ work, needs }, each) => {
    return work.kind === 'merge' && needs.includes(index) && state.steps[each]?.status !== 'SUCCEEDED';
  });
}

/** Counts what a set of runs reached: an idle generator must be noticed. */
export class Reached {
  readonly counts = new Map<string, number>();
  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }
  has(what: string): boolean {
    return this.counts.has(what);
  }
  table(): string {
    return [...this.counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, count]) => `${what.padEnd(50)} ${count}`)
      .join('\n');
  }
}

/**
 * Sees every decision before it is saved and checks all that must always hold. It keeps a second picture of the release,
 * folded from the events alone, so that what subscribers are told is held against the rules as well as the state is.
 */
export class Watcher {
  readonly plan: ReleasePlan;
  readonly reached: Reached;
  #status: ReleaseStatus = 'QUEUED';
  readonly #environments: PromotionStatus[];
  readonly #started = new Set<number>();
  readonly #again = new Set<number>();
  readonly #groups: GroupState['status'][];
  readonly #succeeded = new Set<string>();
  #terminating = false;
  #over = false;
  #sequence = 1;
  #lastAt: number;
  readonly #dispatches = new Set<string>();
  /** `group/member`, and `promotion/step` of a soak: what was heard of its health. */
  readonly #looks = new Map<string, Looks>();
  /** How long it has moved, counted once more: of the release, and by position of promotions with a limit. */
  readonly #times = new Map<'release' | number, { moved: number; since: number | null }>();
  /** From when its age counts. */
  #born: number;
  /** `promotion/step` of healths and soaks: the last look could tell how it is. */
  readonly #told = new Set<string>();
  /** `promotion/step`: told HEALTHY or DEGRADED while a look at its health was under way. */
  readonly #toldInLook = new Set<string>();
  /** By position: whether something was in the way of its merge, whenever that was asked. */
  readonly #mergeGates = new Map<number, { at: number; shut: boolean }[]>();

  constructor(plan: ReleasePlan, state: ReleaseState, reached: Reached) {
    this.plan = plan;
    this.reached = reached;
    this.#environments = plan.promotions.map(() => 'PENDING');
    this.#groups = plan.groups.map(() => 'OPEN');
    this.#lastAt = state.lastEventAt;
    this.#born = state.createdAt;
    this.#sequence = state.sequence;
    deepFreeze(plan);
    deepFreeze(state);
  }

  see(
    old: ReleaseState,
    stimulus: Stimulus,
    facts: Facts | null,
    now: number,
    decision: Decision,
    thorough = true,
  ): void {
    const { state, events, work, changed } = decision;
    deepFreeze(state);
    const moved = decisionTime(now, old.lastEventAt);

    if (stimulus.kind === 'terminate' && stimulus.onlyIf === 'QUEUED' && old.startedAt !== null)
      this.reached.count('superseded too late');
    this.#hear(old, stimulus, moved);
    for (const each of events) {
      this.#sequence += 1;
      claim(each.sequence === this.#sequence, `event ${each.sequence} follows ${this.#sequence - 1}`);
      claim(each.at >= this.#lastAt, 'an event went back in time');
      if (each.event.type === 'ReleaseRetried') this.#over = false;
      claim(!this.#over || AFTER_THE_END.has(each.event.type), `${each.event.type} after the end`);
      const spoken = each.actor === null || each.actor === actorOf(stimulus);
      claim(spoken, `${each.event.type} by ${each.actor}, and ${actorOf(stimulus)} was heard`);
      this.#lastAt = each.at;
      this.#fold(each.event, old, facts, stimulus, moved, state);
    }
    if (events.length > 0) this.#move(events.at(-1)?.releaseStatus as ReleaseStatus);
    claim(state.sequence === this.#sequence, `the state says ${state.sequence} events, the log ${this.#sequence}`);
    claim(state.status === this.#status, `the state is ${state.status}, the last event said ${this.#status}`);
    state.promotions.forEach(({ status }, position) => {
      const told = this.#environments[position];
      claim(status === told, `${this.#name(position)} is ${status}, the events said ${told}`);
    });
    state.groups.forEach(({ status }, position) => {
      const asking = status === 'ASKING' || status === 'WAITING' ? 'ASKING' : status;
      claim(
        asking === this.#groups[position],
        `group ${position} is ${status}, the events said ${this.#groups[position]}`,
      );
    });

    state.promotions.forEach((promotion, position) => {
      const before = old.promotions[position] as PromotionState;
      if (promotion === before) return claim(!changed.includes(position), 'changed lists what did not change');
      const differs = !same(promotion, before);
      // There and back in one decision: it could have started, and another member of its group took the place.
      const back =
        !differs && events.some(({ event }) => 'before' in event && event.environment === this.#name(position));
      if (!back)
        claim(differs === changed.includes(position), `${this.#name(position)} differs: ${differs}, told: ${!differs}`);
      this.#seePromotion(old, state, position, stimulus, decision);
    });
    claim(new Set(changed).size === changed.length, 'changed lists a promotion twice');
    for (const each of work) {
      if (each.kind !== 'dispatch') continue;
      for (const { promotion, dispatch } of each.promotions) {
        const key = `${promotion}/${dispatch}`;
        claim(!this.#dispatches.has(key), `dispatch ${key} was given away before`);
        this.#dispatches.add(key);
      }
    }
    state.groups.forEach((group, position) => this.#seeGroup(old, group, position, stimulus, decision));
    this.#seeTimes(old, state, events, moved);
    this.#seeTold(old, state, stimulus, moved);
    this.#seeKnown(old, stimulus, decision);
    this.#claimOwnEnded(old, state);
    this.#seeWhole(state, facts, moved);
    this.#seeMerges(old, state, facts, stimulus, events, moved);
    this.#seeStale(old, stimulus, facts, now, state);

    // Ignored while it went on, and ended by its limit in the same decision: a retry now is another question.
    // The same where it ended at once, because nothing was left that could go on.
    const refused = stimulus.kind === 'retry' && (!ENDED_RELEASE.has(old.status) || ENDED_RELEASE.has(state.status));
    // It told nothing, and something else of the decision did: what it means now is another question, too.
    const unheard = stimulus.key !== undefined && !events.some(({ event }) => ONCE.has(event.type));
    if (!thorough || refused || unheard) return;
    const again = advance(this.plan, state, [stimulus], facts, now);
    claim(again !== 'NEEDS_FACTS', 'the same question needs facts the second time only');
    // Also what only adds to the log: a commit whose answer was lost is decided again.
    this.#claimNothing(again, state, stimulus.kind);
    const looked = advance(this.plan, state, [{ kind: 'tick' }], facts, now);
    claim(looked !== 'NEEDS_FACTS', 'looking again needs facts');
    this.#claimNothing(looked, state, 'tick');
  }

  #claimNothing({ events, work, changed, state }: Decision, before: ReleaseState, what: string): void {
    const told = events.map((each) => each.event.type);
    claim(
      told.length === 0 && work.length === 0 && changed.length === 0,
      `${what} twice: ${JSON.stringify({ told, work, changed })}`,
    );
    if (events.length > 0) return;
    // What was skipped in the same decision may have asked to be woken before: once too often does no harm, too late would.
    const inTime = before.wakeAt !== null && before.wakeAt <= (state.wakeAt ?? Infinity);
    const wakeAt = inTime ? before.wakeAt : state.wakeAt;
    claim(same({ ...state, wakeAt }, before), `${what} twice changed the state`);
  }

  #fold(
    event: ReleaseEvent,
    old: ReleaseState,
    facts: Facts | null,
    stimulus: Stimulus,
    moved: number,
    state: ReleaseState,
  ): void {
    this.reached.count(`event ${event.type}`);
    if (event.type === 'ReleaseTerminating') {
      // A limit that is over in the same moment ends it as well, with its own reason.
      const waiting = stimulus.kind === 'terminate' && stimulus.onlyIf === 'QUEUED' && stimulus.reason === event.reason;
      claim(!waiting || old.status === 'QUEUED', `what was to end while it waited is ${old.status}, and is ended`);
      this.#terminating = true;
    }
    if (event.type === 'ReleaseRetried') {
      this.#terminating = false;
      const undone = new Set<number | null>();
      for (const name of event.environments) {
        const position = this.#position(name);
        const planned = this.#planned(position);
        if (UNDONE.has(old.promotions[position]?.status as PromotionStatus)) {
          // What was taken back begins from its start, and the gate of its group with it.
          for (const { id } of planned.steps) this.#succeeded.delete(`${position}/${id}`);
          undone.add(planned.group);
          this.reached.count('taken back, and tried again');
        }
        const atTheEnd = planned.own === 'ON_SUCCESS' || planned.own === 'ON_FAIL';
        if (atTheEnd) for (const { id } of planned.steps) this.#succeeded.delete(`${position}/${id}`);
        planned.steps.forEach(({ id }, index) => {
          if (isUnmerged(planned, old.promotions[position] as PromotionState, index))
            this.#succeeded.delete(`${position}/${id}`);
        });
        this.#mergeGates.delete(position);
        claim(atTheEnd || this.#environments[position] !== 'SUCCEEDED', `${name} succeeded and is run again`);
        this.#environments[position] = 'PENDING';
        this.#started.delete(position);
      }
      this.#groups.forEach((status, group) => {
        if (status === 'PASSED' && !undone.has(group)) return;
        this.#groups[group] = 'OPEN';
        for (const key of this.#looks.keys()) if (key.startsWith(`group ${group}/`)) this.#looks.delete(key);
      });
    }
    if ('group' in event) this.#foldGroup(event, stimulus, moved);
    if (!('environment' in event)) return;
    const position = this.#position(event.environment);
    if ('step' in event) {
      const key = `${position}/${event.step}`;
      if (event.type === 'StepStarted') {
        const outlives = this.#planned(position).own === 'ON_FAIL';
        claim(!this.#terminating || outlives, `${event.step} started although the release is terminating`);
        const stopped = !outlives && old.halted && this.plan.onFailure === 'STOP' && stimulus.kind !== 'retry';
        claim(!stopped, `${event.step} started although the release stops`);
        const { steps } = this.#planned(position);
        const planned = steps.find((each) => each.id === event.step) as PlannedStep;
        if (planned.work.kind === 'soak') this.#looks.set(`step ${key}`, new Looks(moved));
        // Whatever the plan says that it needs: the health of what the target does not run yet says nothing of the change.
        const earlier = ORDER.slice(0, ORDER.indexOf(planned.phase));
        for (const each of steps.filter(
          (one) => one.application === planned.application && earlier.includes(one.phase),
        ))
          claim(this.#succeeded.has(`${position}/${each.id}`), `${event.step} started before ${each.id} succeeded`);
        for (const need of planned.needs) {
          const needed = steps[need]?.id as string;
          claim(this.#succeeded.has(`${position}/${needed}`), `${event.step} started before ${needed} succeeded`);
        }
      }
      if (event.type === 'StepSucceeded') {
        claim(!this.#succeeded.has(key), `${event.step} succeeded twice`);
        this.#claimSoaked(position, event.step, stimulus);
        this.#succeeded.add(key);
      }
      return;
    }
    if (!('before' in event)) return;
    const before = this.#environments[position];
    claim(
      event.before === before,
      `${event.type} of ${event.environment} says ${event.before} before, it was ${before}`,
    );
    if (event.type === 'PromotionStarted') {
      const there = facts?.overtaken.includes(event.environment) ?? false;
      claim(
        there === (event.afresh ?? false),
        `${event.environment} started ${there ? 'afresh' : 'where it was'} unsaid`,
      );
      this.#claimMayStart(position, old, facts, moved, state);
    }
    if (before !== event.status) this.reached.count(`environment ${before} > ${event.status}`);
    this.#environments[position] = event.status;
  }

  #claimMayStart(position: number, old: ReleaseState, facts: Facts | null, moved: number, state: ReleaseState): void {
    const planned = this.#planned(position);
    if (planned.own !== undefined) return this.#claimOwnMayStart(position, planned.own, state);
    const first = this.plan.promotions.findIndex((each) => each.own === 'ON_START');
    claim(
      first < 0 || this.#environments[first] === 'SUCCEEDED',
      `${planned.name} started before the release's own start`,
    );
    claim(!this.#terminating, `${planned.name} started although the release is terminating`);
    claim(
      !old.halted || !ENDED_PROMOTION.has(this.#environments[position] as PromotionStatus),
      `${planned.name} started twice`,
    );
    claim(!this.#started.has(position), `${planned.name} started twice`);
    if (planned.environment !== null && facts?.overtaken.includes(planned.environment)) {
      this.reached.count('begun again where something else was live');
      this.#again.add(position);
      for (const { id } of planned.steps) this.#succeeded.delete(`${position}/${id}`);
      const { steps } = state.promotions[position] as PromotionState;
      const kept = steps.some((step) => step.status === 'SUCCEEDED');
      claim(!kept, `${planned.name} goes on where something else has become live`);
    }
    this.#started.add(position);
    const met = planned.dependsOn.filter((each: Dependency) =>
      'group' in each ? this.#groups[each.group] === 'PASSED' : this.#environments[each.promotion] === 'SUCCEEDED',
    );
    claim(met.length >= planned.required, `${planned.name} started before its dependencies`);
    claim(facts !== null, `${planned.name} started without facts`);
    const atOnce = planned.pullRequest?.open === 'AT_ONCE';
    const why = facts && (atOnce ? openObstacle : obstacle)(this.plan, state, position, facts, moved);
    claim(why === null, `${planned.name} started although ${why}`);
    const limit = this.plan.rollback?.maxParallel ?? Infinity;
    const back = [...this.#started].filter((each) => !ENDED_PROMOTION.has(this.#environments[each] as PromotionStatus));
    claim(!this.plan.rollback || back.length <= limit, `${back.length} go back at once`);
    if (planned.group === null) return;
    const { maxParallel, maxFailures, members } = this.plan.groups[planned.group] as PlannedGroup;
    const live = members.filter(
      (each) => this.#started.has(each) && !ENDED_PROMOTION.has(this.#environments[each] as PromotionStatus),
    );
    claim(live.length <= maxParallel, `${live.length} of group ${planned.group} at once`);
    const failed = members.filter((each) => this.#environments[each] === 'FAILED');
    claim(failed.length <= maxFailures, `${planned.name} started after ${failed.length} failures in its group`);
  }

  /** The release's own steps: the first come before everything, the others after it, as it went. */
  #claimOwnMayStart(position: number, own: OwnSteps, state: ReleaseState): void {
    const others = this.#environments.filter((_, each) => each !== position);
    if (own === 'ON_START') {
      claim(!this.#terminating, 'ON_START although the release is terminating');
      return this.reached.count('own ON_START');
    }
    const before = this.plan.promotions.map((each, at) => ({
      each,
      status: this.#environments[at] as PromotionStatus,
    }));
    const mine = before.filter(({ each }) => each.own !== 'ON_FAIL' && each.own !== own);
    claim(
      mine.every(({ status }) => ENDED_PROMOTION.has(status)),
      `${own} started while something goes on: ${others.join(' ')}`,
    );
    const well = mine.every(({ status }) => status === 'SUCCEEDED' || status === 'SKIPPED');
    if (own === 'ON_SUCCESS') claim(well && !this.#terminating, 'ON_SUCCESS after what did not go well');
    if (own === 'ON_FAIL' && well)
      claim(
        state.groups.some((each) => each.status !== 'PASSED'),
        'ON_FAIL, and all went well',
      );
    this.reached.count(`own ${own}${this.#terminating ? ' after a termination' : ''}`);
  }

  /** When a release has ended, its own steps have done what its end asks for. */
  #claimOwnEnded(old: ReleaseState, { promotions, status, startedAt, endedAt }: ReleaseState): void {
    if (old.endedAt !== null || endedAt === null || startedAt === null) return;
    this.plan.promotions.forEach(({ own }, position) => {
      if (own === undefined) return;
      const ran = promotions[position]?.startedAt !== null;
      if (own === 'ON_START') claim(ran || status !== 'SUCCEEDED', 'SUCCEEDED without its own start');
      if (own === 'ON_SUCCESS') claim(ran || status !== 'SUCCEEDED', 'SUCCEEDED, and ON_SUCCESS did not run');
      if (own === 'ON_FAIL')
        claim(ran === (status !== 'SUCCEEDED'), `${status}, and ON_FAIL ${ran ? 'ran' : 'did not run'}`);
      this.reached.count(`own ${own} ${promotions[position]?.status}`);
    });
  }

  #foldGroup(event: Extract<ReleaseEvent, { group: string }>, stimulus: Stimulus, moved: number): void {
    const position = this.plan.groups.findIndex((each) => each.name === event.group);
    const { members, required, soak = 0, freshness } = this.plan.groups[position] as PlannedGroup;
    const before = this.#groups[position];
    if (event.type === 'GroupGateAsked') {
      claim(before === 'OPEN', `group ${event.group} was ${before} and is asked`);
      const succeeded = members.filter((each) => this.#environments[each] === 'SUCCEEDED');
      claim(succeeded.length >= required, `group ${event.group} is asked with ${succeeded.length} of ${required}`);
      this.#groups[position] = 'ASKING';
    } else if (event.type === 'GroupGatePassed') {
      claim(before === 'ASKING', `group ${event.group} was ${before} and passed`);
      claim(
        stimulus.kind === 'group-answer' && stimulus.group === position,
        `group ${event.group} passed without an answer`,
      );
      const healthy = members.filter((member) => {
        const looks = this.#looks.get(`group ${position}/${member}`);
        const known = looks?.healthyFor(freshness) ?? null;
        return this.#environments[member] === 'SUCCEEDED' && known !== null && known >= soak;
      });
      claim(
        healthy.length >= required,
        `group ${event.group} passed with ${healthy.length} of ${required} at ${moved}`,
      );
      if (soak > 0) this.reached.count('group passed after a soak');
      this.#groups[position] = 'PASSED';
    } else if (event.type === 'GroupGateFailed') this.#groups[position] = 'FAILED';
  }

  /** What this decision is told of anybody's health. */
  #hear(old: ReleaseState, stimulus: Stimulus, moved: number): void {
    if (stimulus.kind === 'group-answer') {
      const { status, generation } = old.groups[stimulus.group] as GroupState;
      if (status !== 'ASKING' || generation !== stimulus.generation || old.endedAt !== null) return;
      for (const member of this.plan.groups[stimulus.group]?.members ?? []) {
        if (old.promotions[member]?.status !== 'SUCCEEDED') continue;
        const seen = stimulus.health.filter((each) => each.promotion === member);
        const key = `group ${stimulus.group}/${member}`;
        const looks = this.#looks.get(key) ?? new Looks();
        looks.add(moved, seen.length > 0 ? seen : [{ status: 'UNKNOWN' }]);
        this.#looks.set(key, looks);
      }
    }
    old.promotions.forEach(({ steps, status, attempt, startedAt }, position) => {
      if (startedAt === null || ENDED_PROMOTION.has(status)) return;
      const planned = this.#planned(position);
      steps.forEach((step, index) => {
        const { id, application } = planned.steps[index] as PlannedStep;
        const looks = this.#looks.get(`step ${position}/${id}`);
        if (!looks) return;
        if (stimulus.kind === 'outcome' && stimulus.promotion === position && stimulus.step === index) {
          const owner =
            attempt === stimulus.attempt && step.status === 'RUNNING' && step.dispatch === stimulus.dispatch;
          if (owner && stimulus.outcome.kind === 'observed') looks.add(moved, [stimulus.outcome.health]);
        } else if (
          stimulus.kind === 'health-reported' &&
          (step.status === 'WAITING' || (step.status === 'RUNNING' && step.clock?.status !== stimulus.status))
        ) {
          const { name } = planned.applications[application as number] as PlannedApplication;
          if (stimulus.environment === planned.environment && stimulus.application === name)
            looks.add(moved, [stimulus]);
        }
      });
    });
  }

  #claimSoaked(position: number, step: string, stimulus: Stimulus): void {
    const planned = this.#planned(position).steps.find((each) => each.id === step);
    if (planned?.work.kind !== 'soak' || stimulus.kind !== 'outcome' || stimulus.outcome.kind !== 'observed') return;
    const known = this.#looks.get(`step ${position}/${step}`)?.healthyFor(undefined) ?? null;
    claim(known !== null && known >= planned.work.duration, `${step} has soaked for ${known} ms only`);
    this.reached.count('step passed its soak');
  }

  /** What the gates of what has not started say is what the oracle says, also where nothing starts. */
  seeGates(state: ReleaseState, position: number, facts: Facts, now: number, answers: readonly GateAnswer[]): void {
    const { environment, approval, name } = this.#planned(position);
    const promotion = state.promotions[position] as PromotionState;
    const said = (gate: GateAnswer['gate']): GateAnswer | undefined => answers.find((each) => each.gate === gate);
    const agree = (gate: GateAnswer['gate'], waits: boolean): void =>
      claim(
        (said(gate)?.verdict === 'wait') === waits,
        `${gate} of ${name}: ${waits ? 'it should wait' : 'why does it wait'}`,
      );
    if (approval) {
      const granted = isApproved(approval, promotion.approval, state.initiator);
      claim((said('APPROVAL')?.verdict === 'pass') === granted, `${name} is ${granted ? '' : 'not '}approved`);
    }
    for (const { reason } of answers) {
      if (reason.includes('would not finish before')) this.reached.count('held by a runway');
      if (reason.includes('has just opened')) this.reached.count('just opened, and not its moment yet');
    }
    if (environment === null) return;
    agree('ENVIRONMENT', facts.heldBy[environment] !== undefined);
    const action = actionOf(this.plan);
    if (closing(facts, environment, action, promotion, now).length > 0) {
      agree('WINDOW', true);
      const opens = opensBy(facts, environment, action, promotion, now);
      const earliest = said('WINDOW')?.recheckAt ?? null;
      claim((earliest === null) === (opens === null), `${name} opens at ${opens}, the gate says ${earliest}`);
      claim(
        earliest === null || earliest <= (opens as number),
        `${name} opens at ${opens}, and waits until ${earliest}`,
      );
    } else if (said('WINDOW')?.verdict === 'wait')
      claim(wasClosed(facts, environment, action, promotion, now), `${name} is open, and its window waits`);
    const ends = {
      HOLD: this.plan.rollback ? [] : holding(facts, environment, state, now),
      VERSION: this.plan.rollback ? [] : marked(facts, environment, now),
    };
    for (const gate of ['HOLD', 'VERSION'] as const) {
      agree(gate, ends[gate].length > 0);
      if (ends[gate].length === 0) continue;
      const known = ends[gate].filter((each) => each !== null);
      const all = known.length < ends[gate].length ? undefined : Math.max(...known);
      claim(said(gate)?.recheckAt === all, `${gate} of ${name} ends at ${all}, the gate says ${said(gate)?.recheckAt}`);
    }
  }

  #seePromotion(
    old: ReleaseState,
    state: ReleaseState,
    position: number,
    stimulus: Stimulus,
    decision: Decision,
  ): void {
    const before = old.promotions[position] as PromotionState;
    const now = state.promotions[position] as PromotionState;
    const name = this.#name(position);
    claim(now.attempt >= before.attempt && now.dispatch >= before.dispatch, `${name} counts backwards`);
    const retried = stimulus.kind === 'retry' && decision.events[0]?.event.type === 'ReleaseRetried';
    claim(now.attempt === before.attempt || retried, `${name} has a new attempt without a retry`);
    if (retried && before.startedAt !== null && before.status !== 'SUCCEEDED') {
      claim(now.attempt === before.attempt + 1, `${name} is tried again as the same attempt`);
    }
    if (ENDED_PROMOTION.has(before.status) && !retried && stimulus.kind !== 'rollback-told')
      claim(now.status === before.status, `${name} ended and changed`);
    const listed = decision.work.flatMap((each) => (each.kind === 'dispatch' ? each.promotions : []));
    const mine = listed.filter((each) => each.promotion === position);
    claim(mine.length < 2, `${name} is dispatched twice at once`);
    for (const each of mine) {
      claim(each.attempt === now.attempt, `${name} is dispatched for attempt ${each.attempt}`);
      const owned = now.steps.some((step) => step.status === 'RUNNING' && step.dispatch === each.dispatch);
      claim(owned, `${name} has a job without a step`);
    }
    // Something else has become live there: what had been done begins again.
    const begins = decision.events.some(
      ({ event }) => event.type === 'PromotionStarted' && event.environment === this.#planned(position).name,
    );
    const { own } = this.#planned(position);
    const undone = UNDONE.has(before.status) || own === 'ON_SUCCESS' || own === 'ON_FAIL';
    const again = (begins && this.#again.has(position)) || (retried && undone);
    now.steps.forEach((step, index) => {
      const was = before.steps[index] as StepState;
      this.#claimEnded(position, index, was, step, stimulus, state.lastEventAt);
      // A pull request that was not merged belongs to its attempt: the next one opens its own.
      const unmerged = retried && isUnmerged(this.#planned(position), before, index);
      if (was.status === 'SUCCEEDED' && !again && !unmerged)
        claim(step.status === 'SUCCEEDED', `a step of ${name} had succeeded and is ${step.status}`);
      if (step.clock) this.#countSoak('step', was.clock?.healthyFor ?? 0, step.clock);
      claim(step.status !== 'WAITING' || step.recheckAt !== null, `a step of ${name} waits for no time at all`);
      if (step.status !== 'RUNNING') return;
      claim(step.dispatch > 0 && step.recheckAt === null, `a running step of ${name} without a job`);
      if (was.status === 'RUNNING' && was.dispatch === step.dispatch) return;
      const reporters =
        stimulus.kind === 'outcome' && stimulus.promotion === position && stimulus.dispatch === step.dispatch;
      claim(
        reporters || mine.some((each) => each.dispatch === step.dispatch),
        `a step of ${name} runs, and no job was asked for`,
      );
    });
    this.#claimStatus(now, position);
  }

  /**
   * What has an effect that is under way ends when somebody says that it has ended, or half a minute after it was told to: until
   * then its environment is nobody else's.
   */
  #claimEnded(position: number, index: number, was: StepState, step: StepState, stimulus: Stimulus, now: number): void {
    const planned = this.#planned(position).steps[index] as PlannedStep;
    const { kind } = planned.work;
    if (was.status !== 'RUNNING' || (step.status !== 'FAILED' && step.status !== 'TERMINATED')) return;
    if (kind === 'health' || kind === 'soak') return;
    const told = stimulus.kind === 'outcome' && stimulus.promotion === position && stimulus.step === index;
    if (told) return this.reached.count(was.stop ? 'ended after it was told to stop' : 'ended by its outcome');
    claim(was.stop !== null && was.stop.by <= now, `${planned.id} is ${step.status}, and its effect is on its way`);
    this.reached.count('given up after it was told to stop');
  }

  /** A health that somebody told while it was looked at is looked at again at once. */
  #seeTold(old: ReleaseState, state: ReleaseState, stimulus: Stimulus, now: number): void {
    this.plan.promotions.forEach(({ environment, applications, steps }, position) => {
      steps.forEach(({ work, application }, index) => {
        if (work.kind !== 'health' && work.kind !== 'sync') return;
        const key = `${position}/${index}`;
        const was = old.promotions[position]?.steps[index] as StepState;
        const step = state.promotions[position]?.steps[index] as StepState;
        const mine = stimulus.kind === 'outcome' && stimulus.promotion === position && stimulus.step === index;
        if (
          mine &&
          (stimulus.outcome.kind === 'pending' || stimulus.outcome.kind === 'observed') &&
          was.dispatch === stimulus.dispatch &&
          this.#toldInLook.has(key)
        ) {
          this.reached.count('told between look and record');
          const again = step.status !== 'WAITING' || (step.recheckAt ?? Infinity) <= now;
          claim(again, `${steps[index]?.id} was told while it was looked at, and waits until ${step.recheckAt}`);
        }
        if (step.status !== 'RUNNING' || step.dispatch !== was.dispatch || was.status !== 'RUNNING')
          this.#toldInLook.delete(key);
        const about = work.kind === 'health' ? 'health-reported' : 'deployment-reported';
        if (stimulus.kind !== 'health-reported' && stimulus.kind !== 'deployment-reported') return;
        if (stimulus.kind !== about || was.status !== 'RUNNING' || step.status !== 'RUNNING') return;
        const { environment: where, application: who } = stimulus;
        // Told twice, it is heard once.
        if (old.heard.some((each) => each.key === stimulus.key)) return;
        if (where !== environment || applications[application as number]?.name !== who) return;
        const status = stimulus.kind === 'health-reported' ? stimulus.status : 'HEALTHY';
        if (status === 'HEALTHY' || status === 'DEGRADED') this.#toldInLook.add(key);
        else this.#toldInLook.delete(key);
      });
    });
  }

  /** What nobody knows takes nothing back: a rollback is asked for where something failed that was seen to. */
  #seeKnown(old: ReleaseState, stimulus: Stimulus, { state, events, work, changed }: Decision): void {
    const late = stimulus.kind === 'rollout-reported' && old.endedAt !== null;
    if (late) claim(changed.length === 0 && work.length === 0, 'reported after the end, and something changed');
    if (late && events.length > 0) this.reached.count('a rollout reported after the end');
    const heard = old.heard.some((each) => each.key === stimulus.key);
    this.plan.promotions.forEach(({ environment, applications, steps }, position) => {
      const before = old.promotions[position] as PromotionState;
      const own = events.flatMap(({ event }) =>
        'step' in event && event.environment === this.#name(position) ? [event] : [],
      );
      steps.forEach(({ id, work: { kind }, application }, index) => {
        if (!LOOKS.has(kind)) return;
        const key = `${position}/${index}`;
        const was = before.steps[index] as StepState;
        const turn = (known: boolean): void => void (known ? this.#told.add(key) : this.#told.delete(key));
        // A soak begins after a look that found it healthy.
        if (own.some((each) => each.type === 'StepStarted' && each.step === id)) turn(kind === 'soak');
        if (stimulus.kind === 'outcome' && stimulus.promotion === position && stimulus.step === index) {
          const { attempt, dispatch, outcome } = stimulus;
          if (attempt !== before.attempt || was.status !== 'RUNNING' || was.dispatch !== dispatch || was.stop) return;
          if (outcome.kind === 'observed') turn(outcome.health.status !== 'UNKNOWN');
          // That a target does not run the change says nothing of how it is.
          else if (outcome.kind !== 'aborted')
            turn(kind !== 'sync' && outcome.kind === 'failed' && outcome.unclear !== true);
        }
        if (stimulus.kind === 'health-reported' && kind === 'soak' && !heard) {
          const about = applications[application as number]?.name === stimulus.application;
          if (about && stimulus.environment === environment) turn(stimulus.status !== 'UNKNOWN');
        }
        if (stimulus.kind === 'rollout-reported' && stimulus.environment === environment && !heard) {
          const bad = stimulus.status === 'FAILED' || stimulus.status === 'ROLLED_BACK';
          if (bad && stimulus.attempt === before.attempt) turn(true);
        }
        const isSilent = (each: (typeof own)[number]): boolean =>
          each.type === 'StepFailed' &&
          each.step === id &&
          (each.message.includes('no report came within') || each.message.includes(TOO_LATE));
        if (own.some(isSilent)) turn(false);
      });
      const seen = steps.some(({ work: { kind } }, index) => {
        const failed = state.promotions[position]?.steps[index]?.status === 'FAILED';
        return failed && (!LOOKS.has(kind) || this.#told.has(`${position}/${index}`));
      });
      const asked = work.find((each) => each.kind === 'roll-back' && each.promotion === position);
      const notSynced = steps.some(
        ({ work: { kind } }, index) => kind === 'sync' && state.promotions[position]?.steps[index]?.status === 'FAILED',
      );
      const named = this.plan.rollbackPolicies?.some(({ when }) => when.causes?.includes('NOT_SYNCED')) ?? false;
      if (asked?.kind === 'roll-back' && asked.cause === 'NOT_SYNCED') {
        claim(notSynced && named, `${this.#name(position)} goes back for want of its sync, and no policy wants that`);
        this.reached.count('not synced, and it goes back');
      } else if (asked?.kind === 'roll-back' && asked.cause === 'MERGED_OUTSIDE_GATES') {
        const wanted = this.#planned(position).pullRequest?.onMergeOutsideGates === 'ROLL_BACK';
        claim(
          wanted && events.some(({ event }) => event.type === 'PullRequestMergedOutsideGates'),
          `${this.#name(position)} goes back for a merge, and nothing says that it should`,
        );
        this.reached.count('merged outside the gates, and it goes back');
      } else claim(!asked || seen, `${this.#name(position)} goes back, and nobody could tell how it is`);
      if (notSynced && before.status !== 'FAILED' && state.promotions[position]?.status === 'FAILED' && !asked)
        this.reached.count('not synced, and nothing goes back');
      const { status, startedAt } = state.promotions[position] as PromotionState;
      if (status === 'FAILED' && before.status !== 'FAILED' && startedAt !== null && !seen)
        this.reached.count('failed, and nobody could tell how it is');
    });
  }

  /** Limits, counted once more: what ends because of one had reached it, and what had reached one ends. */
  #seeTimes(old: ReleaseState, state: ReleaseState, events: Decision['events'], now: number): void {
    const total = (key: 'release' | number): number => {
      const { moved, since } = this.#times.get(key) ?? { moved: 0, since: null };
      return moved + (since === null ? 0 : Math.max(0, now - since));
    };
    const { timeout, maxAge = DEFAULT_MAX_AGE } = this.plan;
    for (const { event } of events) {
      if (event.type === 'ReleaseTerminating' && event.reason.startsWith("the flow's limit")) {
        claim(total('release') >= timeout, `it moved for ${total('release')} of ${timeout} ms, and is ended`);
        this.reached.count('ended by its limit');
      }
      if (event.type === 'ReleaseTerminating' && event.reason.startsWith('it is older')) {
        claim(now - this.#born >= maxAge, `it is ${now - this.#born} of ${maxAge} ms old, and is ended`);
        this.reached.count('ended by its age');
      }
      if (event.type === 'StepFailed' && event.message.includes(TOO_LATE)) {
        const position = this.#position(event.environment);
        const step = this.#planned(position).steps.findIndex((each) => each.id === event.step);
        const { startedAt } = (state.promotions[position] as PromotionState).steps[step] as StepState;
        const { patience = 0 } = this.#planned(position).steps[step] as PlannedStep;
        claim(
          now - (startedAt as number) >= patience,
          `${event.step} was given ${now - (startedAt as number)} ms only`,
        );
        this.reached.count('sync came too late');
      }
      if (event.type === 'StepFailed' && event.message.startsWith('the limit of')) {
        const position = this.#position(event.environment);
        const limit = this.#planned(position).timeout ?? Infinity;
        // It had reached it when it was told to stop; the clock may have gone back since.
        const stopped = old.promotions[position]?.steps.some((step) => step.stop !== null);
        claim(
          stopped === true || total(position) >= limit,
          `${event.environment} moved for ${total(position)} of ${limit} ms, and failed`,
        );
        this.reached.count('environment ended by its limit');
      }
      if (event.type === 'ReleaseRetried') {
        this.#born = now;
        this.#times.clear();
      }
      if (event.type === 'PromotionStarted') this.#times.delete(this.#position(event.environment));
    }
    state.promotions.forEach(({ steps }, position) => {
      const limit = this.#planned(position).timeout ?? Infinity;
      steps.forEach(({ stop }, index) => {
        const news = stop !== null && !old.promotions[position]?.steps[index]?.stop;
        if (news && stop.message.startsWith('the limit of'))
          claim(total(position) >= limit, 'stopped before its limit');
      });
    });
    const open = state.endedAt === null && state.terminating === null;
    if (open && state.startedAt !== null)
      claim(total('release') < timeout, `it has moved for ${total('release')} ms, and goes on`);
    if (open) claim(now - this.#born < maxAge, `it is ${now - this.#born} ms old, and goes on`);
    const turn = (key: 'release' | number, moves: boolean): void => {
      const { moved, since } = this.#times.get(key) ?? { moved: 0, since: null };
      if (moves !== (since !== null))
        this.#times.set(key, moves ? { moved, since: now } : { moved: total(key), since: null });
    };
    const moving = state.promotions.map(({ steps, status, startedAt }, position) => {
      if (startedAt === null || ENDED_PROMOTION.has(status)) return false;
      const busy = steps.filter((step) => step.status === 'RUNNING' || step.status === 'WAITING');
      const unseen = (step: StepState): boolean =>
        this.#isSoak(position, steps.indexOf(step)) && step.clock?.status === 'UNKNOWN';
      return busy.some((step) => !step.outside && !unseen(step));
    });
    moving.forEach((moves, position) => {
      if (this.#planned(position).timeout !== null) turn(position, moves);
    });
    const asks = state.groups.some((each) => ['ASKING', 'WAITING'].includes(each.status) && each.unknownSince === null);
    turn('release', state.endedAt === null && state.startedAt !== null && (asks || moving.includes(true)));
    if (!open) return;
    const due = [this.#born + maxAge, ...this.#reaches('release', timeout)];
    state.promotions.forEach(({ status, steps }, position) => {
      const limit = this.#planned(position).timeout;
      const begun = steps.some((step) => (step.status === 'RUNNING' && !step.stop) || step.status === 'WAITING');
      if (limit !== null && begun && !ENDED_PROMOTION.has(status)) due.push(...this.#reaches(position, limit));
    });
    for (const at of due)
      claim(state.wakeAt !== null && state.wakeAt <= at, `a limit is over at ${at}, it wakes at ${state.wakeAt}`);
  }

  #reaches(key: 'release' | number, limit: number): number[] {
    const { moved, since } = this.#times.get(key) ?? { moved: 0, since: null };
    return since === null ? [] : [since + limit - moved];
  }

  /** What a promotion is must follow from what its steps are, whatever led there. */
  #claimStatus(promotion: PromotionState, position: number): void {
    const { status, steps, startedAt } = promotion;
    const some = (each: StepState['status']): boolean => steps.some((step) => step.status === each);
    const name = `${this.#name(position)} (${steps.map((step) => step.status).join(' ')})`;
    if (ENDED_PROMOTION.has(status))
      claim(!some('RUNNING') && !some('WAITING'), `${name} is ${status} and not through`);
    if (status === 'SUCCEEDED')
      claim(
        steps.every((step) => step.status === 'SUCCEEDED'),
        `${name} SUCCEEDED`,
      );
    if (status === 'FAILED') {
      const unapproved = this.#planned(position).approval !== null && startedAt === null;
      claim(some('FAILED') || unapproved, `${name} FAILED without a failed step`);
    }
    if (status === 'SKIPPED' || status === 'PENDING') claim(startedAt === null, `${name} is ${status} and started`);
    if (startedAt === null || ENDED_PROMOTION.has(status)) return;
    // A look at what soaks or waits for somebody is no work, unless all of it has to end.
    const isLook = (step: StepState, index: number): boolean => step.outside || this.#isSoak(position, index);
    const works = steps.some((step, index) => step.status === 'RUNNING' && !isLook(step, index));
    if (works || (some('RUNNING') && status === 'RUNNING'))
      return claim(status === 'RUNNING', `${name} runs and is ${status}`);
    const waiting = steps.findIndex((step) => step.status === 'WAITING' || step.status === 'RUNNING');
    const paused = promotion.evidence?.some(pauses) && waiting < 0 && status === 'WAITING';
    if (paused) return this.reached.count('paused by a window');
    claim(waiting >= 0, `${name} is ${status} and neither runs nor waits`);
    const expected = steps[waiting]?.outside ? 'SUSPENDED' : this.#isSoak(position, waiting) ? 'WAITING' : 'RUNNING';
    claim(status === expected, `${name} waits and is ${status}, not ${expected}`);
  }

  #countSoak(whose: 'step' | 'member', before: number, { status, healthyFor }: HealthClock): void {
    if (before > 0 && healthyFor === 0) this.reached.count(`soak of a ${whose} begins anew`);
    if (before > 0 && status === 'UNKNOWN') this.reached.count(`soak of a ${whose} stands still`);
  }

  #isSoak(position: number, step: number): boolean {
    return this.#planned(position).steps[step]?.work.kind === 'soak';
  }

  #seeGroup(old: ReleaseState, group: GroupState, position: number, stimulus: Stimulus, decision: Decision): void {
    const before = old.groups[position] as GroupState;
    claim(group.generation >= before.generation, `group ${position} counts backwards`);
    if (before.status !== group.status) this.reached.count(`group ${before.status} > ${group.status}`);
    if (group.status === 'WAITING' && group.reason?.includes('soaks until')) this.reached.count('group soaks');
    if (group.reason?.includes('last told')) this.reached.count('group lacks a fresh health');
    group.clocks.forEach((clock, index) => {
      if (clock) this.#countSoak('member', before.clocks[index]?.healthyFor ?? 0, clock);
    });
    const asks = decision.work.filter((each) => each.kind === 'ask-group' && each.group === position);
    for (const each of asks)
      claim(group.status === 'ASKING' && 'generation' in each && each.generation === group.generation, 'asks in vain');
    if (group.status !== 'ASKING' || group.generation === before.generation) return;
    const members = (this.plan.groups[position] as PlannedGroup).members;
    const ended = members.every((each) =>
      ENDED_PROMOTION.has(decision.state.promotions[each]?.status as PromotionStatus),
    );
    const joined = stimulus.kind === 'outcome' && members.includes(stimulus.promotion) && ended;
    if (joined && asks.length === 0) this.reached.count('group asked by its join');
    claim(asks.length === 1 || (joined && asks.length === 0), `nobody asks group ${position}`);
  }

  /** An outcome from somebody who does not own the step says nothing, unless it is a success. */
  #seeStale(old: ReleaseState, stimulus: Stimulus, facts: Facts | null, now: number, state: ReleaseState): void {
    if (stimulus.kind !== 'outcome') return;
    const promotion = old.promotions[stimulus.promotion];
    const step = promotion?.steps[stimulus.step];
    const owner =
      promotion?.attempt === stimulus.attempt && step?.status === 'RUNNING' && step.dispatch === stimulus.dispatch;
    this.reached.count(`outcome ${stimulus.outcome.kind} ${owner ? 'of the owner' : 'of another'}`);
    if (owner) return;
    const open = promotion?.attempt === stimulus.attempt && !ENDED_PROMOTION.has(promotion.status);
    const counts =
      open && stimulus.outcome.kind === 'succeeded' && (step?.status === 'RUNNING' || step?.status === 'WAITING');
    if (counts) {
      this.reached.count('success of another accepted');
      // It is through; what was told to stop has failed all the same.
      const after = state.promotions[stimulus.promotion]?.steps[stimulus.step]?.status;
      if (step.stop) this.reached.count('success of another after it was told to stop');
      return claim(after === (step.stop ? 'FAILED' : 'SUCCEEDED'), `a success was told, the step is ${after}`);
    }
    const ignored = advance(this.plan, old, [{ kind: 'tick' }], facts, now);
    claim(
      ignored !== 'NEEDS_FACTS' && same(ignored.state, state),
      `a stale ${stimulus.outcome.kind} changed something`,
    );
  }

  /**
   * The status of an open pull request, held against the oracle: green exactly while nothing is in the way and nothing closes within the
   * lead. A merge is outside the gates where something was in the way from its moment on until it was heard of, and is not where nothing was.
   */
  #seeMerges(
    old: ReleaseState,
    state: ReleaseState,
    facts: Facts | null,
    stimulus: Stimulus,
    events: Decision['events'],
    now: number,
  ): void {
    this.plan.promotions.forEach((planned, position) => {
      const { pullRequest, environment, steps } = planned;
      const promotion = state.promotions[position] as PromotionState;
      if (pullRequest === undefined || environment === null) return;
      this.#seeMerged(old, position, stimulus, events, now);
      const { merge, startedAt, status } = promotion;
      const open = startedAt !== null && !ENDED_PROMOTION.has(status);
      const awaited = steps.some(
        ({ work }, index) => work.kind === 'merge' && promotion.steps[index]?.status !== 'SUCCEEDED',
      );
      const level = merge?.level ?? null;
      if (!awaited) return claim(level === null, `${planned.name} is merged, and its status says ${level?.state}`);
      if (!open)
        return claim(
          level === null || level.state === 'FAILURE',
          `${planned.name} is over, and its status is ${level?.state}`,
        );
      const stops =
        promotion.steps.some((each) => each.status === 'FAILED' || each.stop !== null) ||
        this.#stopped(state, position);
      if (stops)
        return claim(
          level === null || level.state === 'FAILURE',
          `${planned.name} stops, and its status is ${level?.state}`,
        );
      claim(facts !== null, `the merge into ${planned.name} was not asked about`);
      if (facts === null) return;
      const why = this.#mergeObstacle(state, position, facts, now);
      const past = this.#mergeGates.get(position) ?? [];
      this.#mergeGates.set(position, [...past, { at: now, shut: why !== null }]);
      const action = actionOf(this.plan);
      const soon = closingWithin(facts, environment, action, promotion, now, STATUS_LEAD);
      const spread = wasClosed(facts, environment, action, promotion, now);
      this.reached.count(
        `merge ${pullRequest.open} ${level?.state} ${why === null ? (soon ? 'closes soon' : 'free') : 'held'}`,
      );
      if (level?.state === 'SUCCESS')
        claim(why === null && !soon, `green, and ${why ?? `${planned.name} closes within a minute`}`);
      else
        claim(
          why !== null || soon || spread,
          `${level?.state} although nothing keeps ${planned.name} from its merge: ${level?.description}`,
        );
    });
  }

  /** What people, windows, holds and marks have against the merge. */
  #mergeObstacle(state: ReleaseState, position: number, facts: Facts, now: number): string | null {
    return mergeObstacle(this.plan, state, position, facts, now);
  }

  /** Told to end, by whomever. */
  #stopped({ terminating, halted, rollbacks }: ReleaseState, position: number): boolean {
    const back = Object.values(rollbacks).some(({ stop }) => stop.includes(position));
    return terminating !== null || (halted && this.plan.onFailure === 'STOP') || back;
  }

  #seeMerged(old: ReleaseState, position: number, stimulus: Stimulus, events: Decision['events'], now: number): void {
    if (stimulus.kind !== 'outcome' || stimulus.promotion !== position || stimulus.outcome.kind !== 'succeeded') return;
    const { pullRequest } = stimulus.outcome;
    const told = events.some(({ event }) => event.type === 'PullRequestMergedOutsideGates');
    if (pullRequest?.state !== 'MERGED' || !events.some(({ event }) => event.type === 'PullRequestMerged')) return;
    const at = Math.min(pullRequest.at ?? now, now);
    const past = this.#mergeGates.get(position) ?? [];
    const before = past.findLastIndex((each) => each.at <= at);
    const since = past.slice(Math.max(0, before));
    if (before < 0 || old.promotions[position]?.merge === null) return;
    this.reached.count(told ? 'merged outside the gates' : 'merged inside the gates');
    if (since.every((each) => each.shut)) claim(told, 'merged while a gate was shut, and nobody was told');
  }

  #seeWhole(state: ReleaseState, facts: Facts | null, now: number): void {
    const { promotions, groups, status, wakeAt } = state;
    const open = promotions.filter((each) => !ENDED_PROMOTION.has(each.status));
    if (ENDED_RELEASE.has(status)) {
      claim(open.length === 0, `${status} with open promotions`);
      claim(wakeAt === null, 'ended, and wakes');
      const failed =
        promotions.some((each) => BAD_PROMOTION.has(each.status)) ||
        groups.some((each) => each.status === 'FAILED') ||
        (state.terminating === null && promotions.some((each) => each.status === 'TERMINATED')) ||
        (this.plan.rollback?.targets.some((each) => each.decision === 'IMPOSSIBLE') ?? false);
      if (status === 'SUCCEEDED') {
        claim(
          promotions.every((each) => each.status === 'SUCCEEDED' || each.status === 'SKIPPED'),
          'SUCCEEDED, not all did',
        );
        claim(
          groups.every((each) => each.status === 'PASSED'),
          'SUCCEEDED without its groups',
        );
        claim(!failed, 'SUCCEEDED with a failure');
      }
      if (status === 'FAILED') claim(failed, 'FAILED without a failure');
      if (status === 'TERMINATED') claim(state.terminating !== null, 'TERMINATED by nobody');
      return;
    }
    if (state.endedAt !== null) {
      claim(status === 'RUNNING' && wakeAt === null, `ended, ${status}, and wakes at ${wakeAt}`);
      const back = promotions.some((each) => each.status === 'ROLLING_BACK');
      return claim(back && open.length === 0, 'ended, and RUNNING although nothing goes back');
    }
    if (status === 'QUEUED')
      return claim(state.startedAt === null && facts?.behind != null, 'QUEUED although it is its turn');
    const running = open.some((each) => each.status === 'RUNNING');
    const asking = groups.some((each) => each.status === 'ASKING');
    if (state.terminating) claim(status === 'TERMINATING', `terminating and ${status}`);
    else if (running) claim(status === 'RUNNING', `something runs, and the release is ${status}`);
    else if (!asking) claim(status === 'SUSPENDED', `nothing runs, and the release is ${status}`);
    const stopping = promotions.filter(
      ({ status: each }, position) => !ENDED_PROMOTION.has(each) && this.#planned(position).own !== 'ON_FAIL',
    );
    claim(
      !state.terminating || stopping.every((each) => each.status === 'RUNNING'),
      'terminating, and something waits',
    );

    const stops = state.terminating !== null || (state.halted && this.plan.onFailure === 'STOP');
    const times = groups.flatMap((each) => (each.status === 'WAITING' && !stops ? [each.recheckAt] : []));
    let outside = false;
    promotions.forEach((each, position) => {
      if (ENDED_PROMOTION.has(each.status)) return;
      outside ||= each.status === 'SUSPENDED';
      if (each.startedAt === null) {
        if (each.status === 'WAITING' && facts) {
          const end = this.#waitsUntil(state, position, facts, now);
          if (end === null) outside = true;
          else if (!stops) times.push(end);
        }
        return;
      }
      // Paused by a window, which may have no opening of its own.
      outside ||= each.status === 'WAITING' && !each.steps.some((step) => step.status === 'WAITING');
      for (const step of each.steps) {
        if (step.status === 'WAITING') times.push(step.recheckAt);
        if (step.stop) times.push(step.stop.by);
      }
    });
    const due = times.filter((each) => each !== null);
    const moves = promotions.some((each) => each.steps.some((step) => step.status === 'RUNNING')) || asking;
    claim(
      moves || due.length > 0 || outside || facts === null,
      'stuck: no job, no question, no time, nobody to wait for',
    );
    if (state.terminating === null) due.push(state.deadline as number);
    for (const time of due) {
      claim(wakeAt !== null && wakeAt <= time, `something is due at ${time}, and it wakes at ${wakeAt}`);
      claim(time > now, `something was due at ${time}, and it is ${now}`);
    }
  }

  /**
   * When whatever keeps it waiting is over by itself, all of it; null: it waits for somebody, or for its turn in its group. That
   * it waits in vain is what the end of every run shows.
   */
  #waitsUntil(state: ReleaseState, position: number, facts: Facts, now: number): number | null {
    const { environment, approval, group } = this.#planned(position);
    const promotion = state.promotions[position] as PromotionState;
    if (environment === null || group !== null || approval !== null || this.plan.rollback) return null;
    if (facts.heldBy[environment] !== undefined) return null;
    const ends = [
      ...holding(facts, environment, state, now),
      ...marked(facts, environment, now),
      opensBy(facts, environment, actionOf(this.plan), promotion, now),
    ];
    const known = ends.filter((each) => each !== null);
    return known.length < ends.length || Math.max(...known) <= now ? null : Math.max(...known);
  }

  #move(status: ReleaseStatus): void {
    if (status !== this.#status) this.reached.count(`release ${this.#status} > ${status}`);
    this.#status = status;
    this.#over = ENDED_RELEASE.has(status);
  }

  #planned(position: number): PlannedPromotion {
    return this.plan.promotions[position] as PlannedPromotion;
  }

  #name(position: number): string {
    return this.#planned(position).name;
  }

  #position(name: string): number {
    return this.plan.promotions.findIndex((each) => each.name === name);
  }
}

const ORDER: readonly Phase[] = ['PRE_ACTION', 'ACTION', 'SYNC', 'HEALTH', 'SOAK', 'POST_ACTION'];

/** Steps that only look. */
const LOOKS: ReadonlySet<StepWork['kind']> = new Set(['sync', 'health', 'soak']);
const TOO_LATE = 'not seen to run the change within';

const UNDONE: ReadonlySet<PromotionStatus> = new Set(['ROLLING_BACK', 'ROLLED_BACK', 'ROLLBACK_FAILED']);

/** What a keyed stimulus adds to the log. */
const ONCE: ReadonlySet<string> = new Set([
  'HealthChanged',
  'DeploymentReported',
  'RolloutReported',
  'RollbackJoined',
  'ReleaseTerminating',
  'ReleaseRetried',
]);

/** What a rollback tells a release may come after its end, and make it another one; how a rollout went may be told then, and changes nothing. */
const AFTER_THE_END: ReadonlySet<string> = new Set([
  // The errand that closes a pull request outlives its release.
  'PullRequestClosed',
  'PullRequestMerged',
  'RolloutReported',
  'ReleaseTakenBack',
  'PromotionRollingBack',
  'PromotionRolledBack',
  'PromotionRollbackFailed',
  'RollbackJoined',
  'ReleaseFailed',
  'ReleaseTerminated',
]);

export function claim(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

/** Frozen parts are shared by the next state: they are not walked through again. */
export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const each of Object.values(value)) deepFreeze(each);
}

/** Deep equality of plain data; what two states share is not walked through. */
function same(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => key in other && same(one[key as never], other[key as never]));
}
