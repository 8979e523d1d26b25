import { Random } from '../../../chaos/random.ts';
import type { App } from '../../../src/app.ts';
import { openApp } from '../../../src/app.ts';
import type { Clock } from '../../../src/clock.ts';
import { applyManifests } from '../../../src/commands/apply-manifests.ts';
import { approvePromotion } from '../../../src/commands/decide-promotion.ts';
import { retryRelease, skipPromotion, terminateRelease } from '../../../src/commands/control-release.ts';
import { deleteDefinition } from '../../../src/commands/delete-definition.ts';
import { holdEnvironment, releaseEnvironment } from '../../../src/commands/hold-environment.ts';
import { reportDeployment } from '../../../src/commands/report-deployment.ts';
import { reportHealth } from '../../../src/commands/report-health.ts';
import { reportRollout } from '../../../src/commands/report-rollout.ts';
import type { Result } from '../../../src/commands/result.ts';
import { planRollback } from '../../../src/commands/rollback-order.ts';
import { saveDefinition, saveInTransaction } from '../../../src/commands/save-definition.ts';
import { triggerRelease } from '../../../src/commands/trigger-release.ts';
import { loadConfig } from '../../../src/config.ts';
import type { Config } from '../../../src/config.ts';
import type {
  AnyDefinition,
  Definition,
  PromotionFlowSpec,
  PromotionPolicySpec,
  WorkflowAction,
} from '../../../src/core/definitions.ts';
import type { ReleaseEvent } from '../../../src/core/events.ts';
import type { Queue } from '../../../src/jobs/queue.ts';
import type { OutboxItem } from '../../../src/store/outbox.ts';
import { waitingFor } from '../../../src/core/waiting.ts';
import type { WaitingReason } from '../../../src/core/waiting.ts';
import { takeHoldAndWaits } from '../../../src/connections.ts';
import { createDataSource } from '../../../src/entities/data-source.ts';
import { LIMITS } from '../../../src/limits.ts';
import type { Limits } from '../../../src/limits.ts';
import type { EffectContext } from '../../../src/drivers/driver.ts';
import { createLog } from '../../../src/log.ts';
import { TASKS } from '../../../src/foreign/tasks.ts';
import { exportManifests } from '../../../src/manifests/index.ts';
import { ROOM } from '../../../src/store/event-rows.ts';
import { readFacts, readSummaries } from '../../../src/store/release-reads.ts';
import { startWorker } from '../../../src/worker.ts';
import type { ReleaseNow } from '../../../src/commands/release-engine.ts';
import { frozen } from '../../core/support/frozen.ts';
import type { Reached } from '../../core/support/reached.ts';
import { MINUTE, SECOND } from '../../core/support/builders.ts';
import { drawDefinitions, ENVIRONMENTS, MOODS, POLICIES, windowOver } from './definitions.ts';
import type { Drawn, Mood } from './definitions.ts';
import { Record } from './record.ts';
import { GitHost } from './git-host.ts';
import { drawIds } from './ids.ts';
import { Pushes } from './pushes.ts';
import { SimulatedQueue } from './queue.ts';
import { PatientRounds } from './rounds.ts';
import { Scheduler } from './scheduler.ts';
import type { Fate, Mortal } from './scheduler.ts';
import { Targets } from './outside.ts';

/** Releases of a world, without its rollbacks. */
const MOST_RELEASES = 12;
const MOST_PUSHES = 16;
/** Each one that waits for its answer asks again now and then: without an end to their number no time would pass between their questions. */
const MOST_ASKING = 60;
/** How long an effect may go on when its promotion has ended: every five seconds it is looked for, and the look may fail. */
const STOPS_WITHIN = 90 * SECOND;
/** Where the moods press: between a look and its record, at the release that is in the way, at the word that something has to stop. */
const SORE: { [mood in Mood]?: [place: string, ...fates: Fate[]][] } = {
  REPORTS: [
    ['store/health-reports newestHealthReport', 'answer late'],
    ['store/health-reports saveHealthReport', 'answer lost', 'answer late'],
  ],
  CROWD: [
    ['store/load-releases loadFrozen', 'fails', 'cut before'],
    ['store/unfinished queuedReleases', 'answer late'],
  ],
  // Between the look at those who wait and the word that ends the first of them, its turn comes.
  ROOM: [['store/unfinished queuedReleases', 'answer late']],
  STOPS: [['notice sluice_abort', 'lost']],
};
/** Of 45 seconds each, with new events and without a target at work, until nothing happens any more. */
const MOST_ROUNDS = 60;
/** In which people do all that is waited for, and nothing comes of it. */
const IN_VAIN = 12;

/** So small that a handful of releases lies beyond every horizon, and everything pushes everything else out. */
const SMALL: Limits = {
  ...LIMITS,
  releasesRemembered: 1,
  statesRemembered: 2,
  releasesPerTransaction: 4,
  openReleases: 2,
  releasesPerRound: 2,
  outboxRows: 3,
  releasesTold: 2,
  releasesTicked: 2,
  rollbacksSettled: 2,
  lifted: 2,
  wakeUps: 2,
  rowsPerSave: 2,
  observations: 2,
  observeEvery: 15 * SECOND,
  stopsEvery: 5 * SECOND,
  candidates: 2,
  candidatesEvery: 2 * SECOND,
  statuses: 4,
  statusesEvery: 2 * SECOND,
};
/** Where nobody pushes, looks at what is pushed only take time. */
const SELDOM = 20 * SECOND;

