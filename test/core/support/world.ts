import { missingOf } from '../../../src/core/approvals/approval.ts';
import { createRelease } from '../../../src/core/create.ts';
import type { Decision } from '../../../src/core/decision.ts';
import type { ConcurrencyPolicy, HealthStatus } from '../../../src/core/definitions.ts';
import type { Work } from '../../../src/core/effects.ts';
import type { Observation } from '../../../src/core/health-clock.ts';
import type { BadVersion, EnvironmentHold } from '../../../src/core/holds.ts';
import type { PlannedPromotion, ReleasePlan } from '../../../src/core/plan.ts';
import { ENDED_PROMOTION, occupiesEnvironment, NO_FACTS } from '../../../src/core/release.ts';
import type {
  Facts,
  OtherRelease,
  PromotionState,
  ReleaseState,
  Stimulus,
  Verification,
} from '../../../src/core/release.ts';
import type { VersionRef } from '../../../src/core/rollback/rollback.ts';
import { tellingOf } from '../../../src/core/rollback/standing.ts';
import type { ReleaseWindow } from '../../../src/core/windows/index.ts';
import { at, MINUTE, SECOND } from './builders.ts';
import { claim } from './claim.ts';
import { History } from './history.ts';
import { promotionsIn } from './members.ts';
import type { Around, Member } from './members.ts';
import { Obstacles } from './obstacles.ts';
import { randomPlan } from './random-plan.ts';
import type { Reached } from './reached.ts';
import { Rollbacks } from './rollbacks.ts';
import { Shell } from './shell.ts';
import { Tape } from './tape.ts';
import { Targets } from './targets.ts';
import type { Mood } from './targets.ts';

/**
 * A product and everything around its releases: several of them at once, other people's windows, holds and marks, what was
 * deployed where and what is really live there, rollbacks that are made of it, and what they tell the releases that they take
 * back, late, twice, or not at all. Everything that happens is on the tape.
 */
export class World implements Around {
  readonly tape: Tape;
  readonly reached: Reached;
  now = at('10:00');
  calm = false;
  readonly plan: ReleasePlan;
  readonly members: Member[] = [];
  readonly failsAtTheEnd: boolean;
  readonly #concurrency: ConcurrencyPolicy;
  readonly environments: string[];
  readonly history: History;
  readonly #targets: Targets;
  readonly #obstacles: Obstacles;
  readonly #rollbacks: Rollbacks;
  readonly #mail: { to: string; stimulus: Stimulus }[] = [];
  count = 0;
  /** What people do when all has ended, and which environment they mean. */
  readonly #late: { act: 'retry' | 'one' | 'ask' | 'mark'; place: number }[];

  readonly #thoroughEvery: number;
  #decisions = 0;

