import { judgeTriggers } from '../../../chaos/judge/client-rules.ts';
import { judgeDeployments } from '../../../chaos/judge/deployment-rules.ts';
import { judgeHooks } from '../../../chaos/judge/hook-rules.ts';
import { judgeFold } from '../../../chaos/judge/fold-rules.ts';
import { readHistory, Rule } from '../../../chaos/judge/history.ts';
import type { History, Invariant, ReleaseHistory } from '../../../chaos/judge/history.ts';
import { judgeLog } from '../../../chaos/judge/log-rules.ts';
import { judgeRollbacks } from '../../../chaos/judge/rollback-rules.ts';
import type { Asked } from '../../../chaos/load.ts';
import type { Result } from '../../../src/commands/result.ts';
import type { Dispatched } from '../../../src/core/effects.ts';
import type { ReleaseEvent } from '../../../src/core/events.ts';
import type { PlannedPromotion, PlannedStep } from '../../../src/core/plan.ts';
import { ENDED_PROMOTION } from '../../../src/core/release.ts';
import type { WaitingReason } from '../../../src/core/waiting.ts';
import type { Reached } from '../../core/support/reached.ts';
import type { Running } from './outside.ts';
import type { Scheduler } from './scheduler.ts';

interface Closed {
  number: number;
  /** The command was answered: from here on nothing starts there. */
  answered: boolean;
}

/** What was promised to whom, as clients saw it, and the judge of a world. */
export class Record {
  readonly #scheduler: Scheduler;
  readonly #reached: Reached;
  readonly #requests = new Map<string, Asked>();
  readonly #toVerify: (() => Promise<void>)[] = [];
  /** Environment → holds that were answered and that nobody tried to lift since. */
  readonly #holds = new Map<string, Set<string>>();
  readonly #windows = new Map<string, Closed>();
  readonly #kinds = new Map<string, string>();
  /** Release and environment → when its promotion ended. */
  readonly #ended = new Map<string, number>();
  readonly #leftOut = new Set<string>();
  /** Environments where a start is left to people: what goes live there waits for its merge. */
  readonly #leftToMerge: ReadonlySet<string>;
  #closings = 0;

  constructor(scheduler: Scheduler, reached: Reached, leftToMerge: ReadonlySet<string>) {
    this.#leftToMerge = leftToMerge;
    this.#scheduler = scheduler;
    this.#reached = reached;
  }

  triggered(key: string, product: string, answer: Result<{ releaseId: string }>): void {
    const asked = this.#requests.get(key) ?? { key, product, answers: [], twins: 1 };
    this.#requests.set(key, asked);
    const userErrors = answer.refusals?.map(({ code, message }) => ({ code, message })) ?? [];
    if (answer.value) asked.answers.push({ releaseId: answer.value.releaseId, userErrors });
  }

