import type { App } from '../../../src/app.ts';
import { applyManifests } from '../../../src/commands/apply-manifests.ts';
import { retryRelease, skipPromotion, terminateRelease } from '../../../src/commands/control-release.ts';
import { approvePromotion } from '../../../src/commands/decide-promotion.ts';
import { deleteDefinition } from '../../../src/commands/delete-definition.ts';
import { holdEnvironment, releaseEnvironment } from '../../../src/commands/hold-environment.ts';
import { reportDeployment } from '../../../src/commands/report-deployment.ts';
import { reportHealth } from '../../../src/commands/report-health.ts';
import { reportRollout } from '../../../src/commands/report-rollout.ts';
import type { Result } from '../../../src/commands/result.ts';
import { planRollback } from '../../../src/commands/rollback-order.ts';
import { saveDefinition } from '../../../src/commands/save-definition.ts';
import { triggerRelease } from '../../../src/commands/trigger-release.ts';
import type { AnyDefinition, Definition, PromotionPolicySpec } from '../../../src/core/definitions.ts';
import { waitingFor } from '../../../src/core/waiting.ts';
import type { WaitingReason } from '../../../src/core/waiting.ts';
import { TASKS } from '../../../src/foreign/tasks.ts';
import { exportManifests } from '../../../src/manifests/index.ts';
import { readFacts, readSummaries } from '../../../src/store/release-reads.ts';
import { MINUTE, SECOND } from '../../core/support/builders.ts';
import { ENVIRONMENTS, POLICIES, windowOver } from './definitions.ts';
import type { Ground } from './ground.ts';
import type { Processes } from './processes.ts';

/** People, and machines that act like them: each asks whichever process is there, until it is answered. */
export class People {
  readonly #ground: Ground;
  readonly #processes: Processes;
  /** What they have asked and was not answered yet. */
  readonly asked = new Set<string>();

  constructor(ground: Ground, processes: Processes) {
    this.#ground = ground;
    this.#processes = processes;
  }

  /** A client asks until it is answered, whichever process is there. */
  async ask<T>(what: string, run: (app: App) => Promise<Result<T>>): Promise<Result<T> | null> {
    const asked = `${what} ${this.#ground.nextName()}`;
    this.asked.add(asked);
    this.#ground.reached.count(`stimulus ${what}`);
    try {
      for (;;) {
        const living = this.#processes.living();
        const process = living.length > 0 ? this.#ground.random.pick(living) : null;
        if (process?.app) {
          const gone = new Promise<null>((resolve) => process.onDeath.push(() => resolve(null)));
          try {
            this.#ground.scheduler.tell(`${asked} asks ${process.name}`);
            const answer = await Promise.race([run(process.app), gone]);
            if (answer) {
              const said = answer.refusals?.map((each) => each.message).join('; ') ?? 'done';
              this.#ground.scheduler.tell(`${asked} is answered: ${said}`.slice(0, 300));
              this.#ground.reached.count(`answer ${what} ${answer.refusals ? 'refused' : 'done'}`);
              return answer;
            }
          } catch (error) {
            this.#ground.scheduler.tell(`${asked} fails: ${String(error)}`.slice(0, 300));
            if (String(error).includes('was there a moment ago'))
              this.#ground.scheduler.break(`answer: ${String(error)}`);
            this.#ground.reached.count(`answer ${what} fault`);
          }
        }
        await this.#ground.clock.sleep('client', this.#ground.random.whole(200, 1_500));
      }
    } finally {
      this.asked.delete(asked);
    }
  }

  someone(): string {
    return `person-${this.#ground.nextName()}`;
  }

  trigger(): void {
    const { name: product } = this.#ground.random.pick(this.#ground.drawn.products);
    const key = `${product}-${this.#ground.nextName()}`;
    const actor = this.someone();
    const twins = this.#ground.random.chance(0.2) ? 2 : 1;
    const version = this.#ground.drawn.pushed.includes(product) ? undefined : key;
    const input = { product, version, idempotencyKey: key };
    for (let twin = 0; twin < twins; twin += 1)
      void this.ask('trigger', (app) => triggerRelease(app, input, actor)).then((answer) => {
        if (answer) this.#ground.record.triggered(key, product, answer);
      });
  }

