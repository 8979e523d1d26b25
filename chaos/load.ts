import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { mutateUntilAnswered, readPromotions, toGlobalId } from './api.ts';
import type { ReleaseAnswer } from './api.ts';
import { HOOKED } from './hooked.ts';
import type { Random } from './random.ts';
import type { World, WorldProduct } from './world.ts';

/** What a person may leave out, or try again, of a release. */
const placesOf = (product: string): string[] => [
  'staging',
  'us-east',
  'eu',
  'asia-2',
  ...(HOOKED.includes(product) ? ['build', 'tests'] : []),
];

/** What was asked for, and every answer to it: the judge holds the database against this. */
export interface Asked {
  key: string;
  product: string;
  answers: ReleaseAnswer[];
  /** How many requests with this key were sent at the same time. */
  twins: number;
}

/** Releases without end, through both servers, until it is stopped; some are terminated and retried on their way. */
export class Load {
  readonly asked: Asked[] = [];
  /** Rollouts that were reported as failed, and answered. */
  reported = 0;
  readonly terminated: string[] = [];
  readonly retried: string[] = [];
  readonly skipped: string[] = [];
  /** Of these one environment, or one step, was retried by itself. */
  readonly retriedOne: string[] = [];
  readonly #urls: string[];
  readonly #random: Random;
  readonly #every: number;
  readonly #work: Promise<void>[] = [];
  readonly #stop = new AbortController();
  /** For answers that still come after the load has stopped. */
  #deadline = Number.POSITIVE_INFINITY;

  /** `every`: milliseconds between two releases of one product, on average. */
  constructor(urls: string[], random: Random, every: number) {
    // The products' pauses stand beside each other on one signal: more than ten listeners are no leak.
    setMaxListeners(0, this.#stop.signal);
    this.#urls = urls;
    this.#random = random;
    this.#every = every;
  }

  /** The first release of every product, before anything goes wrong: there is a good version to go back to. */
  async first(world: World): Promise<void> {
    await Promise.all(
      world.products.map(async ({ name, repository }) => {
        await repository?.change('dev');
        await this.#ask(name, `${name}-1`, this.#random.fork());
      }),
    );
  }

  start(world: World): void {
    for (const product of world.products) this.#begin(this.#product(product, this.#random.fork()));
  }

  /** No new release; what was asked for is answered, or given up after `patience` milliseconds. */
  async stop(patience: number): Promise<void> {
    this.#deadline = Date.now() + patience;
    this.#stop.abort();
    // Asking for one thing may lead to asking for another.
    for (let seen = 0; seen < this.#work.length;) {
      seen = this.#work.length;
      await Promise.all(this.#work);
    }
  }

  /** What goes wrong here is thrown by `stop`: until then the run goes on, and ends what it has started. */
  #begin(work: Promise<void>): void {
    work.catch(() => undefined);
    this.#work.push(work);
  }

  async #product(product: WorldProduct, random: Random): Promise<void> {
    for (let number = 2; !this.#stop.signal.aborted; number += 1) {
      await product.repository?.change('dev');
      this.#begin(this.#release(product.name, number, random.fork()));
      await this.#pause(random.between(0.3, 1.7) * this.#every);
    }
  }

