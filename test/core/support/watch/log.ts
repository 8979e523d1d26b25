import { failuresOf } from '../../../../src/core/failures.ts';
import { actorOf } from '../../../../src/core/actor.ts';
import type { Decision } from '../../../../src/core/decision.ts';
import type { ReleaseEvent } from '../../../../src/core/events.ts';
import type { Dependency, OwnSteps, Phase, PlannedGroup, PlannedStep } from '../../../../src/core/plan.ts';
import { ENDED_PROMOTION, ENDED_RELEASE } from '../../../../src/core/release.ts';
import type {
  Facts,
  GroupState,
  PromotionState,
  PromotionStatus,
  ReleaseState,
  ReleaseStatus,
  Stimulus,
} from '../../../../src/core/release.ts';
import { claim } from '../claim.ts';
import { obstacle, openObstacle } from '../oracle.ts';
import { isUnmerged } from './merges.ts';
import type { MergeWatch } from './merges.ts';
import { UNDONE } from './promotions.ts';
import type { SoakWatch } from './soaks.ts';
import { nameOf, plannedAt, positionOf } from './watched.ts';
import type { Watched } from './watched.ts';

/** A second picture of a release, folded from its events alone: what subscribers are told is held against the rules, and against the state. */
export class LogWatch {
  readonly #of: Watched;
  readonly #merges: MergeWatch;
  readonly #soaks: SoakWatch;
  #status: ReleaseStatus = 'QUEUED';
  readonly #environments: PromotionStatus[];
  readonly #started = new Set<number>();
  readonly #again = new Set<number>();
  readonly #groups: GroupState['status'][];
  /** By position: what a person said when they skipped it, until it begins again. */
  readonly #skips = new Map<number, { reason: string; by: string | null }>();
  /** What had failed when a person went on in spite of it. */
  readonly #forgiven = new Set<number>();
  /** `promotion/step` */
  readonly #succeeded = new Set<string>();
  #terminating = false;
  #over = false;
  #sequence: number;
  #lastAt: number;

  constructor(of: Watched, { lastEventAt, sequence }: ReleaseState, merges: MergeWatch, soaks: SoakWatch) {
    this.#of = of;
    this.#merges = merges;
    this.#soaks = soaks;
    this.#environments = of.plan.promotions.map(() => 'PENDING');
    this.#groups = of.plan.groups.map(() => 'OPEN');
    this.#lastAt = lastEventAt;
    this.#sequence = sequence;
  }

  /** Something else was live there when it started, so it began from its start. */
  hasBegunAgain(position: number): boolean {
    return this.#again.has(position);
  }

