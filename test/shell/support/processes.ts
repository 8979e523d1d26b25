import type { App } from '../../../src/app.ts';
import { openApp } from '../../../src/app.ts';
import type { Clock } from '../../../src/clock.ts';
import type { ReleaseNow } from '../../../src/commands/release-engine.ts';
import type { Queue } from '../../../src/jobs/queue.ts';
import { createLog } from '../../../src/log.ts';
import type { OutboxItem } from '../../../src/store/outbox.ts';
import { startWorker } from '../../../src/worker.ts';
import { frozen } from '../../core/support/frozen.ts';
import { MINUTE, SECOND } from '../../core/support/builders.ts';
import type { Ground } from './ground.ts';
import type { Mortal } from './scheduler.ts';
import { limitsOf, SELDOM } from './settings.ts';

export interface Process extends Mortal {
  clock: Clock;
  app: App | null;
  worker: { close(): Promise<void> } | null;
  /** It was asked to stop, and does what is left. */
  stopping: boolean;
  /** How many faults there had been when it was asked to, and whether one of them lasted on. */
  stopped: { faults: number; slowed: number; heldUp: boolean } | null;
  vanish(): void;
  onDeath: (() => void)[];
}

/** A process remembers the states that it hands out: a caller that writes to one is found. */
function freezeStates({ releaseEngine }: App): void {
  const frozenOf = (found: ReleaseNow | null): ReleaseNow | null => {
    if (found) frozen(found.state);
    return found;
  };
  const look = releaseEngine.look.bind(releaseEngine);
  const tell = releaseEngine.tell.bind(releaseEngine);
  const create = releaseEngine.create.bind(releaseEngine);
  releaseEngine.look = (...given) => look(...given).then(frozenOf);
  releaseEngine.tell = (...given) => tell(...given).then(frozenOf);
  releaseEngine.create = (...given) => create(...given).then(frozenOf);
}

/** The processes of an installation: they start, are killed, and are asked to stop. */
export class Processes {
  readonly #ground: Ground;
  readonly #processes: Process[] = [];
  /** They have stopped: buried when nothing moves. */
  readonly #gone: { process: Process; resolve: () => void }[] = [];

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  living(): Process[] {
    return this.#processes.filter((each) => !each.dead && !each.stopping && each.app !== null && each.worker !== null);
  }

  start(name: string): void {
    const process: Process = {
      name: `${name}.${this.#ground.nextName()}`,
      dead: false,
      skew: this.#ground.random.chance(0.1) ? this.#drawSkew() : 0,
      faults: 0,
      stopped: null,
      app: null,
      worker: null,
      stopping: false,
      vanish: () => undefined,
      onDeath: [],
      clock: undefined as never,
    };
    process.clock = this.#pacedClock(process);
    this.#processes.push(process);
    this.#ground.reached.count('process started');
    void this.#bringUp(process);
  }

