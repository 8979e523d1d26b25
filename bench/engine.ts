import { openApp } from '../src/app.ts';
import type { App } from '../src/app.ts';
import { saveDefinition } from '../src/commands/save-definition.ts';
import { triggerRelease } from '../src/commands/trigger-release.ts';
import { loadConfig } from '../src/config.ts';
import type { AnyDefinition } from '../src/core/definitions.ts';
import { ENDED_RELEASE } from '../src/core/release.ts';
import { jobsOf } from '../src/jobs/effects.ts';
import { createLog } from '../src/log.ts';
import { startWorker } from '../src/worker.ts';
import { DEPENDS_ON, definitions, productName } from './workload.ts';

/** One whole Sluice in this process, API left out, with its ends and its hops watched from inside: watching costs no query. */
export class Engine {
  readonly app: App;
  /** Jobs that were run, by name. */
  readonly jobs: Record<string, number> = {};
  /** From the last step of an environment being recorded to the first step of its dependent, in milliseconds. */
  hops: number[] = [];
  /** From a job being handed over to a worker starting it, in milliseconds; a join begins when its children have ended, and has none. */
  waits: number[] = [];
  readonly #handedOver = new Map<string, number>();
  readonly #open = new Map<string, () => void>();
  /** Ended before whoever triggered it had its id. */
  readonly #early = new Set<string>();
  readonly #recorded = new Map<string, Map<string, number>>();
  #version = 0;
  #worker: { close(): Promise<void> } | null = null;

  private constructor(app: App) {
    this.app = app;
  }

  static async open(settings: { databaseUrl: string; redisUrl?: string; products: number }): Promise<Engine> {
    const config = loadConfig({
      DATABASE_URL: settings.databaseUrl,
      REDIS_URL: settings.redisUrl,
      SLUICE_QUEUE_PREFIX: `bench${process.pid}`,
      LOG_LEVEL: 'error',
    });
    const engine = new Engine(await openApp(config, createLog({ level: config.logLevel })));
    engine.#watch();
    const { app } = engine;
    await saveWorkload(app, settings.products);
    engine.#worker = await startWorker({ ...app, drivers: engine.#watchedDrivers() });
    return engine;
  }

  release(lane: number): Promise<void> {
    return this.releaseOf(productName(lane));
  }

  /** Resolves when the release has ended, and its end is saved. */
  async releaseOf(product: string): Promise<void> {
    this.#version += 1;
    const input = { product, version: `1.0.${this.#version}` };
    const { value, refusals } = await triggerRelease(this.app, input, null);
    if (refusals) throw new Error(`the release is not accepted: ${JSON.stringify(refusals)}`);
    const { releaseId: id } = value;
    if (this.#early.delete(id)) return;
    await new Promise<void>((resolve) => this.#open.set(id, resolve));
  }

  #watch(): void {
    const { releaseEngine, queue } = this.app;
    const move = releaseEngine.tell.bind(releaseEngine);
    releaseEngine.tell = async (id, stimulus) => {
      const to = await move(id, stimulus);
      if (to && stimulus.kind === 'outcome') {
        const promotion = to.state.promotions[stimulus.promotion];
        const name = to.release.plan.promotions[stimulus.promotion]?.name;
        if (name !== undefined && promotion?.status === 'SUCCEEDED') this.#recordedOf(id).set(name, performance.now());
      }
      if (to && ENDED_RELEASE.has(to.state.status)) this.#ended(id, to.state.status);
      return to;
    };
    const handOver = queue.handOver.bind(queue);
    queue.handOver = (items) => {
      const now = performance.now();
      for (const job of items.flatMap(jobsOf).flatMap((each) => each.children ?? [each]))
        this.#handedOver.set(job.id, now);
      return handOver(items);
    };
    const work = queue.work.bind(queue);
    queue.work = (processor) =>
      work((job, token) => {
        this.jobs[job.name] = (this.jobs[job.name] ?? 0) + 1;
        const since = this.#handedOver.get(job.id ?? '');
        if (since !== undefined) this.waits.push(performance.now() - since);
        this.#handedOver.delete(job.id ?? '');
        return processor(job, token);
      });
  }

  #watchedDrivers(): App['drivers'] {
    const { drivers } = this.app;
    const watched = Object.create(drivers) as App['drivers'];
    const seen = (releaseId: string, environment: string): void => {
      const after = DEPENDS_ON[environment];
      const known = this.#recorded.get(releaseId);
      if (!after || !known || known.has(`started ${environment}`)) return;
      known.set(`started ${environment}`, 0);
      this.hops.push(performance.now() - Math.max(...after.map((each) => known.get(each) ?? Number.NaN)));
    };
    watched.runAction = (action, parameters, context, ...more) => {
      seen(context.releaseId, context.environment);
      return drivers.runAction(action, parameters, context, ...more);
    };
    return watched;
  }

  #recordedOf(id: string): Map<string, number> {
    const known = this.#recorded.get(id) ?? new Map<string, number>();
    this.#recorded.set(id, known);
    return known;
  }

  #ended(id: string, status: string): void {
    if (status !== 'SUCCEEDED') throw new Error(`release ${id} ended ${status}`);
    this.#recorded.delete(id);
    const resolve = this.#open.get(id);
    if (resolve) resolve();
    else this.#early.add(id);
    this.#open.delete(id);
  }

  /** What is open from now on stays as it is. */
  async stopWorking(): Promise<void> {
    await this.#worker?.close();
    this.#worker = null;
  }

  async close(): Promise<void> {
    await this.stopWorking();
    await this.app.close();
  }
}

export async function saveWorkload(app: App, products: number): Promise<void> {
  await saveAll(app, definitions(products));
}

export async function saveAll(app: App, all: AnyDefinition[]): Promise<void> {
  for (const definition of all) {
    const { refusals } = await saveDefinition(app, definition, { mode: 'UPSERT', actor: null });
    if (refusals) throw new Error(`the workload is not accepted: ${JSON.stringify(refusals)}`);
  }
}
