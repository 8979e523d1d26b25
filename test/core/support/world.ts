import type { Decision } from '../../../src/core/decision.ts';
import { createRelease } from '../../../src/core/create.ts';
import { missingOf } from '../../../src/core/approvals/approval.ts';
import type {
  ConcurrencyPolicy,
  HealthStatus,
  RollbackCauseKind,
  WindowAction,
} from '../../../src/core/definitions.ts';
import { pauses } from '../../../src/core/gates/answer.ts';
import type { Observation } from '../../../src/core/health-clock.ts';
import { marks } from '../../../src/core/holds.ts';
import type { BadVersion, EnvironmentHold } from '../../../src/core/holds.ts';
import type { PlannedPromotion, ReleasePlan } from '../../../src/core/plan.ts';
import { ENDED_PROMOTION, occupiesEnvironment, NO_FACTS } from '../../../src/core/release.ts';
import type { Work } from '../../../src/core/effects.ts';
import type { Facts, PromotionState, Stimulus, Verification } from '../../../src/core/release.ts';
import { createRollback } from '../../../src/core/rollback/create.ts';
import type { TargetParts } from '../../../src/core/rollback/create.ts';
import { planRollback, policyFor } from '../../../src/core/rollback/plan-rollback.ts';
import type { EnvironmentFacts, RollbackQuestion, RollbackRequest } from '../../../src/core/rollback/plan-rollback.ts';
import type { RollbackCause, RollbackPlan, VersionRef } from '../../../src/core/rollback/rollback.ts';
import { tellingOf } from '../../../src/core/rollback/standing.ts';
import type { ReleaseWindow } from '../../../src/core/windows/index.ts';
import { at, MINUTE, SECOND } from './builders.ts';
import { History } from './history.ts';
import { randomPlan } from './random-plan.ts';
import { Shell } from './shell.ts';
import type { Surroundings } from './shell.ts';
import { Tape } from './tape.ts';
import { claim } from './watcher.ts';
import type { Reached } from './watcher.ts';

interface Member {
  id: string;
  number: number;
  kind: 'FORWARD' | 'ROLLBACK';
  version: VersionRef;
  byPerson: boolean;
  shell: Shell;
  /** Of a rollback. */
  included: string[];
  cause: RollbackCause | null;
}

interface Order {
  id: string;
  cause: RollbackCause;
  version: VersionRef;
  asked: RollbackRequest | null;
  definite: boolean;
}

/**
 * A product and everything around its releases: several of them at once, other people's windows, holds and marks, what was
 * deployed where and what is really live there, rollbacks that are made of it, and what they tell the releases that they take
 * back, late, twice, or not at all. Everything that happens is on the tape.
 */
export class World implements Surroundings {
  readonly tape: Tape;
  readonly reached: Reached;
  now = at('10:00');
  calm = false;
  readonly plan: ReleasePlan;
  readonly members: Member[] = [];
  readonly failsAtTheEnd: boolean;
  readonly #concurrency: ConcurrencyPolicy;
  /** Application → what its source says; what is not here is healthy. */
  readonly #health = new Map<string, Observation>();
  /** Applications whose target takes up nothing any more. */
  readonly #stuck = new Set<string>();
  /** Application → what somebody reported last that it runs. */
  readonly #running = new Map<string, { digest: string; at: number }>();
  #runway: Record<string, number> = {};
  readonly #environments: string[];
  readonly #history: History;
  #windows: ReleaseWindow[] = [];
  #holds: EnvironmentHold[] = [];
  #marks: BadVersion[] = [];
  /** Environments where somebody else of the product is at work, as far as this world is told. */
  #taken: Record<string, string> = {};
  readonly #orders: Order[] = [];
  readonly #mail: { to: string; stimulus: Stimulus }[] = [];
  #count = 0;
  /** What sources say once the faults have stopped; after that everything is healthy. */
  readonly #moods: Mood[];
  /** What people do when all has ended, and which environment they mean. */
  readonly #late: { act: 'retry' | 'ask' | 'mark'; place: number }[];

