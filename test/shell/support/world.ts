import { Random } from '../../../chaos/random.ts';
import { saveInTransaction } from '../../../src/commands/save-definition.ts';
import { loadConfig } from '../../../src/config.ts';
import { takeHoldAndWaits } from '../../../src/connections.ts';
import { createDataSource } from '../../../src/entities/data-source.ts';
import type { Reached } from '../../core/support/reached.ts';
import { MINUTE, SECOND } from '../../core/support/builders.ts';
import { Afterwards } from './afterwards.ts';
import { drawDefinitions, MOODS } from './definitions.ts';
import type { Mood } from './definitions.ts';
import { GitHost } from './git-host.ts';
import type { Ground } from './ground.ts';
import { Happenings } from './happenings.ts';
import { drawIds } from './ids.ts';
import { Targets } from './outside.ts';
import { People } from './people.ts';
import { Processes } from './processes.ts';
import type { Process } from './processes.ts';
import { Proposals } from './proposals.ts';
import { Pushes } from './pushes.ts';
import { SimulatedQueue } from './queue.ts';
import { Record } from './record.ts';
import type { Rooms } from './rooms.ts';
import { Scheduler } from './scheduler.ts';
import type { Mortal } from './scheduler.ts';
import { SORE } from './settings.ts';
import { drawTurn, judgeParameters } from './turns.ts';
import { Watcher } from './watcher.ts';

/** How long an effect may go on when its promotion has ended: every five seconds it is looked for, and the look may fail. */
const STOPS_WITHIN = 90 * SECOND;

/** Definitions by which something is proposed are refused where no secret is for its host; who opens it stands in for the host. */
const KNOWN_FORGE = `INSERT INTO secret (name, use, key_id, nonce, sealed, revision, created_at, updated_at)
  VALUES ('forge', '{"kind": "FORGE", "forge": "github", "url": "https://git.example.com/acme/", "apiUrl": "https://git.example.com/api"}', 'none', '', '', 1, now(), now())`;

export interface WorldOptions {
  seed: number;
  databaseUrl: string;
  reached: Reached;
  /** How much happens before the faults stop. */
  steps: number;
  /** What the world is mostly about; the seed says when left out. */
  mood?: Mood;
  /** Kinds of broken promises that are passed over, to look for what is behind them. */
  passOver?: readonly string[];
  poolSize?: number;
}

/** One installation: two processes, a database, a queue, targets, and people; whatever happens, and when, the seed says. */
export class ShellWorld {
  readonly scheduler: Scheduler;
  readonly #options: WorldOptions;
  readonly #ground: Ground;
  readonly #rooms: Rooms;
  readonly #happenings: Happenings;
  readonly #watcher: Watcher;
  readonly #afterwards: Afterwards;
  /** People act, and more happens. */
  #goesOn = true;

