import type { WaitingReason } from '../../../src/core/waiting.ts';
import { MINUTE, SECOND } from '../../core/support/builders.ts';
import { ENVIRONMENTS } from './definitions.ts';
import type { Ground } from './ground.ts';
import type { Happenings } from './happenings.ts';
import type { Rooms } from './rooms.ts';
import { PatientRounds } from './rounds.ts';
import type { Watcher } from './watcher.ts';

/** Of 45 seconds each, with new events and without a target at work, until nothing happens any more. */
const MOST_ROUNDS = 60;
/** In which people do all that is waited for, and nothing comes of it. */
const IN_VAIN = 12;

/** The end of a world, without faults: what stands waits for what is missing, and ends when people do that. */
export class Afterwards {
  readonly #ground: Ground;
  readonly #rooms: Rooms;
  readonly #happenings: Happenings;
  readonly #watcher: Watcher;

  constructor(ground: Ground, rooms: Rooms, { happenings, watcher }: { happenings: Happenings; watcher: Watcher }) {
    this.#ground = ground;
    this.#rooms = rooms;
    this.#happenings = happenings;
    this.#watcher = watcher;
  }

  /** The faults stop and nobody acts: everything ends, or waits for a person or a time that can be named. */
  async rest(): Promise<void> {
    // The last fault is one that only the sweep can make up for.
    if (this.#ground.random.chance(0.4))
      await this.#happenings.fault('queue flushed', () => this.#ground.queue.flush());
    for (const each of this.#rooms.processes.living())
      if (this.#ground.random.chance(0.2)) await this.#rooms.processes.kill(each);
    this.#ground.scheduler.calm = true;
    this.#ground.scheduler.tell('NOW EVERYTHING IS CALM');
    await this.#ground.scheduler.run(
      () => this.#rooms.processes.living().length === 2 && this.#rooms.people.asked.size === 0,
      3 * MINUTE,
    );
    if (this.#rooms.people.asked.size > 0)
      this.#ground.scheduler.break(`answer: nobody answers ${[...this.#rooms.people.asked].join(', ')}`);
    const rounds = new PatientRounds(MOST_ROUNDS, this.#ground.scheduler.now);
    for (let seen = -1; seen !== this.#watcher.newest || this.#isAtWork() || !(await this.#isAtRest());) {
      seen = this.#watcher.newest;
      await this.#ground.scheduler.run(() => false, 45 * SECOND);
      if (!rounds.goOn({ now: this.#ground.scheduler.now, atWork: this.#isAtWork(), cameToPass: false }))
        return this.#ground.scheduler.break(
          `liveness: it never comes to rest, ${await this.#ground.record.standing()}; ${await this.#standing()}`,
        );
    }
    await this.#judgeWaiting();
  }

  async #isAtRest(): Promise<boolean> {
    return (await this.#rooms.pushes.isAtRest()) && (await this.#rooms.proposals.isAtRest());
  }

  async #standing(): Promise<string> {
    return `${await this.#rooms.pushes.standing()}; ${await this.#rooms.proposals.standing()}`;
  }

  /** A target does what a promotion that goes on has asked for. */
  #isAtWork(): boolean {
    const workflows = [...this.#ground.targets.workflows.values()].filter(({ goesOn }) => goesOn);
    return [...this.#ground.targets.running, ...workflows].some(
      (each) => this.#ground.record.overFor(each.releaseId, each.environment) === 0,
    );
  }

  async #judgeWaiting(): Promise<void> {
    const answer = this.#rooms.people.ask('ask what is waited for', async (app) => ({
      value: await this.#rooms.people.waiting(app),
    }));
    let known: Map<string, WaitingReason[]> | null = null;
    void answer.then((found) => (known = found?.value ?? null));
    await this.#ground.scheduler.run(() => known !== null, MINUTE);
    await this.#rooms.pushes.judgeWaiting();
    const reasons = known ?? new Map<string, WaitingReason[]>();
    const awaited = await this.#rooms.proposals.judgeWaiting(reasons);
    await this.#ground.record.judgeWaiting(reasons, { running: this.#ground.targets.running, awaited });
    await this.#ground.scheduler.run(() => true, 0);
  }

  /** People do whatever is waited for: now everything ends. */
  async letPeopleAct(): Promise<void> {
    const rounds = new PatientRounds(IN_VAIN, this.#ground.scheduler.now);
    for (let seen = -1, goesOn = true; goesOn;) {
      const open = await this.#ground.scheduler.ask<{ id: string }>('SELECT id FROM release WHERE ended_at IS NULL');
      const unsettled = await this.#ground.scheduler.ask('SELECT FROM rollback WHERE settled_at IS NULL');
      const errands = await this.#ground.scheduler.ask(`SELECT FROM outbox WHERE lane = 'errand'`);
      const isOver =
        open.length === 0 &&
        unsettled.length === 0 &&
        (await this.#rooms.pushes.isOver()) &&
        (await this.#rooms.proposals.isOver());
      if (isOver && errands.length === 0) return this.#judgeWorkflows();
      if (isOver) {
        // Their pauses grow up to an hour.
        await this.#ground.scheduler.run(() => false, 20 * SECOND);
        goesOn = rounds.goOn({ now: this.#ground.scheduler.now, atWork: true, cameToPass: false });
        continue;
      }
      for (const each of ENVIRONMENTS) {
        void this.#rooms.people.lift(each);
        void this.#rooms.people.openAgain(each);
      }
      for (const each of this.#ground.drawn.pushed.length > 0 ? [...this.#ground.drawn.pushed, null] : [])
        void this.#rooms.pushes.resume(each);
      this.#rooms.proposals.finish();
      await this.#rooms.people.approveSome(1);
      for (const each of this.#ground.drawn.definitions) {
        if (each.kind !== 'Application') continue;
        this.#rooms.people.reportDeployment(each.metadata.name);
        this.#rooms.people.report(each.metadata.name, 'HEALTHY');
      }
      await this.#ground.scheduler.run(() => this.#rooms.people.asked.size === 0, MINUTE);
      await this.#ground.scheduler.run(
        () => this.#watcher.open.size === 0 && this.#rooms.people.asked.size === 0,
        90 * SECOND,
      );
      await this.#ground.scheduler.run(() => false, 7 * SECOND);
      const cameToPass = seen !== this.#watcher.cameToPass;
      seen = this.#watcher.cameToPass;
      goesOn = rounds.goOn({ now: this.#ground.scheduler.now, atWork: this.#isAtWork(), cameToPass });
    }
    this.#ground.scheduler.break(
      `end: nothing is missing any more, and ${await this.#ground.record.standing()}; ${await this.#standing()}`,
    );
    await this.#ground.scheduler.run(() => true, 0);
  }

  /** Every release has ended, and what its actions began outside has ended with it. */
  #judgeWorkflows(): void {
    const all = [...this.#ground.targets.workflows];
    this.#ground.reached.count(
      'promise: what an action began outside is over when nothing follows it any more',
      all.length,
    );
    const [left] = all.filter(([, { goesOn }]) => goesOn);
    if (left) this.#ground.scheduler.break(`workflow: ${left[0]} goes on, and all releases have ended`);
  }

  async shutDown(): Promise<void> {
    await this.#ground.scheduler.run(() => this.#rooms.people.asked.size === 0, 3 * MINUTE);
    // What was handed over goes with the next round of the sweep.
    await this.#ground.scheduler.run(() => false, 10 * SECOND);
    let stopped = 0;
    const all = this.#rooms.processes.living();
    for (const each of all) void this.#rooms.processes.stop(each).then(() => (stopped += 1));
    await this.#ground.scheduler.run(() => stopped === all.length, 5 * MINUTE + SECOND);
  }
}