  /** Somebody pushes, and soon the trigger environment runs it, and is well. */
  report(application: string, status: 'HEALTHY' | 'DEGRADED' | 'PROGRESSING'): void {
    const by = this.someone();
    const at = new Date(this.#ground.scheduler.now);
    void this.ask(`report ${status}`, (app) => reportHealth(app, { application, status, at }, by));
  }

  /** A target says which version it runs now; one whose clock nobody trusts leaves out when. */
  reportDeployment(application: string): void {
    const version = this.#ground.targets.versions.get(application);
    if (version === undefined) return;
    const by = this.someone();
    const at = this.#ground.random.chance(0.5) ? new Date(this.#ground.scheduler.now) : undefined;
    void this.ask('report a deployment', (app) => reportDeployment(app, { application, version, at }, by));
  }

  terminate(releaseId: string): void {
    const by = this.someone();
    void this.ask('terminate', (app) => terminateRelease(app, { releaseId, reason: `${by} says so` }, by)).then(
      (answer) => {
        if (answer?.value) this.#ground.record.terminated(releaseId, by);
      },
    );
  }

  retry(releaseId: string): void {
    const by = this.someone();
    void this.ask('retry', (app) => retryRelease(app, { releaseId }, by));
  }

  /** One that is tried again by itself, or left out. */
  onlyOne(releaseId: string, what: 'retry' | 'skip'): void {
    const by = this.someone();
    const environment = this.#ground.random.pick([...ENVIRONMENTS.slice(1), 'build']);
    void this.ask(`${what} of one`, async (app) =>
      what === 'retry'
        ? retryRelease(app, { releaseId, environment }, by)
        : skipPromotion(app, { releaseId, environment, reason: `${by} says so` }, by),
    ).then((answer) => {
      if (answer?.value && what === 'skip') this.#ground.record.skipped(releaseId, environment, by);
    });
  }

  /** `step`: one that asks by itself. */
  approve(releaseId: string, environment: string, step?: string): void {
    const name = this.someone();
    const caller = { name, kind: 'PERSON' as const, groups: [], roles: [] };
    const idempotencyKey = this.#ground.random.chance(0.5) ? name : undefined;
    const input = { releaseId, environment, step, idempotencyKey };
    void this.ask(step === undefined ? 'approve' : 'approve a step', (app) =>
      approvePromotion(app, input, caller),
    ).then((answer) => {
      if (answer?.value) this.#ground.record.approved(releaseId, environment, name, step);
    });
  }

  hold(environment: string): void {
    const by = this.someone();
    const input = { environment, reason: `${by} says so`, idempotencyKey: by };
    void this.ask('hold', (app) => holdEnvironment(app, input, by)).then((answer) => {
      if (answer?.value) this.#ground.record.holds(answer.value.id, environment);
    });
  }

  lift(environment: string): Promise<unknown> {
    this.#ground.record.liftedAbout(environment);
    return this.ask('lift', (app) => releaseEnvironment(app, { environment }, this.someone()));
  }

  close(environment: string): void {
    const window = windowOver(
      environment,
      this.#ground.scheduler.now - SECOND,
      this.#ground.scheduler.now + 3_650 * 24 * 60 * MINUTE,
    );
    const number = this.#ground.record.closing(environment);
    void this.ask('close a window', (app) => saveDefinition(app, window, { mode: 'UPSERT', actor: 'editor' })).then(
      (answer) => {
        if (answer?.value) this.#ground.record.closed(environment, number);
      },
    );
  }

  openAgain(environment: string): Promise<unknown> {
    this.#ground.record.opening(environment);
    const name = `closed-${environment}`;
    return this.ask('delete a window', (app) => deleteDefinition(app, 'ReleaseWindow', name, { actor: 'editor' }));
  }

  /** An edit that concerns later releases alone: whoever runs has frozen its plan. */
  edit(): void {
    const found = this.#ground.drawn.definitions.find((each) => each.kind === 'PromotionFlow') as AnyDefinition;
    const description = `edit ${this.#ground.nextName()}`;
    const edited = { ...found, spec: { ...found.spec, description } } as AnyDefinition;
    void this.ask('edit', (app) => saveDefinition(app, edited, { mode: 'UPSERT', actor: 'editor' }));
  }

  /** A policy says something else, or another number, from now on. */
  editPolicy(): void {
    const { metadata, spec } = this.#ground.random.pick(POLICIES) as Definition<'PromotionPolicy'>;
    const edited: PromotionPolicySpec = {
      ...spec,
      priority: this.#ground.random.whole(1, 100),
      policy: this.#ground.random.chance(0.5) ? spec.policy : { preAction: 'checks', postAction: 'checks' },
    };
    const policy: AnyDefinition = { kind: 'PromotionPolicy', metadata, spec: edited };
    void this.ask('edit a policy', (app) => saveDefinition(app, policy, { mode: 'UPSERT', actor: 'editor' }));
  }

  tryOut(): void {
    const text = exportManifests(this.#ground.drawn.definitions);
    void this.ask('dry run', async (app) => {
      // Read here: another process would take time that is not the world's.
      const read = TASKS.parseManifests({ text });
      const { errors } = await applyManifests(app, { text, dryRun: true }, 'editor', read);
      if (errors.length > 0) this.#ground.scheduler.break(`world: ${errors[0]?.message}`);
      return { value: null };
    });
  }

  /** Portals come several at a time. */
  look(): void {
    const product = this.#ground.random.pick(this.#ground.drawn.products).name;
    const input = { product, environments: [this.#ground.random.pick(ENVIRONMENTS.slice(1))], reason: 'to see' };
    const plans = this.#ground.random.chance(0.5);
    for (let reader = 0; reader < 4; reader += 1) {
      if (plans) void this.ask('plan a rollback', (app) => planRollback(app, input, 'viewer'));
      else void this.ask('ask what is waited for', async (app) => ({ value: await this.waiting(app) }));
    }
  }

  /** As the API answers `waitingFor`. */
  async waiting(app: App): Promise<Map<string, WaitingReason[]>> {
    const summaries = [...(await readSummaries(app.pool, this.#ground.releases)).values()].filter(
      (each) => each.endedAt === null,
    );
    const facts = await readFacts(app.pool, summaries, app.definitions);
    const all = new Map<string, WaitingReason[]>();
    for (const { id } of summaries) {
      const to = await app.releaseEngine.look(id, { fresh: true });
      const known = facts.get(id);
      if (to && known) all.set(id, waitingFor(to.release.plan, to.state, known, app.clock.now().getTime()));
    }
    this.#ground.reached.count('promise: waitingFor can be read', all.size);
    return all;
  }

  /** Something happens, wherever everything stands right now; while no process answers, people wait instead of asking more. */
  rollout(environment: string): void {
    const product = this.#ground.random.pick(this.#ground.drawn.products).name;
    const by = this.someone();
    const input = { product, environment, status: 'FAILED' as const, message: `${by} saw it`, idempotencyKey: by };
    void this.ask('report a rollout', (app) => reportRollout(app, input, by));
  }

  async approveSome(part: number): Promise<void> {
    const open = await this.#ground.scheduler.ask<{ id: string; environment: string }>(
      `SELECT p.release_id AS id, l.plan->'promotions'->p.position->>'name' AS environment
       FROM promotion p JOIN release_plan l ON l.release_id = p.release_id JOIN release r ON r.id = p.release_id
       WHERE r.ended_at IS NULL AND p.ended_at IS NULL AND p.approval IS NOT NULL
         -- Where something is proposed at once, its merge is what waits for people.
         AND (p.started_at IS NULL OR p.merge IS NOT NULL)
       ORDER BY r.number, p.position`,
    );
    for (const { id, environment } of open) if (this.#ground.random.chance(part)) this.approve(id, environment);
    const asking = await this.#ground.scheduler.ask<{ id: string; environment: string; step: string }>(
      `SELECT p.release_id AS id, l.plan->'promotions'->p.position->>'name' AS environment,
         l.plan->'promotions'->p.position->'steps'->(s.place - 1)::integer->>'id' AS step
       FROM promotion p JOIN release_plan l ON l.release_id = p.release_id JOIN release r ON r.id = p.release_id,
         jsonb_array_elements(p.steps) WITH ORDINALITY AS s(state, place)
       WHERE r.ended_at IS NULL AND p.ended_at IS NULL AND s.state->>'status' = 'WAITING' AND jsonb_typeof(s.state->'asked') = 'object'
       ORDER BY r.number, p.position, s.place`,
    );
    for (const { id, environment, step } of asking)
      if (this.#ground.random.chance(part)) this.approve(id, environment, step);
  }
}