  constructor(options: WorldOptions) {
    this.#options = options;
    const { databaseUrl, reached, seed } = options;
    const random = new Random(seed);
    // Numbers in a row have all of them.
    const mood = options.mood ?? MOODS[seed % MOODS.length]!;
    reached.count(`mood ${mood}`);
    const drawn = drawDefinitions(random.fork(), mood);
    const scheduler = new Scheduler({
      databaseUrl,
      random: random.fork(),
      reached,
      kill: (process) => this.#rooms.processes.kill(process as Process),
      onQuiet: () => this.#onQuiet(),
    });
    this.scheduler = scheduler;
    scheduler.passOver = options.passOver ?? [];
    scheduler.trouble = random.pick([0.005, 0.02, 0.05]);
    for (const [place, ...fates] of SORE[mood] ?? []) scheduler.makeSore(place, fates);
    const outside: Mortal = { name: 'outside', dead: false, skew: 0, faults: 0 };
    const clock = scheduler.clockOf(outside);
    const pick = random.fork();
    const turns = random.fork();
    const host = new GitHost(random.fork(), reached, () => scheduler.calm);
    const releases: string[] = [];
    let names = 0;
    this.#ground = {
      scheduler,
      record: new Record(scheduler, reached, new Set(drawn.proposed?.atOnce ? [drawn.proposed.environment] : [])),
      reached,
      random,
      mood,
      drawn,
      config: loadConfig({
        DATABASE_URL: databaseUrl,
        SLUICE_DATABASE_POOL_SIZE: String(options.poolSize ?? 3),
        SLUICE_CONCURRENCY: '3',
        SLUICE_SWEEP_INTERVAL_MS: '6000',
        SLUICE_DRIFT_INTERVAL_MS: '30000',
        LOG_LEVEL: 'debug',
        PORT: '0',
      }),
      queue: new SimulatedQueue(clock, (count) => pick.whole(0, count - 1)),
      targets: new Targets(
        (key, context) => drawTurn({ mood, releases }, turns, key, context),
        (action, parameters, context) => judgeParameters(this.#ground, action, parameters, context),
        reached,
        host,
      ),
      outside,
      clock,
      releases,
      nextName: () => (names += 1),
    };
    const ground = this.#ground;
    const processes = new Processes(ground);
    const people = new People(ground, processes);
    const ask: People['ask'] = (what, run) => people.ask(what, run);
    const pushes = new Pushes({
      products: drawn.pushed,
      reported: drawn.reported,
      host,
      scheduler,
      random: random.fork(),
      reached,
      ask,
      someone: () => people.someone(),
    });
    const proposals = new Proposals({
      proposed: drawn.proposed,
      products: drawn.products.map(({ name }) => name),
      host,
      scheduler,
      random: random.fork(),
      reached,
      runs: (application, label) => ground.targets.versions.set(application, label),
      ask,
    });
    this.#rooms = { processes, people, pushes, proposals };
    const happenings = new Happenings(ground, this.#rooms);
    const watcher = new Watcher(ground, this.#rooms);
    this.#happenings = happenings;
    this.#watcher = watcher;
    this.#afterwards = new Afterwards(ground, this.#rooms, { happenings, watcher });
  }

  async run(): Promise<void> {
    const { scheduler } = this;
    const { drawn, mood, random, record } = this.#ground;
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', this.#onRejection);
    const { stackTraceLimit } = Error;
    const putBack = drawIds(random.fork());
    Error.stackTraceLimit = 60;
    try {
      await scheduler.open();
      await this.#define();
      for (const name of ['one', 'two']) this.#rooms.processes.start(name);
      await scheduler.run(() => this.#rooms.processes.living().length === 2, 10 * MINUTE);
      // The first look at a branch is where it begins: before it nothing can be lost.
      scheduler.calm = true;
      for (let tries = 0; tries < 20 && !(await this.#rooms.pushes.isAtRest()); tries += 1)
        await scheduler.run(() => false, 5 * SECOND);
      if (drawn.proposed !== null && mood === 'PROPOSALS') await this.#untilProposed();
      scheduler.calm = false;
      const end = scheduler.steps + (drawn.pushed.length > 0 || drawn.proposed !== null ? 2 : 1) * this.#options.steps;
      await scheduler.run(() => scheduler.steps >= end, 20 * MINUTE);
      await this.#afterwards.rest();
      await this.#afterwards.letPeopleAct();
      this.#goesOn = false;
      await this.#afterwards.shutDown();
      const byThemselves = await this.#rooms.pushes.judge();
      await this.#rooms.proposals.judge();
      await record.judge(this.#options.databaseUrl, byThemselves);
    } finally {
      await this.#rooms.processes.buryAll();
      await scheduler.close();
      Error.stackTraceLimit = stackTraceLimit;
      putBack();
      process.removeListener('unhandledRejection', this.#onRejection);
      for (const each of listeners) process.on('unhandledRejection', each);
    }
  }

  /** Faults begin once there is something to merge: on their way to it most releases of a world end. */
  async #untilProposed(): Promise<void> {
    this.#rooms.people.trigger();
    for (let tries = 0; tries < 20 && !this.#rooms.proposals.isOpen; tries += 1) {
      await this.#rooms.people.approveSome(1);
      await this.scheduler.run(() => this.#rooms.proposals.isOpen, 10 * SECOND);
    }
  }

  readonly #onRejection = (reason: unknown): void =>
    this.scheduler.break(`unhandled: a process would have ended of "${String(reason)}"`);

  async #define(): Promise<void> {
    const dataSource = await createDataSource(this.#options.databaseUrl, { poolSize: 1 }).initialize();
    try {
      await dataSource.query(KNOWN_FORGE);
      for (const each of this.#ground.drawn.definitions)
        await dataSource.transaction((tx) => saveInTransaction(tx, each, { mode: 'UPSERT', actor: 'world' }));
    } finally {
      await dataSource.destroy();
    }
  }

  async #onQuiet(): Promise<void> {
    const { scheduler } = this;
    const { random, record, targets } = this.#ground;
    await this.#rooms.processes.buryGone();
    await this.#watcher.read();
    await record.verify();
    await this.#rooms.pushes.verify();
    this.#rooms.proposals.verify();
    for (const each of targets.running) {
      const over = record.overFor(each.releaseId, each.environment);
      if (over > STOPS_WITHIN && !(each.process as Process).stopping)
        scheduler.break(`stop: ${each.key} goes on ${over / SECOND} s after its promotion has ended`);
    }
    for (const stack of takeHoldAndWaits())
      scheduler.break(`pool: a caller holds a connection and asks for another one ${stack}`);
    for (const each of this.#rooms.processes.living()) {
      const { app } = each;
      if (!app || !scheduler.standsStill(each, app.pool)) continue;
      scheduler.break(`pool: every connection of ${each.name} is held by who waits for another one`);
    }
    if (this.#goesOn && !scheduler.calm && random.chance(0.05)) await this.#happenings.happen();
  }
}