  /** "Done" was said: then it is done, in the database, now. */
  terminated(releaseId: string, by: string): void {
    this.#expectNow('what is answered as terminated is terminating or has ended', async () => {
      const [found] = await this.#scheduler.ask<{ done: boolean }>(
        `SELECT ended_at IS NOT NULL OR rest->'terminating' <> 'null' OR EXISTS (SELECT FROM logged_event e WHERE e.release_id = r.id AND e.event->>'type' = 'ReleaseTerminating') AS done FROM release r WHERE id = $1`,
        [releaseId],
      );
      return found?.done === true ? null : `${by} was told that ${releaseId} is terminated, and it is not`;
    });
  }

  /** It is left out, or has ended all the same before it could be, or somebody has retried it since. */
  skipped(releaseId: string, environment: string, by: string): void {
    this.#expectNow('what is answered as skipped is skipped', async () => {
      const [found] = await this.#scheduler.ask<{ done: boolean }>(
        `SELECT p.ended_at IS NOT NULL OR p.attempt > 1 OR r.rest->'skips' ? p.position::text
           OR EXISTS (SELECT FROM logged_event e WHERE e.release_id = r.id AND e.event->>'type' = 'PromotionSkipped'
             AND e.event->>'environment' = $2 AND e.event->>'by' = $3) AS done
         FROM promotion p JOIN release r ON r.id = p.release_id JOIN release_plan l ON l.release_id = p.release_id
         WHERE p.release_id = $1 AND l.plan->'promotions'->p.position->>'name' = $2`,
        [releaseId, environment, by],
      );
      return found?.done === true
        ? null
        : `${by} was told that ${environment} of ${releaseId} is skipped, and it is not`;
    });
  }

  /** Whether a person has left out anything of the release, ever. */
  leftOut(releaseId: string): boolean {
    return this.#leftOut.has(releaseId);
  }

  /** `step`: the one that asked. */
  approved(releaseId: string, environment: string, by: string, step?: string): void {
    this.#expectNow('what is answered as approved is approved', async () => {
      const [found] = await this.#scheduler.ask<{ done: boolean }>(
        `SELECT p.ended_at IS NOT NULL OR p.attempt > 1 OR $4::text IS NULL AND (p.started_at IS NOT NULL OR p.approval IS NULL)
           OR EXISTS (SELECT FROM logged_event e WHERE e.release_id = p.release_id AND e.event->>'type' = 'ApprovalGiven'
             AND e.event->>'environment' = $2 AND (e.event->>'by' = $3 OR e.actor = $3)
             AND e.event->>'step' IS NOT DISTINCT FROM $4::text) AS done
         FROM promotion p JOIN release_plan l ON l.release_id = p.release_id
         WHERE p.release_id = $1 AND l.plan->'promotions'->p.position->>'name' = $2`,
        [releaseId, environment, by, step ?? null],
      );
      return found?.done === true
        ? null
        : `${by} was told that ${environment} of ${releaseId} is approved, and it is not`;
    });
  }

  #expectNow(promise: string, look: () => Promise<string | null>): void {
    this.#toVerify.push(async () => {
      this.#reached.count(`promise: ${promise}`);
      const wrong = await look();
      if (wrong !== null) this.#scheduler.break(`answer: ${wrong}`);
    });
  }

  async verify(): Promise<void> {
    for (const look of this.#toVerify.splice(0)) await look();
  }

  /** Of a dispatch that another job carries no job is asked for. */
  hasItsOwnJob(releaseId: string, { promotion, dispatch }: Dispatched): void {
    this.#expectNow('a dispatch has a job of its own, or is carried', async () => {
      const [found] = await this.#scheduler.ask<{ carrier: string }>(
        `SELECT s->>'carrier' AS carrier FROM promotion p, jsonb_array_elements(p.steps) AS s
         WHERE p.release_id = $1 AND p.position = $2 AND (s->>'dispatch')::integer = $3 AND s->>'status' = 'RUNNING'
           AND s->>'carrier' IS NOT NULL LIMIT 1`,
        [releaseId, promotion, dispatch],
      );
      return found
        ? `dispatch ${dispatch} of ${promotion} of ${releaseId} has a job, and ${found.carrier} carries it`
        : null;
    });
  }

  holds(id: string, environment: string): void {
    const known = this.#holds.get(environment) ?? new Set();
    this.#holds.set(environment, known.add(id));
    // Somebody may lift it while it is being answered: then it is not among those that count.
    this.#toVerify.push(async () => {
      const [found] = await this.#scheduler.ask<{ held: boolean }>(
        'SELECT lifted_at IS NULL AS held FROM environment_hold WHERE id = $1',
        [id],
      );
      if (!found?.held) known.delete(id);
    });
  }

  liftedAbout(environment: string): void {
    this.#holds.get(environment)?.clear();
  }

  closing(environment: string): number {
    const number = (this.#closings += 1);
    this.#windows.set(environment, { number, answered: false });
    return number;
  }

  closed(environment: string, number: number): void {
    const known = this.#windows.get(environment);
    if (known?.number === number) known.answered = true;
  }

  opening(environment: string): void {
    this.#windows.delete(environment);
  }

  /** A hold or a window that was answered before counts for every start that is committed from then on. */
  see(releaseId: string, product: string, event: ReleaseEvent): void {
    if ('status' in event) {
      const place = `${releaseId} ${event.environment}`;
      if (!ENDED_PROMOTION.has(event.status)) this.#ended.delete(place);
      else if (!this.#ended.has(place)) this.#ended.set(place, this.#scheduler.now);
    }
    if (event.type === 'PromotionSkipped' && event.byPerson) this.#leftOut.add(releaseId);
    if (event.type === 'RollbackStarted') this.#kinds.set(releaseId, 'ROLLBACK');
    if (event.type !== 'PromotionStarted' || this.#kinds.get(releaseId) === 'ROLLBACK') return;
    const { environment } = event;
    this.#reached.count('promise: nothing starts where it is held or closed');
    const held = [...(this.#holds.get(environment) ?? [])];
    if (held.length > 0) this.#toVerify.push(() => this.#verifyHeld(held, releaseId, environment));
    if (this.#windows.get(environment)?.answered === true && !this.#leftToMerge.has(environment))
      this.#toVerify.push(() => this.#verifyClosed(releaseId, environment));
  }

  /** For how long, in milliseconds, the promotion has been over; 0: it is not. */
  overFor(releaseId: string, environment: string): number {
    const ended = this.#ended.get(`${releaseId} ${environment}`);
    return ended === undefined ? 0 : this.#scheduler.now - ended;
  }

  /** Somebody may have begun to delete it before it was saved. */
  async #verifyClosed(releaseId: string, environment: string): Promise<void> {
    const still = await this.#scheduler.ask('SELECT FROM release_window WHERE name = $1', [`closed-${environment}`]);
    if (still.length > 0)
      this.#scheduler.break(`gate: ${releaseId} started in ${environment}, whose window was closed before`);
  }

  /** A start lifts the holds of rollbacks; one that a person put there stays. */
  async #verifyHeld(ids: string[], releaseId: string, environment: string): Promise<void> {
    const still = await this.#scheduler.ask('SELECT FROM environment_hold WHERE id = ANY($1) AND lifted_at IS NULL', [
      ids,
    ]);
    if (still.length > 0)
      this.#scheduler.break(`gate: ${releaseId} started in ${environment}, which was on hold before`);
  }

  /** After the faults: whatever has not ended waits for something that is really missing, and says for what. */
  async judgeWaiting(
    known: ReadonlyMap<string, WaitingReason[]>,
    { running, awaited }: { running: Iterable<Running>; awaited: ReadonlySet<string> },
  ): Promise<void> {
    const open = await this.#scheduler.ask<{ id: string; status: string }>(
      'SELECT id, status FROM release WHERE ended_at IS NULL ORDER BY number',
    );
    for (const { id, status } of open) {
      this.#reached.count('promise: what stands waits for what is missing');
      const reasons = known.get(id);
      if (reasons === undefined) return this.#scheduler.break(`liveness: nobody can say what ${id} waits for`);
      const told = reasons.map((each) => each.message).join('; ');
      const merges = (each: WaitingReason): boolean =>
        'step' in each && awaited.has(`${id} ${each.promotion} ${each.step}`);
      const person = reasons.filter((each) => PERSON.has(each.kind) || merges(each));
      const other = reasons.filter(({ kind }) => OTHERS.has(kind));
      const wrong = await this.#wrongWait(id, reasons);
      if (wrong !== null)
        return this.#scheduler.break(
          `liveness: ${id} is ${status} and waits although ${wrong} (${told}); ${await this.standing()}`,
        );
      for (const { kind } of reasons) this.#reached.count(`waits for ${kind}`);
      if (person.length === 0 && other.length === 0)
        return this.#scheduler.break(
          `liveness: ${id} is ${status} and stands still, waiting for ${told || 'nothing that it says'}; ${await this.standing()}`,
        );
    }
    for (const each of running) {
      this.#reached.count('promise: what has to stop stops');
      const [found] = await this.#scheduler.ask<{ ended: boolean }>(
        `SELECT p.ended_at IS NOT NULL AS ended FROM promotion p JOIN release_plan l ON l.release_id = p.release_id
         WHERE p.release_id = $1 AND l.plan->'promotions'->p.position->>'name' = $2`,
        [each.releaseId, each.environment],
      );
      if (found?.ended) this.#scheduler.break(`stop: ${each.key} still goes on, and its promotion has ended`);
    }
  }

  /** Where everything stands that has not ended: enough to ask the right question of the trace. */
  async standing(): Promise<string> {
    const open = await this.#scheduler.ask<{ line: string }>(
      `SELECT r.number || ' ' || left(r.id::text, 4) || ' ' || r.kind || ' of ' || r.product || ' (' || r.concurrency || ') is ' || r.status
         || ', wakes ' || coalesce(r.wake_at::text, 'never') || ', last event ' || r.last_event_at || ': ' || (
         SELECT string_agg((l.plan->'promotions'->p.position->>'name') || ' ' || p.status || ' ' || (
           SELECT string_agg((s->>'status') || '/' || (s->>'dispatch') || coalesce('/' || (s->>'reason'), ''), ' ') FROM jsonb_array_elements(p.steps) s), '; ' ORDER BY p.position)
         FROM promotion p JOIN release_plan l ON l.release_id = p.release_id WHERE p.release_id = r.id AND p.ended_at IS NULL)
         || '; groups ' || (r.rest->'groups')::text AS line
       FROM release r WHERE r.ended_at IS NULL ORDER BY r.number`,
    );
    const settled = await this.#scheduler.ask('SELECT FROM rollback WHERE settled_at IS NULL');
    return `${open.map((each) => each.line).join(' | ') || 'all releases have ended'}, ${settled.length} rollbacks have not told; under way: ${this.#scheduler.pending}`;
  }

  async #wrongWait(id: string, reasons: WaitingReason[]): Promise<string | null> {
    for (const reason of reasons) {
      if (reason.kind === 'TURN' || reason.kind === 'ENVIRONMENT') {
        const [other] = await this.#scheduler.ask<{ ended: boolean }>(
          'SELECT ended_at IS NOT NULL AS ended FROM release WHERE id = $1',
          [reason.release],
        );
        if (reason.release !== null && (other?.ended ?? true)) return `release ${reason.release} has ended`;
      }
      if (reason.kind === 'HEALTH' && (await this.#reportedHealthy(id, reason.promotion as number, reason.step)))
        return 'its health was reported as HEALTHY';
      if (reason.kind === 'SYNC' && (await this.#reportedRunning(id, reason.promotion as number, reason.step)))
        return 'its target was reported to run the change';
    }
    return null;
  }

  async #reportedHealthy(id: string, promotion: number, step: number): Promise<boolean> {
    const asked = await this.#askedBy(id, promotion, step, 'SYNC');
    if (!asked) return false;
    const [report] = await this.#scheduler.ask<{ status: string }>(
      'SELECT status FROM health_report WHERE application = $1 AND at >= $2',
      [asked.application, asked.since],
    );
    return report?.status === 'HEALTHY';
  }

  async #reportedRunning(id: string, promotion: number, step: number): Promise<boolean> {
    const asked = await this.#askedBy(id, promotion, step);
    if (!asked) return false;
    const [report] = await this.#scheduler.ask<{ version: string }>(
      'SELECT version FROM deployment_report WHERE application = $1 AND at >= $2',
      [asked.application, asked.since],
    );
    return report !== undefined && report.version === asked.label;
  }

  /**
   * Whose report a step waits for, of which version, and since when, as the job asks: one from before the change says nothing about it, and
   * no health from before its target was told to run it.
   */
  async #askedBy(
    id: string,
    promotion: number,
    step: number,
    after: 'ACTION' | 'SYNC' = 'ACTION',
  ): Promise<{ application: string; label: string | undefined; since: Date } | null> {
    const [found] = await this.#scheduler.ask<{
      planned: PlannedPromotion;
      steps: { endedAt: number | null; runsSince?: number | null }[];
      started: Date;
      contents: { [content: string]: { label: string } };
    }>(
      `SELECT l.plan->'promotions'->p.position AS planned, p.steps, p.started_at AS started, l.contents
       FROM promotion p JOIN release_plan l ON l.release_id = p.release_id WHERE p.release_id = $1 AND p.position = $2`,
      [id, promotion],
    );
    if (!found) return null;
    const { application } = found.planned.steps[step] as PlannedStep;
    const asked = found.planned.applications[application ?? -1];
    if (!asked) return null;
    const at = (phase: string) =>
      found.steps[
        found.planned.steps.findLastIndex((each) => each.application === application && each.phase === phase)
      ];
    const told = after === 'SYNC' ? (at('SYNC')?.runsSince ?? at('SYNC')?.endedAt) : null;
    const since = new Date(told ?? at('ACTION')?.endedAt ?? found.started.getTime());
    return { application: asked.name, label: found.contents[asked.content]?.label, since };
  }

  /** `byThemselves`: releases that nobody asked for. */
  async judge(databaseUrl: string, byThemselves: ReadonlySet<string>): Promise<void> {
    const history = await readHistory(databaseUrl);
    const releases = [...history.releases.values()];
    for (const { kind, status } of releases) this.#reached.count(`release ${kind} ${status}`);
    const asked = [...this.#requests.values()];
    const invariants: Invariant[] = [
      ...judgeLog(history),
      judgeFold(releases),
      ...(await judgeRollbacks([], history)),
      judgeTriggers(asked, history, byThemselves),
      judgeDeployments(history),
      ...judgeHooks(history, this.#reached),
      actors(history),
      superseded(releases),
      approvals(releases),
      groups(releases),
    ];
    for (const { name, checked, violations } of invariants) {
      this.#reached.count(`promise: ${name}`, checked);
      if (violations.length > 0) this.#scheduler.break(`judge: ${name}: ${violations[0]}`);
    }
    await this.#scheduler.run(() => true, 0);
  }
}

/** Somebody has to act or to tell, or a time to come. */
const PERSON: ReadonlySet<WaitingReason['kind']> = new Set([
  'APPROVAL',
  'WINDOW',
  'HOLD',
  'VERSION',
  'SYNC',
  'HEALTH',
  'GROUP_HEALTH',
]);
/** It waits for another one, which is looked at by itself. */
const OTHERS: ReadonlySet<WaitingReason['kind']> = new Set(['TURN', 'ENVIRONMENT']);

/** What a person's command leads to is the person's, and what an outcome leads to is nobody's. */
function actors({ log }: History): Invariant {
  const rule = new Rule('an event says who is behind it');
  for (const { event, actor, releaseId, sequence } of log) {
    const place = `${releaseId} event ${sequence}, ${event.type}`;
    if (event.type === 'ReleaseTerminating' && event.reason.endsWith(' says so'))
      rule.expect(`${actor} says so` === event.reason, () => `${place} (${event.reason}) by ${actor}`);
    if (event.type === 'ApprovalGiven') rule.expect(actor === event.by, () => `${place} of ${event.by} by ${actor}`);
    if (event.type === 'RolloutReported')
      rule.expect(event.message === `${actor} saw it`, () => `${place} (${event.message}) by ${actor}`);
    if (NOBODYS.has(event.type)) rule.expect(actor === null, () => `${place} by ${actor}`);
  }
  return rule;
}

const NOBODYS: ReadonlySet<ReleaseEvent['type']> = new Set([
  'StepSucceeded',
  'StepRetrying',
  'ActionCommitted',
  'GroupGatePassed',
  'PromotionSucceeded',
]);

/** Only what waits makes room. */
function superseded(releases: ReleaseHistory[]): Invariant {
  const rule = new Rule('who makes room for a newer one has not started');
  for (const { id, events } of releases) {
    let started = false;
    for (const { event } of events) {
      if (event.type === 'ReleaseStarted') started = true;
      if (event.type === 'ReleaseRetried') started = false;
      if (event.type !== 'ReleaseTerminating' || !/superseded|were waiting/.test(event.reason)) continue;
      rule.expect(!started, () => `${id} had started, and was ended: ${event.reason}`);
    }
  }
  return rule;
}

function approvals(releases: ReleaseHistory[]): Invariant {
  const rule = new Rule('nothing starts that somebody has to agree to and did not');
  for (const { id, plan, events } of releases) {
    const given = new Map<string, number>();
    for (const { event, sequence } of events) {
      if (event.type === 'ApprovalGiven' && event.step === undefined) {
        const key = `${event.environment} ${event.attempt}`;
        given.set(key, (given.get(key) ?? 0) + 1);
      }
      if (event.type !== 'PromotionStarted') continue;
      const planned = plan.promotions.find((each) => each.name === event.environment);
      // Such a start opens a pull request, and its merge waits for people.
      if (!planned?.approval || planned.pullRequest?.open === 'AT_ONCE') continue;
      const needed = planned.approval.rules.reduce((sum, each) => sum + each.count, 0);
      const agreed = given.get(`${event.environment} ${event.attempt}`) ?? 0;
      rule.expect(
        agreed >= needed,
        () => `${id}: ${event.environment} started at event ${sequence} with ${agreed} of ${needed}`,
      );
    }
  }
  return rule;
}

function groups(releases: ReleaseHistory[]): Invariant {
  const rule = new Rule('of a group no more run at once than may');
  for (const { id, plan, events } of releases) {
    const running = new Set<string>();
    for (const { event } of events) {
      if (!('status' in event)) continue;
      if (ENDED_PROMOTION.has(event.status)) running.delete(event.environment);
      if (event.type === 'PromotionStarted') running.add(event.environment);
      for (const { name, members, maxParallel } of event.type === 'PromotionStarted' ? plan.groups : []) {
        const now = members.filter((each) => running.has(plan.promotions[each]?.name ?? ''));
        rule.expect(now.length <= maxParallel, () => `${id}: ${now.length} of ${name} run at once`);
      }
    }
  }
  return rule;
}