  /** Rounds that look at what is outside come seldom where there is nothing to find: they only take time. */
  #pacedClock(process: Process): Clock {
    const clock = this.#ground.scheduler.clockOf(process);
    const { proposed, pushed } = this.#ground.drawn;
    const rounds = new Map([
      ['pull-requests', proposed !== null ? 3 * SECOND : SELDOM],
      ['repositories', pushed.length > 0 || proposed !== null ? 3 * SECOND : SELDOM],
    ]);
    const every = (name: string, ms: number): number => (ms === SECOND ? (rounds.get(name) ?? ms) : ms);
    return { ...clock, after: (name, ms, work) => clock.after(name, every(name, ms), work) };
  }

  async #bringUp(process: Process): Promise<void> {
    const seams = this.#ground.scheduler.seamsOf(process);
    const write = (line: string): void => {
      const { msg, error, level } = JSON.parse(line) as {
        msg: string;
        level: number;
        error?: { message?: string } | string;
      };
      const why = typeof error === 'string' ? error : (error?.message ?? '');
      if (msg.startsWith('what was running did not end in time')) this.#judgeStop(process);
      if (level >= 40) this.#ground.scheduler.tell(`${process.name} says: ${msg} ${why}`.slice(0, 300));
    };
    const log = createLog({ level: 'debug', destination: { write } });
    while (!process.dead) {
      try {
        const app = await openApp(this.#ground.config, log, {
          clock: process.clock,
          limits: limitsOf(this.#ground.drawn),
          seams,
          prepare: async () => undefined,
          openQueue: async ({ concurrency }) => {
            const face = this.#ground.queue.face(concurrency, process.clock);
            process.vanish = () => face.vanish();
            return { ...face, handOver: (items) => this.#handOver(face, items) };
          },
          createDrivers: () => this.#ground.targets.driversOf(process, process.clock),
        });
        freezeStates(app);
        process.app = app;
        try {
          process.worker = await startWorker(app);
          return;
        } catch (error) {
          process.app = null;
          await app.close();
          throw error;
        }
      } catch (error) {
        this.#ground.scheduler.tell(`${process.name} cannot start: ${String(error)}`);
        await process.clock.sleep('start', 500);
      }
    }
  }

  async #handOver(queue: Queue, items: OutboxItem[]): Promise<void> {
    await queue.handOver(items);
    for (const { releaseId, work } of items)
      if (work.kind === 'dispatch')
        for (const each of work.promotions) this.#ground.record.hasItsOwnJob(releaseId, each);
  }

  async #bury(process: Process): Promise<void> {
    if (process.dead) return;
    await this.#ground.scheduler.bury(process);
    process.vanish();
    this.#ground.targets.bury(process);
    for (const tell of process.onDeath.splice(0)) tell();
  }

  async kill(process: Process): Promise<void> {
    if (process.dead || process === this.#ground.outside) return;
    this.#ground.reached.count('fault kill');
    this.#ground.scheduler.tell(`${process.name} IS KILLED`);
    await this.#bury(process);
    this.#ground.clock.after('restart', this.#ground.random.whole(100, 6_000), () =>
      this.start(process.name.replace(/\..*/, '')),
    );
  }

  /** Only what hangs at the outside keeps it: without a fault since it was asked, all that it began ends by itself. */
  #judgeStop(process: Process): void {
    const { stopped } = process;
    this.#ground.reached.count('stops that took too long');
    if (stopped?.faults === process.faults && stopped.slowed === this.#ground.scheduler.slowed && !stopped.heldUp)
      this.#ground.scheduler.break(`shutdown: nothing is wrong, and ${process.name} does not end in time`);
  }

  /** SIGTERM: it hands back what it has, and is gone within a minute or two. */
  stop(process: Process): Promise<void> {
    const { app, worker } = process;
    process.stopping = true;
    const heldUp = this.#ground.scheduler.isHeldUp(process);
    process.stopped = { faults: process.faults, slowed: this.#ground.scheduler.slowed, heldUp };
    this.#ground.scheduler.tell(`${process.name} is asked to stop`);
    this.#ground.reached.count('stimulus stop');
    const late = this.#ground.clock.after('patience', 5 * MINUTE, () => {
      if (!process.dead) this.#ground.scheduler.break(`shutdown: ${process.name} does not stop`);
    });
    const stop = async (): Promise<void> => {
      await worker?.close();
      await app?.close();
      late.cancel();
      this.#ground.reached.count('promise: who is asked to stop stops');
      this.#ground.scheduler.tell(`${process.name} has stopped`);
      await new Promise<void>((resolve) => this.#gone.push({ process, resolve }));
    };
    return stop();
  }

  /** One that is in the middle of an effect. */
  busy(living: readonly Process[]): Process | undefined {
    const running = new Set([...this.#ground.targets.running].map(({ process }) => process));
    return this.#ground.random.chance(0.7) ? living.find((each) => running.has(each)) : undefined;
  }

  /** Somebody sets its machine's clock, or it is set right: by hours, by minutes. */
  setClock(process: Process): void {
    process.skew = process.skew === 0 ? this.#drawSkew() : 0;
    this.#ground.reached.count(process.skew === 0 ? 'stimulus a clock is set right' : 'stimulus a clock is set wrong');
    this.#ground.scheduler.tell(`the clock of ${process.name} is off by ${process.skew / MINUTE} min`);
  }

  #drawSkew(): number {
    return this.#ground.random.pick([-26 * 60, -120, -10, 10, 120, 26 * 60]) * MINUTE;
  }

  async restart(process: Process): Promise<void> {
    // Its listener has just lost its connection, and comes back.
    if (this.#ground.random.chance(0.6)) await this.#ground.scheduler.cutSomeOf(process, true);
    const name = process.name.replace(/\..*/, '');
    const pause = this.#ground.random.pick([0, 60, 400]);
    this.#ground.clock.after('restart', pause, () => {
      if (process.dead || process.stopping) return;
      void this.stop(process).then(() => this.start(name));
    });
  }

  /** Those that have stopped are gone, as their machine sees it. */
  async buryGone(): Promise<void> {
    for (const { process, resolve } of this.#gone.splice(0)) {
      await this.#bury(process);
      resolve();
    }
  }

  /** The world ends. */
  async buryAll(): Promise<void> {
    for (const each of this.#processes) await this.#bury(each);
  }
}