  constructor(numbers: readonly number[], reached: Reached, { thoroughEvery = 1 } = {}) {
    this.#thoroughEvery = thoroughEvery;
    this.tape = new Tape(numbers);
    this.reached = reached;
    this.plan = randomPlan(this.tape);
    for (const each of originsIn(this.plan)) reached.count(`setting of ${each}`);
    this.#concurrency = this.tape.pick(['QUEUE', 'PIPELINE', 'TERMINATE', 'SUPERSEDE']);
    reached.count(`concurrency ${this.#concurrency}`);
    this.environments = this.plan.promotions.flatMap((each) => each.environment ?? []);
    const { tape } = this;
    const moods = [...Array(tape.next(16)).keys()].map(() =>
      tape.weighted<Mood>({ HEALTHY: 40, UNKNOWN: 8, PROGRESSING: 4, BLIP: 3, OLD: 4, DEGRADED: 1 }),
    );
    this.#late = [...Array(tape.next(4)).keys()].map(() => ({
      act: tape.weighted({ retry: 3, one: 3, ask: 1, mark: 2 }),
      place: tape.next(100),
    }));
    this.history = new History(this.environments, this.plan.triggerEnvironment);
    const all = this.plan.promotions.flatMap((each) => each.applications.map(({ name }) => name));
    this.#targets = new Targets(this, moods);
    this.#obstacles = new Obstacles(this);
    this.#rollbacks = new Rollbacks(this, this.#obstacles);
    if (tape.chance(15)) this.#targets.stick(tape.pick(all));
    this.failsAtTheEnd = tape.chance(20);
    this.#past();
    this.#trigger();
  }

  /** Until the tape is over anything may happen; then all faults stop, and every release must end. */
  run(): void {
    while (!this.tape.over) this.#act();
    for (const { shell } of this.members) this.reached.count(`faults stopped while ${shell.state.status}`);
    this.calm = true;
    this.#quieten();
    this.#settle();
    for (const { act, place } of this.#late) {
      this.#actLate(act, this.environments[place % this.environments.length] as string);
      this.#quieten();
      this.#settle();
    }
    for (const { shell, kind } of this.members) {
      claim(shell.ended, 'it had ended, and goes on');
      shell.claimNothingForgotten();
      const { status } = shell.state;
      const succeeded = shell.state.promotions.filter((each) => each.status === 'SUCCEEDED').length;
      if (kind === 'FORWARD') this.reached.count(`depth ${String(succeeded).padStart(2, '0')}`);
      this.reached.count(`${kind === 'FORWARD' ? 'ended' : 'rollback ended'} ${status}`);
      if (shell.retries > 0) this.reached.count(`ended ${status} after a retry`);
      claim(status !== 'RUNNING', 'a rollback has ended, and nobody was told');
    }
    this.reached.count('releases', this.members.length);
  }

  #act(): void {
    const { tape } = this;
    switch (tape.weighted({ release: 80, time: 8, mail: 6, orders: 4, world: 7, people: 3, trigger: 6, retry: 3 })) {
      case 'release': {
        const open = this.members.filter((each) => !each.shell.ended || each.shell.busy);
        const { shell } = tape.pick(open.length > 0 && !tape.chance(5) ? open : this.members);
        shell.act();
        if (shell.ended && shell.plan.rollback === undefined && tape.chance(4))
          shell.tell({ kind: 'retry', by: 'ada' });
        return;
      }
      case 'time':
        return this.#passTime();
      case 'retry': {
        // Mostly one whose change is not live any more: there it must begin again.
        const ended = this.members.filter(({ kind, shell }) => kind === 'FORWARD' && shell.ended);
        const gone = ended.filter(({ id }) => this.environments.some((each) => this.history.isOvertaken(id, each)));
        const from = gone.length > 0 && !tape.chance(20) ? gone : ended;
        if (from.length === 0) return;
        const { shell } = tape.pick(from);
        if (tape.chance(40)) shell.wantOne();
        else shell.tell({ kind: 'retry', by: 'ada' });
        return;
      }
      case 'mail':
        return this.#deliver(tape.next(Math.max(1, this.#mail.length)));
      case 'orders':
        return this.#rollbacks.start(tape.next(Math.max(1, this.#rollbacks.waiting)));
      case 'world':
        // Whoever changed it wakes who waits; a crash may swallow that.
        if (this.#obstacles.change() && !tape.chance(10)) this.#tickAll();
        return;
      case 'people':
        return this.#rollbacks.ask(
          tape.pick(this.environments),
          tape.pick(['MANUAL', 'DEGRADED', 'REPORTED'] as const),
        );
      case 'trigger':
        if (this.members.filter((each) => each.kind === 'FORWARD').length < 6) this.#trigger();
    }
  }

  /** When all has ended, somebody wants something again. */
  #actLate(act: 'retry' | 'one' | 'ask' | 'mark', environment: string): void {
    if (act === 'one') {
      const failed = this.members.filter(({ kind, shell }) => kind === 'FORWARD' && shell.state.status !== 'SUCCEEDED');
      for (const { shell } of failed.slice(-1)) shell.wantOne();
      return;
    }
    if (act === 'retry') {
      const gone = this.members.filter(
        ({ id, kind, shell }) =>
          kind === 'FORWARD' &&
          (shell.state.status === 'FAILED' || shell.state.status === 'TERMINATED') &&
          this.environments.some((each) => this.history.isOvertaken(id, each)),
      );
      for (const { shell } of gone.slice(0, 1)) shell.tell({ kind: 'retry', by: 'ada' });
      return;
    }
    if (act === 'mark') {
      // The version that it would go back to.
      const past = this.history.of(environment);
      const next = past.find((each) => each.verifiedAt !== null && each.version.digest !== past[0]?.version.digest);
      if (next) this.#obstacles.mark(next.version, environment, this.now + 30 * MINUTE);
    }
    this.#rollbacks.ask(environment, 'MANUAL');
  }

  /** Whether to ask the same question again after this decision: that costs more than the decision. */
  get thorough(): boolean {
    this.#decisions += 1;
    return !this.calm && this.#decisions % this.#thoroughEvery === 0;
  }

  /** What ran before this world begins: mostly there is something to go back to. */
  #past(): void {
    for (const planned of this.plan.promotions) {
      const before = Number(this.tape.weighted({ 2: 5, 1: 4, 0: 1 }));
      for (let place = 1; place <= before; place += 1) {
        const version = { label: `0.${place}`, digest: `d-0.${place}` };
        this.history.begin(planned, version, this.now - (10 - place) * 60 * MINUTE, this.#before());
      }
    }
  }

  #before(): Verification | null {
    if (this.tape.chance(8)) return null;
    return this.tape.chance(20) ? 'HEALTH_ONLY' : 'SYNC_AND_HEALTH';
  }

  #trigger(): void {
    this.count += 1;
    const again = this.count > 1 && this.tape.chance(15);
    const name = again ? 1 + this.tape.next(this.count - 1) : this.count;
    const version = { label: `1.${name}`, digest: `d-${name}` };
    const added = this.#add(`r-${this.count}`, 'FORWARD', this.plan, version, !this.tape.chance(35));
    if (this.#concurrency === 'SUPERSEDE' && added.shell.state.status === 'QUEUED') this.#supersede(added);
  }

  /** Of those that wait for their turn only the newest stays. */
  #supersede({ id }: Member): void {
    const waiting = this.members.filter((each) => each.kind === 'FORWARD' && each.shell.state.status === 'QUEUED');
    for (const older of waiting.slice(0, -1)) {
      this.reached.count('superseded');
      const reason = `superseded by release ${id}`;
      // Told late: its turn may have come by then.
      this.#mail.push({ to: older.id, stimulus: { kind: 'terminate', reason, by: null, onlyIf: 'QUEUED' } });
    }
  }

  /** A newer release that reaches an environment where an older one is at work ends the older one. */
  #terminateObstacles(self: Member, { heldBy }: Facts): void {
    if (this.#concurrency !== 'TERMINATE' || self.kind === 'ROLLBACK') return;
    self.shell.state.promotions.forEach(({ status, approval }, position) => {
      const planned = self.shell.plan.promotions[position] as PlannedPromotion;
      if (planned.approval && missingOf(planned.approval, approval) > 0) return;
      const holder = status === 'WAITING' && planned.environment !== null ? heldBy[planned.environment] : undefined;
      const older = this.members.find((each) => each.id === holder?.id && each.kind === 'FORWARD');
      if (!older || older.number > self.number || older.shell.state.terminating !== null) return;
      this.reached.count('terminated by a newer one');
      const reason = `a newer release, ${self.id}, reached ${planned.name}`;
      const onlyIf = { atWorkIn: planned.name };
      this.#mail.push({ to: older.id, stimulus: { kind: 'terminate', reason, by: null, onlyIf } });
    });
  }

  healthOf(application: string): Observation {
    return this.#targets.healthOf(application);
  }

  told(application: string): HealthStatus | null {
    return this.#targets.told(application);
  }

  report(environment: string, application: string, status: HealthStatus): void {
    this.#tellAll(this.#targets.report(environment, application, status));
  }

  /** The process may die before it has told everybody. */
  #tellAll(stimulus: Stimulus): void {
    for (const { shell } of this.members) {
      if (shell.ended || (!this.calm && this.tape.chance(5))) continue;
      shell.tell(stimulus);
    }
  }

  #add(id: string, kind: Member['kind'], plan: ReleasePlan, version: VersionRef, byPerson: boolean): Member {
    const { state } = createRelease(id, plan, version.label, this.now, 'ada');
    const shell = new Shell({ world: this, plan, state });
    const member: Member = {
      id,
      kind,
      number: this.members.length,
      version,
      byPerson,
      shell,
      included: [],
      cause: null,
    };
    this.members.push(member);
    shell.tell({ kind: 'tick' });
    return member;
  }

  #member(id: string): Member {
    return this.members.find((each) => each.id === id) as Member;
  }

  #of(shell: Shell): Member {
    return this.members.find((each) => each.shell === shell) as Member;
  }

  factsFor(shell: Shell): Facts {
    const self = this.#of(shell);
    const others = this.members.filter((each) => each !== self && !each.shell.ended);
    const line = others.filter((each) => each.kind === 'FORWARD');
    const inLine = self.kind === 'FORWARD';
    const first =
      line.find((each) => each.shell.state.startedAt !== null) ?? line.find((each) => each.number < self.number);
    const heldBy: Record<string, OtherRelease> = { ...this.#obstacles.taken };
    const windows: Record<string, ReleaseWindow[]> = {};
    const holds: Record<string, EnvironmentHold[]> = {};
    const badVersions: Record<string, BadVersion[]> = {};
    for (const environment of this.environments) {
      for (const other of others) {
        const standing = promotionsIn(other.shell, environment);
        const overtakes =
          inLine && this.#concurrency === 'PIPELINE' && other.kind === 'FORWARD' && other.number < self.number;
        if (
          standing.some(occupiesEnvironment) ||
          (overtakes && standing.some((each) => !ENDED_PROMOTION.has(each.status)))
        )
          heldBy[environment] = calledOf(other);
      }
      const here = this.#obstacles.windowsIn(environment);
      if (here.length > 0) windows[environment] = here;
      const held = this.#obstacles.holdsIn(environment);
      if (held.length > 0) holds[environment] = held;
      const bad = this.#obstacles.marksOn(self.version.digest, environment);
      if (bad.length > 0) badVersions[environment] = bad;
    }
    return {
      ...NO_FACTS,
      behind: inLine && ONE_AT_A_TIME.has(this.#concurrency) ? (first ? calledOf(first) : null) : null,
      runway: this.#obstacles.runway,
      heldBy,
      windows,
      holds,
      badVersions,
      live: this.history.live(),
      byPerson: self.byPerson,
      overtaken: this.environments.filter((each) => this.history.isOvertaken(self.id, each)),
    };
  }

  saved(shell: Shell, stimulus: Stimulus, decision: Decision, facts: Facts | null, _before: ReleaseState): void {
    const self = this.#of(shell);
    if (facts) this.#terminateObstacles(self, facts);
    this.#obstacles.lift(decision.lifted);
    for (const fact of decision.deployments) {
      const planned = shell.plan.promotions[fact.promotion] as PlannedPromotion;
      const version = planned.restores?.to ?? self.version;
      this.history.record(self.id, planned, fact, version, self.kind === 'ROLLBACK');
    }
    for (const position of decision.changed) {
      const { environment } = shell.plan.promotions[position] as PlannedPromotion;
      const promotion = shell.state.promotions[position] as PromotionState;
      if (environment !== null && occupiesEnvironment(promotion)) {
        const holders = this.members.filter((each) => promotionsIn(each.shell, environment).some(occupiesEnvironment));
        claim(holders.length <= 1, `${environment} is held by ${holders.map((each) => each.id).join(' and ')}`);
      }
      if (promotion.status === 'SUCCEEDED')
        this.history.claimLive(self.id, shell.plan.promotions[position] as PlannedPromotion, self.version);
    }
    const telling = decision.events.length > 0 ? tellingOf(shell.plan, shell.state, calledOf(self).called) : null;
    if (telling) for (const to of shell.plan.origins ?? []) this.#mail.push({ to, stimulus: telling });
    if (stimulus.kind === 'rollback-told') this.reached.count('a rollback told');
  }

  applied(shell: Shell, promotion: number, application: number): void {
    const planned = shell.plan.promotions[promotion] as PlannedPromotion;
    this.history.apply(planned, application, planned.restores?.to ?? this.#of(shell).version);
  }

  wantedIn(shell: Shell, promotion: number): VersionRef {
    return shell.plan.promotions[promotion]?.restores?.to ?? this.#of(shell).version;
  }

  runs(application: string): string | undefined {
    return this.#targets.runs(application);
  }

  reportedRunning(application: string): { digest: string; at: number } | undefined {
    return this.#targets.reportedRunning(application);
  }

  reportRunning(environment: string, application: string): void {
    const stimulus = this.#targets.reportRunning(environment, application);
    if (stimulus) this.#tellAll(stimulus);
  }

  rollBack(shell: Shell, work: Extract<Work, { kind: 'roll-back' }>): void {
    const { id, version } = this.#of(shell);
    const { name } = shell.plan.promotions[work.promotion] as PlannedPromotion;
    const { cause = 'FAILED' } = work;
    this.#rollbacks.order(cause, name, id, version, `${cause} ${id} ${work.promotion} ${work.attempt}`, work.at, null);
  }

  /** A letter arrives: late, out of order, sometimes again, sometimes not at all. */
  #deliver(place: number): void {
    const [letter] = this.#mail.splice(place, 1);
    if (!letter) return;
    if (!this.calm && this.tape.chance(5)) return this.reached.count('fault letter lost');
    if (!this.calm && this.tape.chance(5)) this.#mail.push(letter);
    this.#member(letter.to).shell.tell(letter.stimulus);
  }

  /** To the next time that something is due, a little, or (a server whose clock is wrong) back. */
  #passTime(): void {
    const { tape } = this;
    const how = tape.weighted({ wake: 8, little: 4, back: 1 });
    if (how === 'little') this.now += tape.next(20) * SECOND;
    else if (how === 'back') this.now -= tape.next(20) * SECOND;
    else {
      const due = this.members.flatMap(({ shell }) => (tape.chance(5) ? shell.state.wakeAt : shell.wakes) ?? []);
      if (due.length > 0) this.now = Math.max(this.now, Math.min(...due));
    }
    // Time also passes unnoticed: the next stimulus finds several things due at once.
    if (how !== 'back' && !tape.chance(30)) this.#tickAll();
  }

  #tickAll(): void {
    for (const { shell } of this.members) if (!shell.ended) shell.tell({ kind: 'tick' });
  }

  /** What has an end of its own stays; what would hold for good is taken away. */
  #quieten(): void {
    this.#obstacles.quieten();
    this.#tickAll();
  }

  #settle(): void {
    for (let actions = 0; ; actions += 1) {
      // Six releases whose members all soak need some thousands.
      if (actions >= 30_000) claim(false, `it does not end: ${this.#picture}`);
      const busy = this.members.find((each) => each.shell.busy);
      if (busy) busy.shell.work();
      else if (this.#mail.length > 0) this.#deliver(0);
      else if (this.#rollbacks.waiting > 0) this.#rollbacks.start(0);
      else {
        const open = this.members.filter((each) => !each.shell.ended);
        if (this.#tellAgain()) continue;
        if (open.length === 0) return;
        if (open.some((each) => each.shell.goOn())) continue;
        const before = open.map((each) => each.shell.state.sequence);
        for (const { shell } of open) shell.tell({ kind: 'tick' });
        if (open.some((each, index) => each.shell.state.sequence !== before[index])) continue;
        // The last one may have ended over what people said too late.
        if (open.every(({ shell }) => shell.ended)) continue;
        const due = open.flatMap(({ shell }) => shell.wakes ?? []);
        if (this.#obstacles.areEndless) {
          // A rollback that starts late holds and marks without an end: somebody takes those away as well.
          this.#quieten();
          continue;
        }
        if (due.length === 0) claim(false, `stuck: only the limit of the flow ends it: ${this.#picture}`);
        this.now = Math.max(this.now + 1, Math.min(...due));
        for (const { shell } of open) if ((shell.wakes ?? Infinity) <= this.now) shell.tell({ kind: 'tick' });
      }
    }
  }

  /** What the sweep does: an ended rollback is told until everybody has taken it in. */
  #tellAgain(): boolean {
    let told = false;
    for (const { shell } of this.members) {
      const telling = tellingOf(shell.plan, shell.state, calledOf(this.#of(shell)).called);
      for (const to of telling ? (shell.plan.origins ?? []) : []) {
        const origin = this.#member(to).shell;
        if ((origin.state.rollbacks[shell.state.id]?.sequence ?? -1) >= (telling?.sequence ?? 0)) continue;
        origin.tell(telling as Stimulus);
        told = true;
      }
    }
    return told;
  }

  get #picture(): string {
    return this.members.map(({ id, shell }) => `${id}: ${shell.picture}`).join(' | ');
  }
}

/** A release waits for its turn. */
const ONE_AT_A_TIME: ReadonlySet<ConcurrencyPolicy> = new Set(['QUEUE', 'SUPERSEDE']);

const calledOf = ({ id, number }: Pick<Member, 'id' | 'number'>): OtherRelease => ({ id, called: `billing#${number}` });

/** Who set what is done in the environments of a plan. */
function originsIn({ promotions }: ReleasePlan): string[] {
  return promotions.flatMap(({ policy: { preActions = [], action, postActions = [] } = {} }) =>
    [...preActions, ...postActions, ...(action ? [action] : [])].map(({ from }) =>
      from.by === 'POLICY' && from.locked ? 'a locked POLICY' : from.by,
    ),
  );
}
