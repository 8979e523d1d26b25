import type { ReleaseEvent } from '../../../src/core/events.ts';
import { ROOM } from '../../../src/store/event-rows.ts';
import { SECOND } from '../../core/support/builders.ts';
import type { Ground } from './ground.ts';
import type { Rooms } from './rooms.ts';

interface SeenEvent {
  id: number;
  releaseId: string;
  product: string;
  at: Date;
  event: ReleaseEvent;
}

/** Reads the log as it grows: what it says is judged, and senders outside answer what it tells. */
export class Watcher {
  readonly #ground: Ground;
  readonly #rooms: Rooms;
  readonly #known = new Set<number>();
  /** Releases that have not ended, as the log says. */
  readonly open = new Set<string>();
  newest = 0;
  /** Events, without those that only say how something is. */
  cameToPass = 0;
  #writes = 0;

  constructor(ground: Ground, rooms: Rooms) {
    this.#ground = ground;
    this.#rooms = rooms;
  }

  async read(): Promise<void> {
    if (this.#ground.scheduler.writes === this.#writes) return;
    this.#writes = this.#ground.scheduler.writes;
    const rows = await this.#ground.scheduler.ask<Omit<SeenEvent, 'event'> & { event: ReleaseEvent | ReleaseEvent[] }>(
      `SELECT id::float8, release_id AS "releaseId", product, at, event FROM release_event WHERE id > $1 ORDER BY id`,
      [this.newest - 100 * ROOM],
    );
    for (const row of rows) {
      if (this.#known.has(row.id)) continue;
      this.#known.add(row.id);
      this.newest = Math.max(this.newest, row.id);
      for (const event of [row.event].flat()) this.#see({ ...row, event });
    }
  }

  #see({ releaseId, product, at, event }: SeenEvent): void {
    this.#ground.reached.count('promise: one time of day counts, whatever a machine thinks');
    if (at.getTime() > this.#ground.scheduler.now + SECOND)
      this.#ground.scheduler.break(
        `clock: ${event.type} of ${releaseId} is said to be at ${at.toISOString()}, which is to come`,
      );
    if (!this.#ground.releases.includes(releaseId)) this.#ground.releases.push(releaseId);
    if (event.type === 'ReleaseQueued') this.#rooms.pushes.seeRelease(releaseId, product);
    if (/^Release(Queued|Retried)$|^RollbackStarted$/.test(event.type)) this.open.add(releaseId);
    if (/^Release(Succeeded|Failed|Terminated)$/.test(event.type)) this.open.delete(releaseId);
    // People report health in each round, whatever comes of it.
    if (event.type !== 'HealthChanged') this.cameToPass += 1;
    this.#ground.reached.count(`event ${event.type}`);
    this.#ground.scheduler.tell(
      `  ${releaseId.slice(0, 4)} ${event.type} ${'environment' in event ? event.environment : ''}`,
    );
    this.#ground.record.see(releaseId, product, event);
    if (event.type === 'StepSucceeded' && event.step.endsWith('/tests')) this.#judgeFollowed(releaseId, event);
    // While its workflow is being submitted.
    if (event.type === 'StepStarted' && event.step.endsWith('/tests') && this.#ground.random.chance(0.15))
      this.#rooms.people.terminate(releaseId);
    // It was healthy, and is no more.
    if (event.type === 'PromotionSucceeded' && this.#ground.mood === 'ROLLBACKS' && this.#ground.random.chance(0.3)) {
      const application = `${product}-${event.environment}`;
      this.#ground.clock.after('sender', 20_000, () => this.#rooms.people.report(application, 'DEGRADED'));
      this.#ground.clock.after('sender', 80_000, () => this.#rooms.people.report(application, 'HEALTHY'));
    }
    // In the trigger environment nothing is changed: whoever sees that it starts tells how it is.
    const arrives = event.type === 'PromotionStarted' && event.environment === 'dev' ? `${product}-dev` : undefined;
    const isDone = event.type === 'StepSucceeded' && event.phase === 'ACTION' && !event.step.endsWith('/open');
    const changed = isDone ? event.application : arrives;
    if (changed === undefined) return;
    // Senders like Argo CD tell a change once, and never again.
    const application = changed;
    const lately = this.#ground.mood === 'ROLLBACKS' && this.#ground.releases.indexOf(releaseId) > 0;
    const fails = this.#ground.random.chance(lately ? 0.3 : 0.06);
    const pause = this.#ground.random.pick([0, 0, 300, 3_000]);
    if (!this.#ground.random.chance(0.05))
      this.#ground.clock.after('sender', pause, () => this.#rooms.people.reportDeployment(application));
    this.#ground.clock.after('sender', pause, () => {
      this.#rooms.people.report(application, fails ? 'DEGRADED' : 'HEALTHY');
      if (fails) this.#ground.clock.after('sender', 20_000, () => this.#rooms.people.report(application, 'HEALTHY'));
    });
  }

  /** An action has followed its workflow to a good end, in this attempt. */
  #judgeFollowed(
    releaseId: string,
    { environment, step, attempt }: Extract<ReleaseEvent, { type: 'StepSucceeded' }>,
  ): void {
    this.#ground.reached.count('promise: an action that follows a workflow succeeds when that has');
    const names = [...this.#ground.targets.workflows].filter(([, { goesOn, ends }]) => !goesOn && ends === 'well');
    if (!names.some(([name]) => name.startsWith(`${releaseId}.${attempt}.${environment}.${step}/`)))
      this.#ground.scheduler.break(
        `workflow: ${step} of ${environment} of ${releaseId} has succeeded, and no workflow of it`,
      );
  }
}