interface Process extends Mortal {
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

interface SeenEvent {
  id: number;
  releaseId: string;
  product: string;
  at: Date;
  event: ReleaseEvent;
}

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

/** One installation: two processes, a database, a queue, targets, and people; whatever happens, and when, the seed says. */
export class ShellWorld {
  readonly scheduler: Scheduler;
  readonly record: Record;
  readonly #options: WorldOptions;
  readonly #random: Random;
  readonly #mood: Mood;
  readonly #drawn: Drawn;
  readonly #config: Config;
  readonly #reached: Reached;
  readonly #queue: SimulatedQueue;
  readonly #targets: Targets;
  readonly #pushes: Pushes;
  readonly #outside: Mortal = { name: 'outside', dead: false, skew: 0, faults: 0 };
  readonly #clock: Clock;
  readonly #processes: Process[] = [];
  readonly #known = new Set<number>();
  /** Releases by their ids, in the order in which they were seen. */
  readonly #releases: string[] = [];
  /** Those that have not ended, as the log says. */
  readonly #open = new Set<string>();
  readonly #asked = new Set<string>();
  readonly #rejections: unknown[] = [];
  /** They have stopped: buried when nothing moves. */
  readonly #gone: { process: Process; resolve: () => void }[] = [];
  #newest = 0;
  /** Events, without those that only say how something is. */
  #cameToPass = 0;
  #writes = 0;
  #names = 0;
  #triggered = 0;
  #pushed = 0;
  #people = true;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#reached = options.reached;
    this.#random = new Random(options.seed);
    // Numbers in a row have all of them.
    this.#mood = options.mood ?? (MOODS[options.seed % MOODS.length] as Mood);
    this.#reached.count(`mood ${this.#mood}`);
    this.#drawn = drawDefinitions(this.#random.fork(), this.#mood);
    this.scheduler = new Scheduler({
      databaseUrl: options.databaseUrl,
      random: this.#random.fork(),
      reached: this.#reached,
      kill: (process) => this.#kill(process as Process),
      onQuiet: () => this.#onQuiet(),
    });
    this.scheduler.passOver = options.passOver ?? [];
    this.scheduler.trouble = this.#random.pick([0.005, 0.02, 0.05]);
    for (const [place, ...fates] of SORE[this.#mood] ?? []) this.scheduler.makeSore(place, fates);
    this.#clock = this.scheduler.clockOf(this.#outside);
    const pick = this.#random.fork();
    this.#queue = new SimulatedQueue(this.#clock, (count) => pick.whole(0, count - 1));
    const turns = this.#random.fork();
    const host = new GitHost(this.#random.fork(), this.#reached, () => this.scheduler.calm);
    this.#targets = new Targets(
      (key, { releaseId, environment }) => {
        const lately = this.#mood === 'ROLLBACKS' && environment !== 'dev' && this.#releases.indexOf(releaseId) > 0;
        const oddHook = this.#mood === 'HOOKS' && /ON_|\.build\./.test(key);
        // Most releases of such a world have failed before it.
        const atTheEnd = this.#mood === 'HOOKS' && /\.ON_SUCCESS\//.test(key);
        const effects = this.#mood === 'STOPS' ? [200, 2_000, 25_000, 10 * MINUTE] : [0, 0, 200, 2_000, 25_000];
        const outside = this.#mood === 'WORKFLOWS' && key.includes('/tests/');
        return {
          takes: turns.pick(outside ? [2_000, 25_000, MINUTE, 2 * MINUTE] : effects),
          ends: turns.chance(atTheEnd ? 0.4 : outside ? 0.6 : lately || oddHook ? 0.75 : 0.9)
            ? 'well'
            : turns.pick(['TRANSIENT', oddHook ? 'FAILED' : 'TRANSIENT', 'FAILED']),
        };
      },
      (action, parameters, context) => this.#judgeParameters(action, parameters, context),
      this.#reached,
      host,
    );
    this.#pushes = new Pushes({
      products: this.#drawn.pushed,
      reported: this.#drawn.reported,
      host,
      scheduler: this.scheduler,
      random: this.#random.fork(),
      reached: this.#reached,
      ask: (what, run) => this.#ask(what, run),
      someone: () => this.#someone(),
    });
    this.record = new Record(this.scheduler, this.#reached);
    this.#config = loadConfig({
      DATABASE_URL: options.databaseUrl,
      SLUICE_DATABASE_POOL_SIZE: String(options.poolSize ?? 3),
      SLUICE_CONCURRENCY: '3',
      SLUICE_SWEEP_INTERVAL_MS: '6000',
      SLUICE_DRIFT_INTERVAL_MS: '30000',
      LOG_LEVEL: 'debug',
      PORT: '0',
    });
  }

  async run(): Promise<void> {
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', this.#onRejection);
    const { stackTraceLimit } = Error;
    const putBack = drawIds(this.#random.fork());
    Error.stackTraceLimit = 60;
    try {
      await this.scheduler.open();
      await this.#define();
      for (const name of ['one', 'two']) this.#start(name);
      await this.scheduler.run(() => this.#living().length === 2, 10 * MINUTE);
      // The first look at a branch is where it begins: before it nothing can be lost.
      this.scheduler.calm = true;
      for (let tries = 0; tries < 20 && !(await this.#pushes.isAtRest()); tries += 1)
        await this.scheduler.run(() => false, 5 * SECOND);
      this.scheduler.calm = false;
      const end = this.scheduler.steps + (this.#drawn.pushed.length > 0 ? 2 : 1) * this.#options.steps;
      await this.scheduler.run(() => this.scheduler.steps >= end, 20 * MINUTE);
      await this.#rest();
      await this.#letPeopleAct();
      await this.#shutDown();
      const byThemselves = await this.#pushes.judge();
      await this.record.judge(this.#options.databaseUrl, byThemselves);
    } finally {
      for (const each of this.#processes) await this.#bury(each);
      await this.scheduler.close();
      Error.stackTraceLimit = stackTraceLimit;
      putBack();
      process.removeListener('unhandledRejection', this.#onRejection);
      for (const each of listeners) process.on('unhandledRejection', each);
    }
  }

  /** What an action is given comes from its own release: what a hook handed on, and what a step without an environment left. */
  #judgeParameters(
    action: WorkflowAction,
    parameters: { [name: string]: string },
    { key, releaseId }: EffectContext,
  ): void {
    const flow = this.#drawn.definitions.find((each) => each.kind === 'PromotionFlow')?.spec as PromotionFlowSpec;
    const [, , name = '', step = ''] = key.split('.');
    const given = (what: string, value: string, promised: boolean): void => {
      if (!promised && parameters[what] === undefined) return;
      this.#reached.count(`promise: ${what} is given to what comes after`);
      if (parameters[what] !== value)
        this.scheduler.break(`parameters: ${key} of ${action.name} has the ${what} ${parameters[what]}`);
    };
    const isHook = /(^|\/)ON_/.test(step);
    // Whatever runs after the first hook of a release runs because that has succeeded, but for what is done about its failure.
    const opened = flow.hooks?.onStart !== undefined && name !== 'ON_START' && name !== 'ON_FAIL';
    if (isHook) given('TICKET', `ticket-of-${releaseId}`, opened);
    const built = flow.steps.some((each) => each.name === 'build');
    const after = built && !['dev', 'build', 'build/ON_FAIL', 'ON_START', 'ON_FAIL'].includes(name);
    // What comes after an environment that was left out does not wait for what comes before that.
    given('IMAGE', `image-of-${releaseId}`, after && !this.record.leftOut(releaseId));
  }

  readonly #onRejection = (reason: unknown): void => {
    this.#rejections.push(reason);
    this.scheduler.break(`unhandled: a process would have ended of "${String(reason)}"`);
  };

  async #define(): Promise<void> {
    const dataSource = await createDataSource(this.#options.databaseUrl, { poolSize: 1 }).initialize();
    try {
      for (const each of this.#drawn.definitions)
        await dataSource.transaction((tx) => saveInTransaction(tx, each, { mode: 'UPSERT', actor: 'world' }));
    } finally {
      await dataSource.destroy();
    }
  }

  // ------------------------------------------------------------------------------------------------ processes

  #living(): Process[] {
    return this.#processes.filter((each) => !each.dead && !each.stopping && each.app !== null && each.worker !== null);
  }

  #start(name: string): void {
    const process: Process = {
      name: `${name}.${(this.#names += 1)}`,
      dead: false,
      skew: this.#random.chance(0.1) ? this.#drawSkew() : 0,
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
    this.#reached.count('process started');
    void this.#bringUp(process);
  }

  /** Rounds that look at what is outside come seldom where there is nothing to find: they only take time. */
  #pacedClock(process: Process): Clock {
    const clock = this.scheduler.clockOf(process);
    const rounds = new Map([
      ['pull-requests', SELDOM],
      ['repositories', this.#drawn.pushed.length > 0 ? 3 * SECOND : SELDOM],
    ]);
    const every = (name: string, ms: number): number => (ms === SECOND ? (rounds.get(name) ?? ms) : ms);
    return { ...clock, after: (name, ms, work) => clock.after(name, every(name, ms), work) };
  }

  get #limits(): Limits {
    return this.#drawn.pushed.length > 0 ? SMALL : { ...SMALL, candidatesEvery: SELDOM, statusesEvery: SELDOM };
  }

  async #bringUp(process: Process): Promise<void> {
    const seams = this.scheduler.seamsOf(process);
    const write = (line: string): void => {
      const { msg, error, level } = JSON.parse(line) as {
        msg: string;
        level: number;
        error?: { message?: string } | string;
      };
      const why = typeof error === 'string' ? error : (error?.message ?? '');
      if (msg.startsWith('what was running did not end in time')) this.#judgeStop(process);
      if (level >= 40) this.scheduler.tell(`${process.name} says: ${msg} ${why}`.slice(0, 300));
    };
    const log = createLog({ level: 'debug', destination: { write } });
    while (!process.dead) {
      try {
        const app = await openApp(this.#config, log, {
          clock: process.clock,
          limits: this.#limits,
          seams,
          prepare: async () => undefined,
          openQueue: async ({ concurrency }) => {
            const face = this.#queue.face(concurrency, process.clock);
            process.vanish = () => face.vanish();
            return { ...face, handOver: (items) => this.#handOver(face, items) };
          },
          createDrivers: () => this.#targets.driversOf(process, process.clock),
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
        this.scheduler.tell(`${process.name} cannot start: ${String(error)}`);
        await process.clock.sleep('start', 500);
      }
    }
  }

  async #handOver(queue: Queue, items: OutboxItem[]): Promise<void> {
    await queue.handOver(items);
    for (const { releaseId, work } of items)
      if (work.kind === 'dispatch') for (const each of work.promotions) this.record.hasItsOwnJob(releaseId, each);
  }

  async #bury(process: Process): Promise<void> {
    if (process.dead) return;
    await this.scheduler.bury(process);
    process.vanish();
    this.#targets.bury(process);
    for (const tell of process.onDeath.splice(0)) tell();
  }

  async #kill(process: Process): Promise<void> {
    if (process.dead || process === this.#outside) return;
    this.#reached.count('fault kill');
    this.scheduler.tell(`${process.name} IS KILLED`);
    await this.#bury(process);
    this.#clock.after('restart', this.#random.whole(100, 6_000), () => this.#start(process.name.replace(/\..*/, '')));
  }

  /** Only what hangs at the outside keeps it: without a fault since it was asked, all that it began ends by itself. */
  #judgeStop(process: Process): void {
    const { stopped } = process;
    this.#reached.count('stops that took too long');
    if (stopped?.faults === process.faults && stopped.slowed === this.scheduler.slowed && !stopped.heldUp)
      this.scheduler.break(`shutdown: nothing is wrong, and ${process.name} does not end in time`);
  }

  /** SIGTERM: it hands back what it has, and is gone within a minute or two. */
  #stop(process: Process): Promise<void> {
    const { app, worker } = process;
    process.stopping = true;
    const heldUp = this.scheduler.isHeldUp(process);
    process.stopped = { faults: process.faults, slowed: this.scheduler.slowed, heldUp };
    this.scheduler.tell(`${process.name} is asked to stop`);
    this.#reached.count('stimulus stop');
    const late = this.#clock.after('patience', 5 * MINUTE, () => {
      if (!process.dead) this.scheduler.break(`shutdown: ${process.name} does not stop`);
    });
    const stop = async (): Promise<void> => {
      await worker?.close();
      await app?.close();
      late.cancel();
      this.#reached.count('promise: who is asked to stop stops');
      this.scheduler.tell(`${process.name} has stopped`);
      await new Promise<void>((resolve) => this.#gone.push({ process, resolve }));
    };
    return stop();
  }

  // ------------------------------------------------------------------------------------------------ people

  /** A client asks until it is answered, whichever process is there. */
  async #ask<T>(what: string, run: (app: App) => Promise<Result<T>>): Promise<Result<T> | null> {
    const asked = `${what} ${(this.#names += 1)}`;
    this.#asked.add(asked);
    this.#reached.count(`stimulus ${what}`);
    try {
      for (;;) {
        const living = this.#living();
        const process = living.length > 0 ? this.#random.pick(living) : null;
        if (process?.app) {
          const gone = new Promise<null>((resolve) => process.onDeath.push(() => resolve(null)));
          try {
            this.scheduler.tell(`${asked} asks ${process.name}`);
            const answer = await Promise.race([run(process.app), gone]);
            if (answer) {
              const said = answer.refusals?.map((each) => each.message).join('; ') ?? 'done';
              this.scheduler.tell(`${asked} is answered: ${said}`.slice(0, 300));
              this.#reached.count(`answer ${what} ${answer.refusals ? 'refused' : 'done'}`);
              return answer;
            }
          } catch (error) {
            this.scheduler.tell(`${asked} fails: ${String(error)}`.slice(0, 300));
            if (String(error).includes('was there a moment ago')) this.scheduler.break(`answer: ${String(error)}`);
            this.#reached.count(`answer ${what} fault`);
          }
        }
        await this.#clock.sleep('client', this.#random.whole(200, 1_500));
      }
    } finally {
      this.#asked.delete(asked);
    }
  }

  #someone(): string {
    return `person-${(this.#names += 1)}`;
  }

  #trigger(): void {
    this.#triggered += 1;
    const { name: product } = this.#random.pick(this.#drawn.products);
    const key = `${product}-${(this.#names += 1)}`;
    const actor = this.#someone();
    const twins = this.#random.chance(0.2) ? 2 : 1;
    const version = this.#drawn.pushed.includes(product) ? undefined : key;
    const input = { product, version, idempotencyKey: key };
    for (let twin = 0; twin < twins; twin += 1)
      void this.#ask('trigger', (app) => triggerRelease(app, input, actor)).then((answer) => {
        if (answer) this.record.triggered(key, product, answer);
      });
  }

  /** Somebody pushes, and soon the trigger environment runs it, and is well. */
  async #push(product: string): Promise<void> {
    if (!(await this.#pushes.push(product, this.#releases))) return;
    this.#pushed += 1;
    const pause = this.#random.pick([0, 3_000, 20_000]);
    if (this.#random.chance(0.85))
      this.#clock.after('sender', pause, () =>
        this.#report(`${product}-dev`, this.#random.chance(0.9) ? 'HEALTHY' : 'DEGRADED'),
      );
  }

  #report(application: string, status: 'HEALTHY' | 'DEGRADED' | 'PROGRESSING'): void {
    const by = this.#someone();
    const at = new Date(this.scheduler.now);
    void this.#ask(`report ${status}`, (app) => reportHealth(app, { application, status, at }, by));
  }

  /** A target says which version it runs now; one whose clock nobody trusts leaves out when. */
  #reportDeployment(application: string): void {
    const version = this.#targets.versions.get(application);
    if (version === undefined) return;
    const by = this.#someone();
    const at = this.#random.chance(0.5) ? new Date(this.scheduler.now) : undefined;
    void this.#ask('report a deployment', (app) => reportDeployment(app, { application, version, at }, by));
  }

  #terminate(releaseId: string): void {
    const by = this.#someone();
    void this.#ask('terminate', (app) => terminateRelease(app, { releaseId, reason: `${by} says so` }, by)).then(
      (answer) => {
        if (answer?.value) this.record.terminated(releaseId, by);
      },
    );
  }

  #retry(releaseId: string): void {
    const by = this.#someone();
    void this.#ask('retry', (app) => retryRelease(app, { releaseId }, by));
  }

  /** One that is tried again by itself, or left out. */
  #onlyOne(releaseId: string, what: 'retry' | 'skip'): void {
    const by = this.#someone();
    const environment = this.#random.pick([...ENVIRONMENTS.slice(1), 'build']);
    void this.#ask(`${what} of one`, async (app) =>
      what === 'retry'
        ? retryRelease(app, { releaseId, environment }, by)
        : skipPromotion(app, { releaseId, environment, reason: `${by} says so` }, by),
    ).then((answer) => {
      if (answer?.value && what === 'skip') this.record.skipped(releaseId, environment, by);
    });
  }

  /** `step`: one that asks by itself. */
  #approve(releaseId: string, environment: string, step?: string): void {
    const name = this.#someone();
    const caller = { name, kind: 'PERSON' as const, groups: [], roles: [] };
    const idempotencyKey = this.#random.chance(0.5) ? name : undefined;
    const input = { releaseId, environment, step, idempotencyKey };
    void this.#ask(step === undefined ? 'approve' : 'approve a step', (app) =>
      approvePromotion(app, input, caller),
    ).then((answer) => {
      if (answer?.value) this.record.approved(releaseId, environment, name, step);
    });
  }

  #hold(environment: string): void {
    const by = this.#someone();
    const input = { environment, reason: `${by} says so`, idempotencyKey: by };
    void this.#ask('hold', (app) => holdEnvironment(app, input, by)).then((answer) => {
      if (answer?.value) this.record.holds(answer.value.id, environment);
    });
  }

  #lift(environment: string): Promise<unknown> {
    this.record.liftedAbout(environment);
    return this.#ask('lift', (app) => releaseEnvironment(app, { environment }, this.#someone()));
  }

  #close(environment: string): void {
    const window = windowOver(environment, this.scheduler.now - SECOND, this.scheduler.now + 3_650 * 24 * 60 * MINUTE);
    const number = this.record.closing(environment);
    void this.#ask('close a window', (app) => saveDefinition(app, window, { mode: 'UPSERT', actor: 'editor' })).then(
      (answer) => {
        if (answer?.value) this.record.closed(environment, number);
      },
    );
  }

  #openAgain(environment: string): Promise<unknown> {
    this.record.opening(environment);
    const name = `closed-${environment}`;
    return this.#ask('delete a window', (app) => deleteDefinition(app, 'ReleaseWindow', name, { actor: 'editor' }));
  }

  /** An edit that concerns later releases alone: whoever runs has frozen its plan. */
  #edit(): void {
    const found = this.#drawn.definitions.find((each) => each.kind === 'PromotionFlow') as AnyDefinition;
    const description = `edit ${(this.#names += 1)}`;
    const edited = { ...found, spec: { ...found.spec, description } } as AnyDefinition;
    void this.#ask('edit', (app) => saveDefinition(app, edited, { mode: 'UPSERT', actor: 'editor' }));
  }

  /** A policy says something else, or another number, from now on. */
  #editPolicy(): void {
    const { metadata, spec } = this.#random.pick(POLICIES) as Definition<'PromotionPolicy'>;
    const edited: PromotionPolicySpec = {
      ...spec,
      priority: this.#random.whole(1, 100),
      policy: this.#random.chance(0.5) ? spec.policy : { preAction: 'checks', postAction: 'checks' },
    };
    const policy: AnyDefinition = { kind: 'PromotionPolicy', metadata, spec: edited };
    void this.#ask('edit a policy', (app) => saveDefinition(app, policy, { mode: 'UPSERT', actor: 'editor' }));
  }

  #tryOut(): void {
    const text = exportManifests(this.#drawn.definitions);
    void this.#ask('dry run', async (app) => {
      // Read here: another process would take time that is not the world's.
      const read = TASKS.parseManifests({ text });
      const { errors } = await applyManifests(app, { text, dryRun: true }, 'editor', read);
      if (errors.length > 0) this.scheduler.break(`world: ${errors[0]?.message}`);
      return { value: null };
    });
  }

  /** Portals come several at a time. */
  #look(): void {
    const product = this.#random.pick(this.#drawn.products).name;
    const input = { product, environments: [this.#random.pick(ENVIRONMENTS.slice(1))], reason: 'to see' };
    const plans = this.#random.chance(0.5);
    for (let reader = 0; reader < 4; reader += 1) {
      if (plans) void this.#ask('plan a rollback', (app) => planRollback(app, input, 'viewer'));
      else void this.#ask('ask what is waited for', async (app) => ({ value: await this.#waiting(app) }));
    }
  }

  /** As the API answers `waitingFor`. */
  async #waiting(app: App): Promise<Map<string, WaitingReason[]>> {
    const summaries = [...(await readSummaries(app.pool, this.#releases)).values()].filter(
      (each) => each.endedAt === null,
    );
    const facts = await readFacts(app.pool, summaries, app.definitions);
    const all = new Map<string, WaitingReason[]>();
    for (const { id } of summaries) {
      const to = await app.releaseEngine.look(id, { fresh: true });
      const known = facts.get(id);
      if (to && known) all.set(id, waitingFor(to.release.plan, to.state, known, app.clock.now().getTime()));
    }
    this.#reached.count('promise: waitingFor can be read', all.size);
    return all;
  }

  /** Something happens, wherever everything stands right now; while no process answers, people wait instead of asking more. */
  async #happen(): Promise<void> {
    if (this.#asked.size >= MOST_ASKING) return;
    const random = this.#random;
    const release = this.#releases.length > 0 ? random.pick(this.#releases.slice(-6)) : null;
    const environment = random.pick(ENVIRONMENTS);
    const living = this.#living();
    const process = living.length > 0 ? random.pick(living) : null;
    const product = random.pick(this.#drawn.products).name;
    const [job] = this.#queue.ids.length > 0 ? [random.pick(this.#queue.ids)] : [];
    const cut = (listener: boolean) => process && this.scheduler.cutSomeOf(process, listener);
    const told = random.pick(['DEGRADED', 'PROGRESSING', 'HEALTHY'] as const);
    /** What happens; how often, of a hundred times; in which moods four times as often. */
    const all: [work: () => unknown, weight: number, ...moods: Mood[]][] = [
      [() => this.#triggered < MOST_RELEASES && this.#trigger(), 20, 'CROWD', 'ROOM'],
      [() => this.#approveSome(0.3), 17],
      [() => release && this.#terminate(this.#followed() ?? release), 3, 'STOPS', 'ROOM', 'HOOKS', 'WORKFLOWS'],
      [() => release && this.#retry(release), 7],
      [() => release && this.#onlyOne(release, 'retry'), 4, 'HOOKS'],
      [() => release && this.#onlyOne(release, 'skip'), 3, 'HOOKS', 'WORKFLOWS'],
      [() => this.#hold(environment), 3, 'GATES'],
      [() => void this.#lift(environment), 4, 'GATES'],
      [() => this.#close(environment), 3, 'GATES'],
      [() => void this.#openAgain(environment), 3, 'GATES'],
      [() => this.#edit(), 3],
      [() => this.#editPolicy(), 2, 'HOOKS'],
      [() => this.#tryOut(), 3],
      [() => this.#look(), 5],
      [() => this.#report(`${product}-${environment}`, told), 2, 'REPORTS'],
      [() => this.#rollout(environment), 3, 'ROLLBACKS'],
      [() => process && this.#kill(process), 3, 'WORKFLOWS'],
      [() => process && living.length > 1 && this.#restart(this.#busy(living) ?? process), 4, 'GATES', 'STOPS'],
      [() => this.#fault('listener cut', () => cut(true)), 3, 'STOPS'],
      [() => this.#fault('connection cut', () => cut(false)), 3],
      [() => this.#fault('queue flushed', () => this.#queue.flush()), 1, 'CROWD'],
      [() => job !== undefined && this.#fault('job lost', () => this.#queue.lose(job)), 3],
      [() => job !== undefined && this.#fault('job given twice', () => this.#queue.stall(job)), 3],
      [() => process && this.#setClock(process), 2],
    ];
    if (this.#drawn.pushed.length > 0) {
      const pushed = random.pick(this.#drawn.pushed);
      all.push(
        [() => this.#pushed < MOST_PUSHES && this.#push(pushed), 15, 'PUSHES'],
        [() => this.#pushes.pause(pushed), 2, 'PUSHES'],
        [() => void this.#pushes.resume(random.chance(0.7) ? pushed : null), 3, 'PUSHES'],
        [() => this.#pushes.decide(), 2, 'PUSHES'],
      );
    }
    const weights = all.map(([, weight, ...moods]) => (moods.includes(this.#mood) ? 4 * weight : weight));
    let draw = random.whole(
      0,
      weights.reduce((sum, each) => sum + each, 0),
    );
    const chosen = weights.findIndex((weight) => (draw -= weight) <= 0);
    await all[chosen]?.[0]();
  }

  /** A release of which an action follows a workflow that goes on; where worlds are about them. */
  #followed(): string | undefined {
    if (this.#mood !== 'WORKFLOWS' || this.#random.chance(0.3)) return undefined;
    return [...this.#targets.workflows.values()].find(({ goesOn }) => goesOn)?.releaseId;
  }

  /** One that is in the middle of an effect. */
  #busy(living: readonly Process[]): Process | undefined {
    const running = new Set([...this.#targets.running].map(({ process }) => process));
    return this.#random.chance(0.7) ? living.find((each) => running.has(each)) : undefined;
  }

  /** Somebody sets its machine's clock, or it is set right: by hours, by minutes. */
  #setClock(process: Process): void {
    process.skew = process.skew === 0 ? this.#drawSkew() : 0;
    this.#reached.count(process.skew === 0 ? 'stimulus a clock is set right' : 'stimulus a clock is set wrong');
    this.scheduler.tell(`the clock of ${process.name} is off by ${process.skew / MINUTE} min`);
  }

  #drawSkew(): number {
    return this.#random.pick([-26 * 60, -120, -10, 10, 120, 26 * 60]) * MINUTE;
  }

  async #fault(name: string, work: () => unknown): Promise<void> {
    this.#reached.count(`fault ${name}`);
    this.scheduler.tell(`FAULT ${name}`);
    await work();
  }

  #rollout(environment: string): void {
    const product = this.#random.pick(this.#drawn.products).name;
    const by = this.#someone();
    const input = { product, environment, status: 'FAILED' as const, message: `${by} saw it`, idempotencyKey: by };
    void this.#ask('report a rollout', (app) => reportRollout(app, input, by));
  }

  async #restart(process: Process): Promise<void> {
    // Its listener has just lost its connection, and comes back.
    if (this.#random.chance(0.6)) await this.scheduler.cutSomeOf(process, true);
    const name = process.name.replace(/\..*/, '');
    const pause = this.#random.pick([0, 60, 400]);
    this.#clock.after('restart', pause, () => {
      if (process.dead || process.stopping) return;
      void this.#stop(process).then(() => this.#start(name));
    });
  }

  async #approveSome(part: number): Promise<void> {
    const open = await this.scheduler.ask<{ id: string; environment: string }>(
      `SELECT p.release_id AS id, l.plan->'promotions'->p.position->>'name' AS environment
       FROM promotion p JOIN release_plan l ON l.release_id = p.release_id JOIN release r ON r.id = p.release_id
       WHERE r.ended_at IS NULL AND p.ended_at IS NULL AND p.approval IS NOT NULL AND p.started_at IS NULL
       ORDER BY r.number, p.position`,
    );
    for (const { id, environment } of open) if (this.#random.chance(part)) this.#approve(id, environment);
    const asking = await this.scheduler.ask<{ id: string; environment: string; step: string }>(
      `SELECT p.release_id AS id, l.plan->'promotions'->p.position->>'name' AS environment,
         l.plan->'promotions'->p.position->'steps'->(s.place - 1)::integer->>'id' AS step
       FROM promotion p JOIN release_plan l ON l.release_id = p.release_id JOIN release r ON r.id = p.release_id,
         jsonb_array_elements(p.steps) WITH ORDINALITY AS s(state, place)
       WHERE r.ended_at IS NULL AND p.ended_at IS NULL AND s.state->>'status' = 'WAITING' AND jsonb_typeof(s.state->'asked') = 'object'
       ORDER BY r.number, p.position, s.place`,
    );
    for (const { id, environment, step } of asking) if (this.#random.chance(part)) this.#approve(id, environment, step);
  }

  // ------------------------------------------------------------------------------------------------ what follows

  async #onQuiet(): Promise<void> {
    for (const { process, resolve } of this.#gone.splice(0)) {
      await this.#bury(process);
      resolve();
    }
    if (this.scheduler.writes !== this.#writes) await this.#readEvents();
    await this.record.verify();
    await this.#pushes.verify();
    for (const each of this.#targets.running) {
      const over = this.record.overFor(each.releaseId, each.environment);
      if (over > STOPS_WITHIN && !(each.process as Process).stopping)
        this.scheduler.break(`stop: ${each.key} goes on ${over / SECOND} s after its promotion has ended`);
    }
    for (const stack of takeHoldAndWaits())
      this.scheduler.break(`pool: a caller holds a connection and asks for another one ${stack}`);
    for (const each of this.#living()) {
      const { app } = each;
      if (!app || !this.scheduler.standsStill(each, app.pool)) continue;
      this.scheduler.break(`pool: every connection of ${each.name} is held by who waits for another one`);
    }
    if (this.#people && !this.scheduler.calm && this.#random.chance(0.05)) await this.#happen();
  }

  async #readEvents(): Promise<void> {
    this.#writes = this.scheduler.writes;
    const rows = await this.scheduler.ask<Omit<SeenEvent, 'event'> & { event: ReleaseEvent | ReleaseEvent[] }>(
      `SELECT id::float8, release_id AS "releaseId", product, at, event FROM release_event WHERE id > $1 ORDER BY id`,
      [this.#newest - 100 * ROOM],
    );
    for (const row of rows) {
      if (this.#known.has(row.id)) continue;
      this.#known.add(row.id);
      this.#newest = Math.max(this.#newest, row.id);
      for (const event of [row.event].flat()) this.#see({ ...row, event });
    }
  }

  #see({ releaseId, product, at, event }: SeenEvent): void {
    this.#reached.count('promise: one time of day counts, whatever a machine thinks');
    if (at.getTime() > this.scheduler.now + SECOND)
      this.scheduler.break(
        `clock: ${event.type} of ${releaseId} is said to be at ${at.toISOString()}, which is to come`,
      );
    if (!this.#releases.includes(releaseId)) this.#releases.push(releaseId);
    if (event.type === 'ReleaseQueued') this.#pushes.seeRelease(releaseId, product);
    if (/^Release(Queued|Retried)$|^RollbackStarted$/.test(event.type)) this.#open.add(releaseId);
    if (/^Release(Succeeded|Failed|Terminated)$/.test(event.type)) this.#open.delete(releaseId);
    // People report health in each round, whatever comes of it.
    if (event.type !== 'HealthChanged') this.#cameToPass += 1;
    this.#reached.count(`event ${event.type}`);
    this.scheduler.tell(`  ${releaseId.slice(0, 4)} ${event.type} ${'environment' in event ? event.environment : ''}`);
    this.record.see(releaseId, product, event);
    if (event.type === 'StepSucceeded' && event.step.endsWith('/tests')) this.#judgeFollowed(releaseId, event);
    // While its workflow is being submitted.
    if (event.type === 'StepStarted' && event.step.endsWith('/tests') && this.#random.chance(0.15))
      this.#terminate(releaseId);
    // It was healthy, and is no more.
    if (event.type === 'PromotionSucceeded' && this.#mood === 'ROLLBACKS' && this.#random.chance(0.3)) {
      const application = `${product}-${event.environment}`;
      this.#clock.after('sender', 20_000, () => this.#report(application, 'DEGRADED'));
      this.#clock.after('sender', 80_000, () => this.#report(application, 'HEALTHY'));
    }
    // In the trigger environment nothing is changed: whoever sees that it starts tells how it is.
    const arrives = event.type === 'PromotionStarted' && event.environment === 'dev' ? `${product}-dev` : undefined;
    const changed = event.type === 'StepSucceeded' && event.phase === 'ACTION' ? event.application : arrives;
    if (changed === undefined) return;
    // Senders like Argo CD tell a change once, and never again.
    const application = changed;
    const lately = this.#mood === 'ROLLBACKS' && this.#releases.indexOf(releaseId) > 0;
    const fails = this.#random.chance(lately ? 0.3 : 0.06);
    const pause = this.#random.pick([0, 0, 300, 3_000]);
    if (!this.#random.chance(0.05)) this.#clock.after('sender', pause, () => this.#reportDeployment(application));
    this.#clock.after('sender', pause, () => {
      this.#report(application, fails ? 'DEGRADED' : 'HEALTHY');
      if (fails) this.#clock.after('sender', 20_000, () => this.#report(application, 'HEALTHY'));
    });
  }

  /** An action has followed its workflow to a good end, in this attempt. */
  #judgeFollowed(
    releaseId: string,
    { environment, step, attempt }: Extract<ReleaseEvent, { type: 'StepSucceeded' }>,
  ): void {
    this.#reached.count('promise: an action that follows a workflow succeeds when that has');
    const names = [...this.#targets.workflows].filter(([, { goesOn, ends }]) => !goesOn && ends === 'well');
    if (!names.some(([name]) => name.startsWith(`${releaseId}.${attempt}.${environment}.${step}/`)))
      this.scheduler.break(`workflow: ${step} of ${environment} of ${releaseId} has succeeded, and no workflow of it`);
  }

  // ------------------------------------------------------------------------------------------------ afterwards

  /** The faults stop and nobody acts: everything ends, or waits for a person or a time that can be named. */
  async #rest(): Promise<void> {
    // The last fault is one that only the sweep can make up for.
    if (this.#random.chance(0.4)) await this.#fault('queue flushed', () => this.#queue.flush());
    for (const each of this.#living()) if (this.#random.chance(0.2)) await this.#kill(each);
    this.scheduler.calm = true;
    this.scheduler.tell('NOW EVERYTHING IS CALM');
    await this.scheduler.run(() => this.#living().length === 2 && this.#asked.size === 0, 3 * MINUTE);
    if (this.#asked.size > 0) this.scheduler.break(`answer: nobody answers ${[...this.#asked].join(', ')}`);
    const rounds = new PatientRounds(MOST_ROUNDS, this.scheduler.now);
    for (let seen = -1; seen !== this.#newest || this.#isAtWork() || !(await this.#pushes.isAtRest());) {
      seen = this.#newest;
      await this.scheduler.run(() => false, 45 * SECOND);
      if (!rounds.goOn({ now: this.scheduler.now, atWork: this.#isAtWork(), cameToPass: false }))
        return this.scheduler.break(
          `liveness: it never comes to rest, ${await this.record.standing()}; ${await this.#pushes.standing()}`,
        );
    }
    await this.#judgeWaiting();
  }

  /** A target does what a promotion that goes on has asked for. */
  #isAtWork(): boolean {
    const workflows = [...this.#targets.workflows.values()].filter(({ goesOn }) => goesOn);
    return [...this.#targets.running, ...workflows].some(
      (each) => this.record.overFor(each.releaseId, each.environment) === 0,
    );
  }

  async #judgeWaiting(): Promise<void> {
    const answer = this.#ask('ask what is waited for', async (app) => ({ value: await this.#waiting(app) }));
    let known: Map<string, WaitingReason[]> | null = null;
    void answer.then((found) => (known = found?.value ?? null));
    await this.scheduler.run(() => known !== null, MINUTE);
    await this.#pushes.judgeWaiting();
    await this.record.judgeWaiting(known ?? new Map<string, WaitingReason[]>(), this.#targets.running);
    await this.scheduler.run(() => true, 0);
  }

  /** People do whatever is waited for: now everything ends. */
  async #letPeopleAct(): Promise<void> {
    const rounds = new PatientRounds(IN_VAIN, this.scheduler.now);
    for (let seen = -1, goesOn = true; goesOn;) {
      const open = await this.scheduler.ask<{ id: string }>('SELECT id FROM release WHERE ended_at IS NULL');
      const unsettled = await this.scheduler.ask('SELECT FROM rollback WHERE settled_at IS NULL');
      const errands = await this.scheduler.ask(`SELECT FROM outbox WHERE lane = 'errand'`);
      const isOver = open.length === 0 && unsettled.length === 0 && (await this.#pushes.isOver());
      if (isOver && errands.length === 0) return this.#judgeWorkflows();
      if (isOver) {
        // Their pauses grow up to an hour.
        await this.scheduler.run(() => false, 20 * SECOND);
        goesOn = rounds.goOn({ now: this.scheduler.now, atWork: true, cameToPass: false });
        continue;
      }
      for (const each of ENVIRONMENTS) {
        void this.#lift(each);
        void this.#openAgain(each);
      }
      for (const each of this.#drawn.pushed.length > 0 ? [...this.#drawn.pushed, null] : [])
        void this.#pushes.resume(each);
      await this.#approveSome(1);
      for (const each of this.#drawn.definitions) {
        if (each.kind !== 'Application') continue;
        this.#reportDeployment(each.metadata.name);
        this.#report(each.metadata.name, 'HEALTHY');
      }
      await this.scheduler.run(() => this.#asked.size === 0, MINUTE);
      await this.scheduler.run(() => this.#open.size === 0 && this.#asked.size === 0, 90 * SECOND);
      await this.scheduler.run(() => false, 7 * SECOND);
      const cameToPass = seen !== this.#cameToPass;
      seen = this.#cameToPass;
      goesOn = rounds.goOn({ now: this.scheduler.now, atWork: this.#isAtWork(), cameToPass });
    }
    this.scheduler.break(
      `end: nothing is missing any more, and ${await this.record.standing()}; ${await this.#pushes.standing()}`,
    );
    await this.scheduler.run(() => true, 0);
  }

  /** Every release has ended, and what its actions began outside has ended with it. */
  #judgeWorkflows(): void {
    const all = [...this.#targets.workflows];
    this.#reached.count('promise: what an action began outside is over when nothing follows it any more', all.length);
    const [left] = all.filter(([, { goesOn }]) => goesOn);
    if (left) this.scheduler.break(`workflow: ${left[0]} goes on, and all releases have ended`);
  }

  async #shutDown(): Promise<void> {
    this.#people = false;
    await this.scheduler.run(() => this.#asked.size === 0, 3 * MINUTE);
    // What was handed over goes with the next round of the sweep.
    await this.scheduler.run(() => false, 10 * SECOND);
    let stopped = 0;
    const all = this.#living();
    for (const each of all) void this.#stop(each).then(() => (stopped += 1));
    await this.scheduler.run(() => stopped === all.length, 5 * MINUTE + SECOND);
  }
}