  async #release(product: string, number: number, random: Random): Promise<void> {
    const key = `${product}-${number}`;
    const releaseId = await this.#ask(product, key, random);
    // What the last hooks do after a termination must not be left to luck, of which a slow machine has little.
    if (releaseId && HOOKED.includes(product) && number % 6 === 3) await this.#terminate(releaseId, random);
    else if (releaseId && random.chance(0.15)) await this.#interfere(releaseId, random);
    else if (releaseId && random.chance(0.2)) await this.#report(product, key, random);
    else if (releaseId && random.chance(0.1)) await this.#skip(releaseId, product, random);
    else if (releaseId && random.chance(0.25)) await this.#retryOne(releaseId, random);
  }

  async #ask(product: string, key: string, random: Random): Promise<string | null> {
    const asked: Asked = { key, product, answers: [], twins: random.chance(0.3) ? 2 : 1 };
    this.asked.push(asked);
    const input = { product, version: product.startsWith('git') ? undefined : key, idempotencyKey: key };
    const first = random.whole(0, 1);
    const answers = await Promise.all(
      Array.from({ length: asked.twins }, (_, twin) => this.#mutate('trigger', input, first + twin)),
    );
    for (const answer of answers) if (answer) asked.answers.push(answer);
    return asked.answers.find((each) => each.releaseId !== null)?.releaseId ?? null;
  }

  /** An outside system finds out later that what is live somewhere, whatever it is, is no good. */
  async #report(product: string, key: string, random: Random): Promise<void> {
    await this.#pause(random.between(1_000, 8_000));
    const environment = random.pick(['staging', 'us-east', 'eu', 'asia-2']);
    const input = { product, environment, status: 'FAILED', message: `${key} fails`, idempotencyKey: `${key}-failed` };
    if (await this.#mutate('report', input, random.whole(0, 1))) this.reported += 1;
  }

  /** A person leaves an environment out, wherever the release is by then. */
  async #skip(releaseId: string, product: string, random: Random): Promise<void> {
    await this.#pause(random.between(50, 6_000));
    const environment = random.pick(placesOf(product));
    const input = { releaseId: toGlobalId(releaseId), environment, reason: 'nobody is there' };
    if ((await this.#mutate('skip', input, random.whole(0, 1)))?.releaseId) this.skipped.push(releaseId);
  }

  /** A person who sees that something has failed tries that alone again, once, whatever became of the rest. */
  async #retryOne(releaseId: string, random: Random): Promise<void> {
    for (let looks = 0; looks < 30 && !this.#stop.signal.aborted; looks += 1) {
      await this.#pause(random.between(500, 3_500));
      const url = random.pick(this.#urls);
      // A server that is away is asked another time.
      const seen = await readPromotions(url, releaseId).catch(() => []);
      const failed = seen.filter(({ status }) => status === 'FAILED');
      if (failed.length === 0) continue;
      const environment = random.pick(failed).name;
      const input = { releaseId: toGlobalId(releaseId), environment };
      if ((await this.#mutate('retry', input, random.whole(0, 1)))?.releaseId) {
        this.retriedOne.push(releaseId);
        return;
      }
    }
  }

  /** A person ends it, thinks again, and has it go on: all of it, or one environment. */
  async #interfere(releaseId: string, random: Random): Promise<void> {
    if (!(await this.#terminate(releaseId, random)) || random.chance(0.4)) return;
    const environment = random.chance(0.3) ? random.pick(['staging', 'eu']) : undefined;
    for (let tries = 0; tries < 40; tries += 1) {
      await sleep(150);
      const again = await this.#mutate('retry', { releaseId: toGlobalId(releaseId), environment }, random.whole(0, 1));
      if (again?.releaseId) return void (environment ? this.retriedOne : this.retried).push(releaseId);
      // SUCCEEDED meanwhile, or retried by an earlier try of this very request.
      if (!again || again.userErrors.some((each) => /SUCCEEDED|has succeeded|could not start/.test(each.message)))
        return;
    }
  }

  /** Whether it was still to be ended. */
  async #terminate(releaseId: string, random: Random): Promise<boolean> {
    await this.#pause(random.between(50, 3_000));
    const input = { releaseId: toGlobalId(releaseId), reason: 'somebody changed their mind' };
    const stopped = await this.#mutate('terminate', input, random.whole(0, 1));
    if (!stopped?.releaseId) return false;
    this.terminated.push(releaseId);
    return true;
  }

  #mutate(
    operation: 'trigger' | 'terminate' | 'retry' | 'skip' | 'report',
    input: Record<string, unknown>,
    first: number,
  ): Promise<ReleaseAnswer | null> {
    const urls = (): string[] => (first % 2 === 0 ? this.#urls : this.#urls.toReversed());
    return this.#until((deadline) => mutateUntilAnswered(urls, operation, input, deadline));
  }

  /** Asks in slices, so that a deadline that is set later is kept. */
  async #until(ask: (deadline: number) => Promise<ReleaseAnswer | null>): Promise<ReleaseAnswer | null> {
    for (;;) {
      const answer = await ask(Math.min(Date.now() + 2_000, this.#deadline));
      if (answer || Date.now() >= this.#deadline) return answer;
    }
  }

  #pause(milliseconds: number): Promise<void> {
    return sleep(milliseconds, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}