  readonly #thoroughEvery: number;
  #decisions = 0;

  constructor(numbers: readonly number[], reached: Reached, { thoroughEvery = 1 } = {}) {
    this.#thoroughEvery = thoroughEvery;
    this.tape = new Tape(numbers);
    this.reached = reached;
    this.plan = randomPlan(this.tape);
    this.#concurrency = this.tape.pick(['QUEUE', 'PIPELINE', 'TERMINATE', 'SUPERSEDE']);
    reached.count(`concurrency ${this.#concurrency}`);
    this.#environments = this.plan.promotions.flatMap((each) => each.environment ?? []);
    const { tape } = this;
    this.#moods = [...Array(tape.next(16)).keys()].map(() =>
      tape.weighted<Mood>({ HEALTHY: 40, UNKNOWN: 8, PROGRESSING: 4, BLIP: 3, OLD: 4, DEGRADED: 1 }),
    );
    this.#late = [...Array(tape.next(4)).keys()].map(() => ({
      act: tape.weighted({ retry: 3, ask: 1, mark: 2 }),
      place: tape.next(100),
    }));
    this.#history = new History(this.#environments, this.plan.triggerEnvironment);
    const all = this.plan.promotions.flatMap((each) => each.applications.map(({ name }) => name));
    if (tape.chance(15)) this.#stuck.add(tape.pick(all));
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
      this.#actLate(act, this.#environments[place % this.#environments.length] as string);
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
        const gone = ended.filter(({ id }) => this.#environments.some((each) => this.#history.isOvertaken(id, each)));
        const from = gone.length > 0 && !tape.chance(20) ? gone : ended;
        if (from.length > 0) tape.pick(from).shell.tell({ kind: 'retry', by: 'ada' });
        return;
      }
      case 'mail':
        return this.#deliver(tape.next(Math.max(1, this.#mail.length)));
      case 'orders':
        return this.#start(this.#orders.splice(tape.next(Math.max(1, this.#orders.length)), 1)[0]);
      case 'world':
        return this.#change();
      case 'people':
        return this.#ask(tape.pick(this.#environments), tape.pick(['MANUAL', 'DEGRADED', 'REPORTED'] as const));
      case 'trigger':
        if (this.members.filter((each) => each.kind === 'FORWARD').length < 6) this.#trigger();
    }
  }

  /** When all has ended, somebody wants something again. */
  #actLate(act: 'retry' | 'ask' | 'mark', environment: string): void {
    if (act === 'retry') {
      const gone = this.members.filter(
        ({ id, kind, shell }) =>
          kind === 'FORWARD' &&
          (shell.state.status === 'FAILED' || shell.state.status === 'TERMINATED') &&
          this.#environments.some((each) => this.#history.isOvertaken(id, each)),
      );
      for (const { shell } of gone.slice(0, 1)) shell.tell({ kind: 'retry', by: 'ada' });
      return;
    }
    if (act === 'mark') {
      // The version that it would go back to.
      const past = this.#history.of(environment);
      const next = past.find((each) => each.verifiedAt !== null && each.version.digest !== past[0]?.version.digest);
      if (next) this.#mark(next.version, environment, this.now + 30 * MINUTE);
    }
    this.#ask(environment, 'MANUAL');
  }

  #mark(version: VersionRef, environment: string, expiresAt: number | null): void {
    const everywhere = this.tape.chance(30);
    this.#marks.push({
      id: `b-${(this.#count += 1)}`,
      product: 'billing',
      ...version,
      scope: everywhere ? 'PRODUCT' : 'ENVIRONMENT',
      group: null,
      environments: everywhere ? [] : [environment],
      reason: 'leaks',
      by: 'grace',
      since: this.now,
      expiresAt,
      rollback: null,
    });
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
        this.#history.begin(planned, version, this.now - (10 - place) * 60 * MINUTE, this.#before());
      }
    }
  }

  #before(): Verification | null {
    if (this.tape.chance(8)) return null;
    return this.tape.chance(20) ? 'HEALTH_ONLY' : 'SYNC_AND_HEALTH';
  }

  #trigger(): void {
    this.#count += 1;
    const again = this.#count > 1 && this.tape.chance(15);
    const name = again ? 1 + this.tape.next(this.#count - 1) : this.#count;
    const version = { label: `1.${name}`, digest: `d-${name}` };
    const added = this.#add(`r-${this.#count}`, 'FORWARD', this.plan, version, !this.tape.chance(35));
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
      const older = this.members.find((each) => each.id === holder && each.kind === 'FORWARD');
      if (!older || older.number > self.number || older.shell.state.terminating !== null) return;
      this.reached.count('terminated by a newer one');
      const reason = `a newer release, ${self.id}, reached ${planned.name}`;
      const onlyIf = { atWorkIn: planned.name };
      this.#mail.push({ to: older.id, stimulus: { kind: 'terminate', reason, by: null, onlyIf } });
    });
  }

  healthOf(application: string): Observation {
    const known = this.#health.get(application) ?? { status: 'HEALTHY' as const };
    if (this.calm) return this.#moody(application, this.#moods.shift() ?? 'HEALTHY');
    // Nobody answers now and then.
    return this.tape.chance(8) ? { status: 'UNKNOWN', message: 'no answer' } : known;
  }

  #moody(application: string, mood: Mood): Observation {
    const { unhealthyAt } = this.#health.get(application) ?? {};
    const { now } = this;
    if (mood === 'OLD') return { status: 'HEALTHY', at: now - MINUTE, unhealthyAt };
    if (mood !== 'BLIP' && mood !== 'PROGRESSING' && mood !== 'DEGRADED') return { status: mood, at: now, unhealthyAt };
    const status = mood === 'BLIP' ? 'HEALTHY' : mood;
    this.#health.set(application, { status, at: now, unhealthyAt: now });
    return { status, at: now, unhealthyAt: now };
  }

  told(application: string): HealthStatus | null {
    return this.#health.get(application)?.status ?? null;
  }

  report(environment: string, application: string, status: HealthStatus): void {
    const bad = status === 'DEGRADED' || status === 'PROGRESSING';
    const unhealthyAt = bad ? this.now : this.#health.get(application)?.unhealthyAt;
    this.#health.set(application, { status, at: this.now, unhealthyAt });
    for (const { shell } of this.members) {
      // The process dies before it has told everybody.
      if (shell.ended || (!this.calm && this.tape.chance(5))) continue;
      shell.tell({
        kind: 'health-reported',
        environment,
        application,
        status,
        ...(bad ? { unhealthyAt: this.now } : {}),
      });
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
    const heldBy: Record<string, string> = { ...this.#taken };
    const windows: Record<string, ReleaseWindow[]> = {};
    const holds: Record<string, EnvironmentHold[]> = {};
    const badVersions: Record<string, BadVersion[]> = {};
    for (const environment of this.#environments) {
      for (const other of others) {
        const standing = promotionsIn(other.shell, environment);
        const overtakes =
          inLine && this.#concurrency === 'PIPELINE' && other.kind === 'FORWARD' && other.number < self.number;
        if (
          standing.some(occupiesEnvironment) ||
          (overtakes && standing.some((each) => !ENDED_PROMOTION.has(each.status)))
        )
          heldBy[environment] = other.id;
      }
      const here = this.#windows.filter((each) => each.spec.selector.environments.names?.includes(environment));
      if (here.length > 0) windows[environment] = here;
      const held = this.#holds.filter((each) => each.environment === environment);
      if (held.length > 0) holds[environment] = held;
      const bad = this.#marks.filter(
        (each) => each.digest === self.version.digest && this.#concerns(each, environment),
      );
      if (bad.length > 0) badVersions[environment] = bad;
    }
    return {
      ...NO_FACTS,
      behind: inLine && ONE_AT_A_TIME.has(this.#concurrency) ? (first?.id ?? null) : null,
      runway: this.#runway,
      heldBy,
      windows,
      holds,
      badVersions,
      live: this.#history.live(),
      byPerson: self.byPerson,
      overtaken: this.#environments.filter((each) => this.#history.isOvertaken(self.id, each)),
    };
  }

  #concerns(mark: BadVersion, environment: string): boolean {
    return marks(mark, environment, []);
  }

  saved(shell: Shell, stimulus: Stimulus, decision: Decision, facts: Facts | null): void {
    const self = this.#of(shell);
    if (facts) this.#terminateObstacles(self, facts);
    this.#holds = this.#holds.filter((each) => !decision.lifted.includes(each.id));
    for (const fact of decision.deployments) {
      const planned = shell.plan.promotions[fact.promotion] as PlannedPromotion;
      const version = planned.restores?.to ?? self.version;
      this.#history.record(self.id, planned, fact, version, self.kind === 'ROLLBACK');
    }
    for (const position of decision.changed) {
      const { environment } = shell.plan.promotions[position] as PlannedPromotion;
      const promotion = shell.state.promotions[position] as PromotionState;
      if (environment !== null && occupiesEnvironment(promotion)) {
        const holders = this.members.filter((each) => promotionsIn(each.shell, environment).some(occupiesEnvironment));
        claim(holders.length <= 1, `${environment} is held by ${holders.map((each) => each.id).join(' and ')}`);
      }
      if (promotion.status === 'SUCCEEDED')
        this.#history.claimLive(self.id, shell.plan.promotions[position] as PlannedPromotion, self.version);
    }
    const telling = decision.events.length > 0 ? tellingOf(shell.plan, shell.state) : null;
    if (telling) for (const to of shell.plan.origins ?? []) this.#mail.push({ to, stimulus: telling });
    if (stimulus.kind === 'rollback-told') this.reached.count('a rollback told');
  }

  applied(shell: Shell, promotion: number, application: number): void {
    const planned = shell.plan.promotions[promotion] as PlannedPromotion;
    this.#history.apply(planned, application, planned.restores?.to ?? this.#of(shell).version);
  }

  wantedIn(shell: Shell, promotion: number): VersionRef {
    return shell.plan.promotions[promotion]?.restores?.to ?? this.#of(shell).version;
  }

  runs(application: string): string | undefined {
    // Some never take anything up; the others do so some time, and when the faults have stopped, at once.
    if (!this.#stuck.has(application) && (this.calm || this.tape.chance(40))) this.#history.rollOut(application);
    return this.#history.runs(application);
  }

  reportedRunning(application: string): { digest: string; at: number } | undefined {
    return this.#running.get(application);
  }

  reportRunning(environment: string, application: string): void {
    if (this.#stuck.has(application)) return;
    const digest = this.#history.rollOut(application);
    if (digest === undefined) return;
    this.#running.set(application, { digest, at: this.now });
    for (const { shell } of this.members) {
      if (shell.ended || (!this.calm && this.tape.chance(5))) continue;
      shell.tell({ kind: 'deployment-reported', environment, application, running: { version: digest } });
    }
  }

  rollBack(shell: Shell, work: Extract<Work, { kind: 'roll-back' }>): void {
    const { id, version } = this.#of(shell);
    const { name } = shell.plan.promotions[work.promotion] as PlannedPromotion;
    const { cause = 'FAILED' } = work;
    this.#order(cause, name, id, version, `${cause} ${id} ${work.promotion} ${work.attempt}`, work.at, null);
  }

  #order(
    kind: RollbackCauseKind,
    environment: string,
    release: string | null,
    version: VersionRef,
    id: string,
    when: number,
    asked: RollbackRequest | null,
  ): void {
    const by = asked === null ? null : 'grace';
    const cause = { kind, environment, reason: 'broken', at: when, by, release };
    const order: Order = { id, cause, version, asked, definite: !this.tape.chance(4) };
    this.#orders.push(order);
    // The relay dies between the two: asked twice.
    if (this.tape.chance(10)) this.#orders.push(order);
  }

  /** Somebody asks for a rollback, reports a failure, or an environment turns bad after its promotion. */
  #ask(environment: string, kind: 'MANUAL' | 'DEGRADED' | 'REPORTED'): void {
    const [live] = this.#history.of(environment);
    if (!live) return;
    const everywhere = this.tape.chance(30);
    const asked: RollbackRequest | null =
      kind === 'MANUAL' ? { environments: everywhere ? 'EVERYTHING_THAT_RUNS_IT' : [environment], to: null } : null;
    const release = live.rollback ? null : live.release;
    this.#order(
      kind,
      environment,
      release,
      live.version,
      `${kind} ${this.members.length} ${environment}`,
      this.now,
      asked,
    );
  }

  #start(order: Order | undefined): void {
    if (order === undefined || this.members.some((each) => each.id === order.id)) return;
    const { cause, version, asked } = order;
    const question = this.#question(order);
    if (asked === null) {
      const other = this.members.find(
        (each) =>
          each.kind === 'ROLLBACK' &&
          each.version.digest === version.digest &&
          each.included.includes(cause.environment) &&
          promotionsIn(each.shell, cause.environment).some((promotion) => !ENDED_PROMOTION.has(promotion.status)),
      );
      if (other) {
        this.reached.count('a rollback joined');
        const { environment, kind, reason, release } = cause;
        return other.shell.tell({ kind: 'rollback-joined', environment, cause: kind, reason, release });
      }
    }
    const plan = planRollback(question);
    for (const { decision } of plan.targets) this.reached.count(`rollback target ${decision}`);
    this.reached.count(`rollback cause ${cause.kind}`);
    const going = plan.targets.filter((each) => each.decision === 'INCLUDED' || each.decision === 'PROPOSED');
    for (const target of going) {
      this.#history.claimGood(target, plan, question);
      if (target.decision !== 'INCLUDED' || asked !== null) continue;
      const before = this.members.filter(
        (each) =>
          each.cause?.kind !== 'MANUAL' &&
          each.version.digest === version.digest &&
          each.included.includes(target.environment),
      );
      claim(before.length === 0, `${target.environment} goes back from ${version.label} by itself a second time`);
    }
    if (plan.targets.every((each) => each.decision === 'LEFT_ALONE')) return;
    this.#make(order, plan, question);
  }

  #make({ id, cause, version }: Order, plan: RollbackPlan, question: RollbackQuestion): void {
    const going = plan.targets.filter((each) => each.decision === 'INCLUDED' || each.decision === 'PROPOSED');
    const targets: Record<string, TargetParts<string>> = {};
    const origins = new Set(cause.release === null ? [] : [cause.release]);
    for (const { environment, to } of going) {
      const facts = question.environments.find((each) => each.name === environment) as EnvironmentFacts;
      const promotion = this.plan.promotions.find((each) => each.environment === environment) as PlannedPromotion;
      const release = facts.inFlight?.release ?? facts.history[0]?.release ?? '';
      if (facts.inFlight) origins.add(facts.inFlight.release);
      origins.add(release);
      const names = promotion.applications.map(({ name }) => name);
      const live = this.#history.live();
      targets[environment] = {
        origin: { release, promotion },
        contents: Object.fromEntries(names.map((name) => [name, to?.digest ?? ''])),
        expects: Object.fromEntries(
          names.map((name) => [name, { deployment: live[name]?.id ?? null, digests: [version.digest] }]),
        ),
        undo: {},
      };
    }
    for (const each of this.members) {
      const { startedAt, endedAt } = each.shell.state;
      if (each.kind === 'FORWARD' && each.version.digest === version.digest && startedAt !== null && endedAt === null)
        origins.add(each.id);
    }
    const known = [...origins].filter((each) => this.members.some((member) => member.id === each));
    const parts = {
      id,
      product: 'billing',
      flow: this.plan.flow,
      plan,
      targets,
      origins: known,
      now: this.now,
      actor: cause.by,
    };
    const made = createRollback(parts);
    const shell = new Shell({ world: this, plan: made.plan, state: made.state });
    const included = going.filter((each) => each.decision === 'INCLUDED').map((each) => each.environment);
    this.members.push({
      id,
      kind: 'ROLLBACK',
      number: this.members.length,
      version,
      byPerson: false,
      shell,
      included,
      cause,
    });
    this.#followUp(
      id,
      plan,
      going.map(({ environment }) => environment),
      included,
    );
    shell.tell({ kind: 'tick' });
  }

  #followUp(rollback: string, { cause, version, markBad }: RollbackPlan, going: string[], included: string[]): void {
    const since = this.now;
    const common = { reason: cause.reason, by: cause.by, since, rollback };
    if (markBad.scope !== 'NONE' && going.length > 0) {
      const expiresAt = markBad.expiresAfter === undefined ? null : since + markBad.expiresAfter;
      const environments = markBad.scope === 'PRODUCT' ? [] : going;
      const { scope } = markBad;
      this.#marks.push({
        ...common,
        ...version,
        id: `b ${rollback}`,
        product: 'billing',
        scope,
        group: null,
        environments,
        expiresAt,
      });
    }
    if (cause.kind !== 'MANUAL') return;
    for (const environment of included) {
      this.#holds.push({ ...common, id: `h ${rollback} ${environment}`, product: 'billing', environment, until: null });
    }
  }

  #question({ cause, version, asked, definite }: Order): RollbackQuestion {
    const plan = cause.release === null ? null : this.plan;
    return {
      now: this.now,
      product: 'billing',
      cause,
      definite,
      version,
      plan,
      policy: policyFor(plan, cause),
      asked,
      environments: this.#environments.map((name) => this.#environmentFacts(name)),
    };
  }

  #environmentFacts(name: string): EnvironmentFacts {
    const history = this.#history.of(name).map((past) => ({
      ...past,
      markedBad: this.#marks.some(
        (each) =>
          each.digest === past.version.digest &&
          (each.expiresAt === null || each.expiresAt > this.now) &&
          this.#concerns(each, name),
      ),
    }));
    const open = this.members.filter((each) => !each.shell.ended);
    const here = open.flatMap((each) =>
      promotionsIn(each.shell, name)
        .filter((promotion) => !ENDED_PROMOTION.has(promotion.status))
        .map((promotion) => ({ each, promotion })),
    );
    const forward = here.filter(({ each }) => each.kind === 'FORWARD');
    const at = forward.find(({ promotion }) => promotion.startedAt !== null)?.each;
    const planned = forward.filter(({ promotion }) => promotion.startedAt === null);
    const back = here.find(({ each, promotion }) => {
      const spec = each.shell.plan.promotions.find((one) => one.environment === name);
      return each.kind === 'ROLLBACK' && (promotion.startedAt !== null || spec?.approval === null);
    })?.each;
    const restores = back?.shell.plan.promotions.find((one) => one.environment === name)?.restores;
    return {
      name,
      history,
      inFlight: at ? { release: at.id, version: at.version, floor: null } : null,
      planned: planned.map(({ each }) => ({ release: each.id, version: each.version })),
      rollback: back && restores ? { release: back.id, from: restores.from, to: restores.to } : null,
      automatic: this.members
        .filter((each) => each.kind === 'ROLLBACK' && each.cause?.kind !== 'MANUAL' && each.included.includes(name))
        .map((each) => ({ release: each.id, version: each.version })),
      excluded: null,
      source: name === this.plan.triggerEnvironment,
    };
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

  /** People and other systems put things in the way, and take them away. */
  #change(): void {
    const { tape, now } = this;
    const environment = tape.pick(this.#environments);
    switch (tape.weighted({ taken: 3, window: 4, hold: 5, mark: 4, override: 5, runway: 2, close: 4 })) {
      case 'taken':
        this.#taken = Object.keys(this.#taken).length > 0 ? {} : { [environment]: 'r-0' };
        break;
      case 'window':
        if (this.#windows.length > 3 || tape.chance(30)) this.#windows.splice(tape.next(this.#windows.length + 1), 1);
        else this.#windows.push(this.#randomWindow(environment));
        break;
      case 'close': {
        // Where a promotion is at work that such a window pauses: it is caught between two phases, now and then.
        const begun = this.members.flatMap(({ shell }) =>
          shell.state.promotions.flatMap(({ status, startedAt, evidence }, position) => {
            const open = startedAt !== null && !ENDED_PROMOTION.has(status);
            const place = shell.plan.promotions[position]?.environment ?? null;
            return open && place !== null && evidence?.some(pauses) ? [place] : [];
          }),
        );
        if (this.#windows.length > 3) this.#windows.shift();
        if (begun.length === 0) this.#windows.push(this.#randomWindow(environment, now + tape.next(3) * MINUTE));
        else this.#windows.push(this.#randomWindow(tape.pick(begun), now));
        break;
      }
      case 'hold':
        if (this.#holds.length > 3 || tape.chance(35)) this.#holds.splice(tape.next(this.#holds.length + 1), 1);
        else {
          const until = tape.chance(65) ? now + (1 + tape.next(20)) * MINUTE : null;
          const rollback = tape.chance(40) ? `r-0 ${this.#count}` : null;
          const more = { reason: 'audit', by: 'grace', since: now, until, rollback };
          // Often two in one place.
          const held = this.#holds.at(-1)?.environment;
          const place = held !== undefined && tape.chance(50) ? held : environment;
          this.#holds.push({ id: `h-${(this.#count += 1)}`, product: 'billing', environment: place, ...more });
        }
        break;
      case 'mark':
        if (this.#marks.length > 2 || tape.chance(40)) this.#marks.splice(tape.next(this.#marks.length + 1), 1);
        else {
          // One that is on its way, or one to which somebody may want to go back.
          const past = this.#history.of(environment).map((each) => each.version);
          const version = tape.chance(60) && past.length > 0 ? tape.pick(past) : tape.pick(this.members).version;
          this.#mark(version, environment, tape.chance(60) ? now + (1 + tape.next(20)) * MINUTE : null);
        }
        break;
      case 'runway':
        // Measured of the product, so mostly known everywhere.
        this.#runway = tape.chance(20)
          ? {}
          : Object.fromEntries(this.#environments.map((each) => [each, (1 + tape.next(10)) * MINUTE]));
        break;
      case 'override': {
        const open = this.members.filter(({ shell: each }) => !each.ended);
        const { shell } = tape.pick(open.length > 0 ? open : this.members);
        const { plan, state } = shell;
        if (plan.promotions.length === 0) return;
        // Mostly where windows concern it; it may be over before the promotion's turn comes.
        const ahead = [...plan.promotions.keys()].filter((each) => {
          const { environment: there } = plan.promotions[each] as PlannedPromotion;
          const concerned = this.#windows.some(({ spec }) => spec.selector.environments.names?.includes(there ?? ''));
          return concerned && state.promotions[each]?.startedAt === null;
        });
        const aimed = ahead.length > 0 && !tape.chance(20);
        const promotion = aimed ? tape.pick(ahead) : tape.next(plan.promotions.length);
        const windows = this.#windows.filter(() => aimed || tape.chance(70)).map(({ name }) => name);
        if (windows.length === 0) return;
        const expiresAt = now + (1 + tape.next(aimed ? 3 : 20)) * MINUTE;
        return shell.tell({ kind: 'override-windows', promotion, windows, reason: 'outage', by: 'ada', expiresAt });
      }
    }
    // Whoever changed it wakes who waits; a crash may swallow that.
    if (!tape.chance(10)) this.#tickAll();
  }

  /** `closes`: a DENY that begins then, and pauses. */
  #randomWindow(environment: string, closes?: number): ReleaseWindow {
    const { tape, now } = this;
    const runway = tape.chance(50);
    // A closing that is near is what a runway is for.
    const from = closes ?? now + (runway && tape.chance(50) ? 1 + tape.next(8) : tape.next(30) - 10) * MINUTE;
    const holds: WindowAction[] = tape.pick([
      ['PROMOTE'],
      ['PROMOTE', 'ROLLBACK'],
      ['ROLLBACK'],
      ['PROMOTE', 'APPROVE'],
    ]);
    return {
      name: `w-${(this.#count += 1)}`,
      spec: {
        kind: closes === undefined ? tape.pick(['DENY', 'ALLOW']) : 'DENY',
        timeZone: 'UTC',
        from: new Date(from).toISOString(),
        // Now and then one that holds for longer than a flow may take.
        to: new Date(from + (1 + tape.next(30)) * (tape.chance(10) ? 10 : 1) * MINUTE).toISOString(),
        selector: { environments: { names: [environment, tape.pick(this.#environments)] }, products: {} },
        holds,
        onClose: closes === undefined ? tape.pick(['FINISH', 'PAUSE']) : 'PAUSE',
        ...(tape.chance(30) ? { jitter: (1 + tape.next(3)) * MINUTE } : {}),
        runway,
      },
    };
  }

  /** What has an end of its own stays; what would hold for good is taken away. */
  #quieten(): void {
    this.#taken = {};
    this.#runway = {};
    this.#windows = this.#windows.filter(({ spec }) => spec.kind === 'DENY');
    this.#holds = this.#holds.filter(({ until }) => until !== null);
    this.#marks = this.#marks.filter(({ expiresAt }) => expiresAt !== null);
    this.#tickAll();
  }

  #settle(): void {
    for (let actions = 0; ; actions += 1) {
      // Six releases whose members all soak need some thousands.
      if (actions >= 30_000) claim(false, `it does not end: ${this.#picture}`);
      const busy = this.members.find((each) => each.shell.busy);
      if (busy) busy.shell.work();
      else if (this.#mail.length > 0) this.#deliver(0);
      else if (this.#orders.length > 0) this.#start(this.#orders.shift());
      else {
        const open = this.members.filter((each) => !each.shell.ended);
        if (this.#tellAgain()) continue;
        if (open.length === 0) return;
        if (open.some((each) => each.shell.goOn())) continue;
        const before = open.map((each) => each.shell.state.sequence);
        for (const { shell } of open) shell.tell({ kind: 'tick' });
        if (open.some((each, index) => each.shell.state.sequence !== before[index])) continue;
        const due = open.flatMap(({ shell }) => shell.wakes ?? []);
        if (
          [...this.#holds.map(({ until }) => until), ...this.#marks.map(({ expiresAt }) => expiresAt)].includes(null)
        ) {
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
      const telling = tellingOf(shell.plan, shell.state);
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

/** BLIP: it was bad for a moment, and nobody looked. OLD: healthy, and told a while ago. */
type Mood = HealthStatus | 'BLIP' | 'OLD';

/** A release waits for its turn. */
const ONE_AT_A_TIME: ReadonlySet<ConcurrencyPolicy> = new Set(['QUEUE', 'SUPERSEDE']);

function promotionsIn({ state, at }: Shell, environment: string): PromotionState[] {
  return (at.get(environment) ?? []).map((position) => state.promotions[position] as PromotionState);
}