  see(
    old: ReleaseState,
    stimulus: Stimulus,
    facts: Facts | null,
    moved: number,
    { state, events, refused }: Decision,
  ): void {
    if (stimulus.kind === 'skip' && !refused.has(stimulus) && !old.heard.some(({ key }) => key === stimulus.key)) {
      claim(!this.#skips.has(stimulus.promotion), `${nameOf(this.#of, stimulus.promotion)} is skipped twice`);
      this.#skips.set(stimulus.promotion, stimulus);
    }
    for (const each of events) {
      this.#sequence += 1;
      claim(each.sequence === this.#sequence, `event ${each.sequence} follows ${this.#sequence - 1}`);
      claim(each.at >= this.#lastAt, 'an event went back in time');
      if (each.event.type === 'ReleaseRetried') this.#over = false;
      const isSkip = each.event.type === 'PromotionSkipped' && stimulus.kind === 'skip';
      claim(!this.#over || isSkip || AFTER_THE_END.has(each.event.type), `${each.event.type} after the end`);
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
      claim(status === told, `${nameOf(this.#of, position)} is ${status}, the events said ${told}`);
    });
    state.groups.forEach(({ status }, position) => {
      const asking = status === 'ASKING' || status === 'WAITING' ? 'ASKING' : status;
      claim(
        asking === this.#groups[position],
        `group ${position} is ${status}, the events said ${this.#groups[position]}`,
      );
    });
  }

  #fold(
    event: ReleaseEvent,
    old: ReleaseState,
    facts: Facts | null,
    stimulus: Stimulus,
    moved: number,
    state: ReleaseState,
  ): void {
    this.#of.reached.count(`event ${event.type}`);
    if (event.type === 'ReleaseFailed' || event.type === 'ReleaseTerminated')
      claim((event.reason ?? '') !== '', `${event.type}, and nothing says why`);
    if (event.type === 'ReleaseTerminating') {
      // A limit that is over in the same moment ends it as well, with its own reason.
      const waiting = stimulus.kind === 'terminate' && stimulus.onlyIf === 'QUEUED' && stimulus.reason === event.reason;
      claim(!waiting || old.status === 'QUEUED', `what was to end while it waited is ${old.status}, and is ended`);
      this.#terminating = true;
    }
    if (event.type === 'ReleaseRetried') {
      this.#terminating = false;
      const undone = new Set<number | null>();
      this.#claimGoesOn(event.environments, old, stimulus);
      for (const name of event.environments) {
        const position = positionOf(this.#of, name);
        const planned = plannedAt(this.#of, position);
        this.#skips.delete(position);
        if (UNDONE.has(old.promotions[position]?.status as PromotionStatus)) {
          // What was taken back begins from its start, and the gate of its group with it.
          for (const { id } of planned.steps) this.#succeeded.delete(`${position}/${id}`);
          undone.add(planned.group);
          this.#of.reached.count('taken back, and tried again');
        }
        const atTheEnd = planned.own === 'ON_SUCCESS' || planned.own === 'ON_FAIL';
        if (atTheEnd) for (const { id } of planned.steps) this.#succeeded.delete(`${position}/${id}`);
        planned.steps.forEach(({ id }, index) => {
          if (isUnmerged(planned, old.promotions[position] as PromotionState, index))
            this.#succeeded.delete(`${position}/${id}`);
        });
        this.#merges.forget(position);
        claim(atTheEnd || this.#environments[position] !== 'SUCCEEDED', `${name} succeeded and is run again`);
        const { of } = planned;
        claim(of === undefined || this.#environments[of] === 'PENDING', `${name} is run again, and nothing else of it`);
        this.#environments[position] = 'PENDING';
        this.#started.delete(position);
      }
      this.#groups.forEach((status, group) => {
        if (status === 'PASSED' && !undone.has(group)) return;
        // Of one that stays failed nothing begins again.
        const { members } = this.#of.plan.groups[group] as PlannedGroup;
        const one = stimulus.kind === 'skip' ? stimulus.promotion : stimulus.kind === 'retry' ? stimulus.promotion : 0;
        const touched =
          one === undefined ||
          members.includes(one) ||
          members.some((each) => event.environments.includes(nameOf(this.#of, each)));
        if (isOne(stimulus) && (status === 'FAILED' ? !touched : old.endedAt === null)) return;
        this.#groups[group] = 'OPEN';
        this.#soaks.forgetGroup(group);
      });
    }
    if ('group' in event) this.#foldGroup(event, stimulus, moved);
    if (!('environment' in event)) return;
    const position = positionOf(this.#of, event.environment);
    if ('step' in event) {
      const key = `${position}/${event.step}`;
      if (event.type === 'StepStarted') {
        const outlives = plannedAt(this.#of, position).own === 'ON_FAIL';
        claim(!this.#skips.has(position), `${event.step} started although a person skips it`);
        claim(!this.#terminating || outlives, `${event.step} started although the release is terminating`);
        const goesOn = stimulus.kind === 'retry' || stimulus.kind === 'skip';
        const stopped = !outlives && old.halted && this.#of.plan.onFailure === 'STOP' && !goesOn;
        claim(!stopped, `${event.step} started although the release stops`);
        const { steps } = plannedAt(this.#of, position);
        const planned = steps.find((each) => each.id === event.step) as PlannedStep;
        if (planned.work.kind === 'soak') this.#soaks.begin(position, event.step, moved);
        // Whatever the plan says that it needs: the health of what the target does not run yet says nothing of the change.
        const earlier = ORDER.slice(0, ORDER.indexOf(planned.phase));
        // A hook comes before, or after, all applications.
        const related = (one: PlannedStep): boolean =>
          one.application === planned.application || one.application === null || planned.application === null;
        for (const each of steps.filter((one) => related(one) && earlier.includes(one.phase)))
          claim(this.#succeeded.has(`${position}/${each.id}`), `${event.step} started before ${each.id} succeeded`);
        for (const need of planned.needs) {
          const needed = steps[need]?.id as string;
          claim(this.#succeeded.has(`${position}/${needed}`), `${event.step} started before ${needed} succeeded`);
        }
      }
      if (event.type === 'StepSucceeded') {
        claim(!this.#succeeded.has(key), `${event.step} succeeded twice`);
        this.#soaks.claimSoaked(position, event.step, stimulus);
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
    if (event.type === 'PromotionSkipped') {
      const said = this.#skips.get(position);
      claim((event.byPerson ?? false) === (said !== undefined), `${event.environment} is skipped, and by whom?`);
      claim(said === undefined || event.reason === said.reason, `${event.environment} is skipped for another reason`);
      claim((event.by ?? null) === (said?.by ?? null), `${event.environment} is skipped by ${event.by}`);
    }
    if (before !== event.status) this.#of.reached.count(`environment ${before} > ${event.status}`);
    const { environment, own } = plannedAt(this.#of, position);
    if (environment === null && own === undefined)
      this.#of.reached.count(`step without an environment ${event.status}`);
    this.#environments[position] = event.status;
  }

  #claimMayStart(position: number, old: ReleaseState, facts: Facts | null, moved: number, state: ReleaseState): void {
    const planned = plannedAt(this.#of, position);
    if (planned.of !== undefined) return this.#claimHookMayStart(planned.of, state);
    if (planned.own !== undefined) return this.#claimOwnMayStart(position, planned.own, state);
    const first = this.#of.plan.promotions.findIndex((each) => each.own === 'ON_START');
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
      this.#of.reached.count('begun again where something else was live');
      this.#again.add(position);
      for (const { id } of planned.steps) this.#succeeded.delete(`${position}/${id}`);
      const { steps } = state.promotions[position] as PromotionState;
      const kept = steps.some((step) => step.status === 'SUCCEEDED');
      claim(!kept, `${planned.name} goes on where something else has become live`);
    }
    this.#started.add(position);
    const met = planned.dependsOn.filter((each: Dependency) =>
      'group' in each ? this.#groups[each.group] === 'PASSED' : this.#isDone(each.promotion),
    );
    if (planned.dependsOn.some((each) => 'promotion' in each && this.#isSkipped(each.promotion)))
      this.#of.reached.count('started behind what a person skipped');
    claim(met.length >= planned.required, `${planned.name} started before its dependencies`);
    claim(facts !== null, `${planned.name} started without facts`);
    const atOnce = planned.pullRequest?.open === 'AT_ONCE';
    const why = facts && (atOnce ? openObstacle : obstacle)(this.#of.plan, state, position, facts, moved);
    claim(why === null, `${planned.name} started although ${why}`);
    const limit = this.#of.plan.rollback?.maxParallel ?? Infinity;
    const back = [...this.#started].filter((each) => !ENDED_PROMOTION.has(this.#environments[each] as PromotionStatus));
    claim(!this.#of.plan.rollback || back.length <= limit, `${back.length} go back at once`);
    if (planned.group === null) return;
    const { maxParallel, maxFailures, members } = this.#of.plan.groups[planned.group] as PlannedGroup;
    const live = members.filter(
      (each) => this.#started.has(each) && !ENDED_PROMOTION.has(this.#environments[each] as PromotionStatus),
    );
    claim(live.length <= maxParallel, `${live.length} of group ${planned.group} at once`);
    const all = members.filter((each) => this.#environments[each] === 'FAILED');
    const failed = all.filter((each) => !this.#forgiven.has(each));
    if (all.length > maxFailures) this.#of.reached.count('started in spite of a failure that a person has seen');
    claim(failed.length <= maxFailures, `${planned.name} started after ${failed.length} failures in its group`);
  }

  #isSkipped(position: number): boolean {
    return this.#environments[position] === 'SKIPPED' && this.#skips.has(position);
  }

  /** It has succeeded, or a person said that it counts as if it had. */
  #isDone(position: number): boolean {
    return this.#environments[position] === 'SUCCEEDED' || this.#isSkipped(position);
  }

  /**
   * What begins again with one promotion: that one where it is retried, and of the others only what never started, for which no person
   * wanted that, and which is not there in vain. A failure that stays holds up nothing from now on.
   */
  #claimGoesOn(environments: readonly string[], old: ReleaseState, stimulus: Stimulus): void {
    this.#forgiven.clear();
    if (!isOne(stimulus)) return;
    const { kind, promotion: named } = stimulus as { kind: string; promotion: number };
    const again = new Set(environments.map((each) => positionOf(this.#of, each)));
    claim(
      again.has(named) === (kind === 'retry'),
      `a ${kind} of ${nameOf(this.#of, named)} and it is ${again.has(named)}`,
    );
    for (const position of again) {
      const { own } = plannedAt(this.#of, position);
      if (position === named || own === 'ON_SUCCESS' || own === 'ON_FAIL') continue;
      const before = old.promotions[position] as PromotionState;
      const unbegun = before.startedAt === null && (before.status === 'SKIPPED' || before.status === 'TERMINATED');
      claim(
        unbegun && !this.#skips.has(position),
        `${nameOf(this.#of, position)} was ${before.status}, and begins again`,
      );
    }
    old.promotions.forEach(({ status }, position) => {
      const failed = status === 'FAILED' || UNDONE.has(status);
      if (failed && !again.has(position) && !this.#isSkipped(position)) this.#forgiven.add(position);
    });
    this.#of.reached.count(
      `a ${kind} of one leads to ${again.size > (kind === 'retry' ? 1 : 0) ? 'others' : 'no other'}`,
    );
  }

  /** What is done about the failure of a promotion: when it has failed, or was stopped in the middle. */
  #claimHookMayStart(of: number, state: ReleaseState): void {
    const status = this.#environments[of] as PromotionStatus;
    const cut = status === 'TERMINATED' && state.promotions[of]?.startedAt !== null;
    claim(status === 'FAILED' || cut, `${nameOf(this.#of, of)} is ${status}, and its failure is told`);
    this.#of.reached.count(`hook ON_FAIL of what is ${status}${this.#terminating ? ' after a termination' : ''}`);
    if (plannedAt(this.#of, of).group !== null) this.#of.reached.count('hook ON_FAIL of a member');
    if (plannedAt(this.#of, of).environment === null)
      this.#of.reached.count('hook ON_FAIL of a step without an environment');
  }

  /** The release's own steps: the first come before everything, the others after it, as it went. */
  #claimOwnMayStart(position: number, own: OwnSteps, state: ReleaseState): void {
    const others = this.#environments.filter((_, each) => each !== position);
    if (own === 'ON_START') {
      claim(!this.#terminating, 'ON_START although the release is terminating');
      return this.#of.reached.count('own ON_START');
    }
    const before = this.#of.plan.promotions.map((each, at) => ({
      each,
      status: this.#environments[at] as PromotionStatus,
    }));
    const mine = before.filter(({ each }) => each.of !== undefined || (each.own !== 'ON_FAIL' && each.own !== own));
    claim(
      mine.every(({ status }) => ENDED_PROMOTION.has(status)),
      `${own} started while something goes on: ${others.join(' ')}`,
    );
    const well = mine.every(({ status }) => status === 'SUCCEEDED' || status === 'SKIPPED');
    if (own === 'ON_FAIL') {
      const { message, environments } = failuresOf(this.#of.plan, state);
      const silent = environments.filter((each) => each.ErrorMessage === '');
      claim(message !== '' && silent.length === 0, `ON_FAIL is not told why: "${message}", ${JSON.stringify(silent)}`);
    }
    if (own === 'ON_SUCCESS') claim(well && !this.#terminating, 'ON_SUCCESS after what did not go well');
    if (own === 'ON_FAIL' && well)
      claim(
        state.groups.some((each) => each.status !== 'PASSED'),
        'ON_FAIL, and all went well',
      );
    this.#of.reached.count(`own ${own}${this.#terminating ? ' after a termination' : ''}`);
  }

  #foldGroup(event: Extract<ReleaseEvent, { group: string }>, stimulus: Stimulus, moved: number): void {
    const position = this.#of.plan.groups.findIndex((each) => each.name === event.group);
    const { members, soak = 0, freshness, ...gate } = this.#of.plan.groups[position] as PlannedGroup;
    const counted = members.filter((each) => !this.#isSkipped(each)).length;
    const share = gate.percent === undefined ? gate.required : Math.max(1, Math.ceil((counted * gate.percent) / 100));
    const required = Math.min(counted, share);
    if (counted < members.length) this.#of.reached.count(`${event.type} of those that are not skipped`);
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
        const known = this.#soaks.memberHealthyFor(position, member, freshness);
        return this.#environments[member] === 'SUCCEEDED' && known !== null && known >= soak;
      });
      claim(
        healthy.length >= required,
        `group ${event.group} passed with ${healthy.length} of ${required} at ${moved}`,
      );
      if (soak > 0) this.#of.reached.count('group passed after a soak');
      this.#groups[position] = 'PASSED';
    } else if (event.type === 'GroupGateFailed') this.#groups[position] = 'FAILED';
  }

  #move(status: ReleaseStatus): void {
    if (status !== this.#status) this.#of.reached.count(`release ${this.#status} > ${status}`);
    this.#status = status;
    this.#over = ENDED_RELEASE.has(status);
  }
}

/** What is wanted of one promotion alone. */
function isOne(stimulus: Stimulus): boolean {
  return stimulus.kind === 'skip' || (stimulus.kind === 'retry' && stimulus.promotion !== undefined);
}

const ORDER: readonly Phase[] = [
  'ON_START',
  'PRE_ACTION',
  'ACTION',
  'SYNC',
  'HEALTH',
  'SOAK',
  'POST_ACTION',
  'WORKFLOW',
  'ON_SUCCESS',
];

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
