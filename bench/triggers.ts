import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { openApp } from '../src/app.ts';
import type { App } from '../src/app.ts';
import { saveDefinition } from '../src/commands/save-definition.ts';
import { setSecret } from '../src/commands/set-secret.ts';
import { loadConfig } from '../src/config.ts';
import type { AnyDefinition, Kind, Specs } from '../src/core/definitions.ts';
import { createLog } from '../src/log.ts';
import { startGitHost } from '../test/peers/git-host.ts';
import type { GitHost, HostedRepository } from '../test/peers/git-host.ts';
import { busySeconds, cpuSeconds } from './machine.ts';
import type { Figure } from './figure.ts';
import { startServing } from './serving.ts';
import type { Serving } from './serving.ts';
import { percentile, rounded } from './stats.ts';

/**
 * From a push to the start of its release, with a real git host on loopback and Sluice in a process of its own: what is measured is
 * what a user sees through the API. At most three minutes, of which
 * one is idle; less where the machine has nothing else to do.
 */
export async function measureTriggers(databaseUrl: string, ended: AbortSignal): Promise<Figure[]> {
  const signal = AbortSignal.any([ended, AbortSignal.timeout(LIMIT)]);
  setMaxListeners(50, signal);
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const settings = {
      DATABASE_URL: databaseUrl,
      SLUICE_DATA_DIR: join(folder, 'data'),
      SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      SLUICE_GIT_PROTOCOLS: 'http',
      SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
    };
    const host = await startGitHost();
    closers.push(() => host.close());
    const app = await openApp(loadConfig({ ...settings, LOG_LEVEL: 'error' }), createLog({ level: 'error' }));
    closers.push(() => app.close());
    const serving = await startServing(settings);
    closers.push(() => serving.close());
    return await new TriggerBench(app, host, serving, signal).run();
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** In milliseconds. */
const LIMIT = 175_000;
const SECRET = 'bench-of-triggers';
/** What idles. */
const REPOSITORIES = 20;
const APPLICATIONS = 500;
/** What is pushed to, how often each. */
const PUSHED = { products: 20, rounds: 3 };
const REPORTED = { products: 6, rounds: 2 };
const POLLED = { products: 8, rounds: 2 };
/** Seconds between two looks where no webhook tells: the shortest that may be set. */
const INTERVAL = 5;
const FLOOD = 1_000;
const ANSWERS = 500;
/** Milliseconds. Whatever takes longer than this is not measured but broken. */
const PATIENCE = 60_000;

interface Product {
  name: string;
  repository: HostedRepository;
  /** Of the application in its trigger environment. */
  pushes: number;
}

class TriggerBench {
  readonly #figures: Figure[] = [];
  readonly #made: Product[] = [];

  constructor(
    private readonly app: App,
    private readonly host: GitHost,
    private readonly serving: Serving,
    private readonly signal: AbortSignal,
  ) {}

  /** In this order until the time is over; what is not reached by then is said, and has no figure. */
  async run(): Promise<Figure[]> {
    const before = { busy: busySeconds(), at: performance.now() };
    try {
      await this.#prepare();
      await this.#pushes();
      await this.#reports();
      await this.#floods();
      await this.#polls();
      await this.#idle();
    } catch (error) {
      if (!this.signal.aborted) throw error;
      console.error('The time was over: what is not told above was not measured.');
    }
    const seconds = (performance.now() - before.at) / 1_000;
    this.#add('machine', (busySeconds() - before.busy) / seconds, 'cores in use, other work included');
    return this.#figures;
  }

  async #prepare(): Promise<void> {
    const use = { kind: 'WEBHOOK' as const, source: 'github', products: [], scheme: 'GITHUB' as const };
    const { refusals } = await setSecret(this.app, { name: 'hook', value: SECRET, description: null, use }, null);
    if (refusals) throw new Error(JSON.stringify(refusals));
    for (const name of ['dev', 'live']) await this.#save('Environment', name, { kind: 'NON_PRODUCTION' });
    await this.#save('PromotionWorkflow', 'check', {
      actions: [{ name: 'check', type: 'simulate', parameters: {} }],
    });
    await this.#save('PromotionFlow', 'to-live', {
      triggerEnvironment: 'dev',
      triggerWorkflow: 'check',
      productSelector: {},
      onFailure: 'FINISH_RUNNING',
      steps: [{ environment: 'live', dependsOn: ['dev'] }],
    });
  }

  /** A whole interval with nothing to do, over many applications; the floor is the same process that watches none. */
  async #idle(): Promise<void> {
    for (const { name } of this.#made) await this.#save('Product', name, productSpec({ automatic: false }));
    await this.#pause(3_000);
    const floor = await this.#share(10_000);
    for (let number = 0; number < REPOSITORIES; number += 1) {
      const product = `idle-${number}`;
      const repository = await this.host.repository(product);
      const folders = Array.from({ length: APPLICATIONS / REPOSITORIES }, (_, index) => `application-${index}`);
      await repository.commit(Object.fromEntries(folders.map((each) => [`${each}/values.yaml`, chart(0)])), 'First');
      await this.#save('Product', product, productSpec({}));
      const saved = folders.map((path) =>
        this.#save('Application', `${product}-${path}`, {
          product,
          environment: 'dev',
          driver: { type: 'git', repoURL: repository.url, branch: 'main', path },
          health: { type: 'none' },
        }),
      );
      await Promise.all(saved);
    }
    await this.#known('idle', APPLICATIONS);
    await this.#pause(3_000);
    const value = await this.#share(60_000);
    const unit = `% of a core, children counted: ${APPLICATIONS} applications in ${REPOSITORIES} repositories`;
    this.#add('idle watcher', value, unit, 5, floor);
  }

  /** Of one core, in percent, for so many milliseconds. */
  async #share(ms: number): Promise<number> {
    const before = { cpu: cpuSeconds(this.serving.pid), at: performance.now() };
    await this.#pause(ms);
    return ((cpuSeconds(this.serving.pid) - before.cpu) / (performance.now() - before.at)) * 100_000;
  }

  /**
   * From the delivery to the candidate in the API; then by the rows, which have the times, to what comes of it. The workflow's end and
   * the next step are 0 ms apart as long as one decision has both.
   */
  async #pushes(): Promise<void> {
    const products = await this.#products('pushed', PUSHED.products, {}, { interval: 3_600_000 });
    const times: number[] = [];
    for (let round = 0; round < PUSHED.rounds; round += 1) {
      for (const product of products) {
        const commit = await push(product);
        const began = performance.now();
        await this.#deliver(delivery(product.repository, commit));
        await this.#arrived(product, commit);
        times.push(performance.now() - began);
      }
    }
    this.#pair('delivery to candidate', times, 1_000);
    const { rows } = await this.#until(
      () =>
        this.app.pool.query<{ start: number; next: number | null }>(
          `SELECT extract(epoch FROM r.started_at - c.coalesced_at)::float * 1000 AS start,
             extract(epoch FROM (SELECT min(e.at) FROM logged_event e WHERE e.release_id = r.id
               AND e.event->>'type' = 'StepStarted' AND e.event->>'environment' = 'live') - t.ended_at)::float * 1000 AS next
           FROM candidate c LEFT JOIN release r ON r.id = c.release_id
             LEFT JOIN promotion t ON t.release_id = r.id AND t.position = 0
           WHERE c.product LIKE 'pushed-%' AND c.status <> 'SUPERSEDED'`,
        ),
      (answer) => answer.rows.every(({ next }) => next !== null),
    );
    this.#pair(
      'coalesced to start',
      rows.map(({ start }) => start),
      1_000,
    );
    this.#pair(
      'trigger workflow to next step',
      rows.map(({ next }) => next!),
      1_000,
    );
  }

  /** The last thing that is waited for is a report: that the target runs the commit, or that it is healthy. */
  async #reports(): Promise<void> {
    const kinds = {
      sync: await this.#products('synced', REPORTED.products, { sync: { type: 'report' } }, { coalesce: 0 }),
      health: await this.#products('healthy', REPORTED.products, { health: { type: 'report' } }, { coalesce: 0 }),
    };
    for (const [kind, products] of Object.entries(kinds)) {
      const times: number[] = [];
      for (let round = 0; round < REPORTED.rounds; round += 1) {
        const waiting = products.map(async (product) => {
          const commit = await push(product);
          await this.#deliver(delivery(product.repository, commit));
          await this.#until(
            () => this.#candidate(product, commit),
            (found) => found?.status === 'WAITING',
          );
          return { product: product.name, commit };
        });
        for (const each of await Promise.all(waiting)) times.push(await this.#reported(kind, each));
      }
      this.#pair(`${kind} report to start`, times, 1_000);
    }
  }

  /** @returns milliseconds from the report to the start of the release */
  async #reported(kind: string, { product, commit }: { product: string; commit: string }): Promise<number> {
    const began = Date.now();
    await this.#ask(
      kind === 'sync'
        ? `mutation { deploymentReport(input: { application: "${product}-dev", commit: "${commit}" }) { accepted } }`
        : `mutation { healthReport(input: { application: "${product}-dev", status: HEALTHY }) { accepted } }`,
    );
    const { rows } = await this.#until(
      () =>
        this.app.pool.query<{ at: Date | null }>(
          `SELECT r.started_at AS at FROM candidate c JOIN release r ON r.id = c.release_id
           WHERE c.product = $1 AND c.facts->>'commit' = $2`,
          [product, commit],
        ),
      (answer) => Boolean(answer.rows[0]?.at),
    );
    return rows[0]!.at!.getTime() - began;
  }

  /** A thousand deliveries in a second about one repository in which nothing moved; then several at once about many. */
  async #floods(): Promise<void> {
    const [one, ...others] = this.#made.map(({ repository }) => repository);
    const quiet = (): Promise<unknown> =>
      this.#until(
        () => this.app.pool.query('SELECT FROM hint LIMIT 1'),
        ({ rowCount }) => rowCount === 0,
      );
    const head = (await one!.head())!;
    const before = one!.asked.refs;
    const looks: number[] = [];
    const watch = setInterval(() => {
      while (before + looks.length < one!.asked.refs) looks.push(performance.now());
    }, 10);
    try {
      const { seconds, times: flood } = await this.#atOnce(Array.from({ length: FLOOD }, () => delivery(one!, head)));
      await quiet();
      await this.#pause(1_500);
      const most = Math.max(...looks.map((from) => looks.filter((at) => at >= from && at < from + 1_000).length));
      const unit = `ls-remote within a second, ${looks.length} in all: ${FLOOD} hints about one repository, sent in ${seconds.toFixed(2)} s`;
      this.#add('flood', most, unit, 2);
      this.#add('flood', percentile(flood, 0.99), 'ms p99 answer of the receiver', 200);
    } finally {
      clearInterval(watch);
    }
    const heads = await Promise.all(others.map((each) => each.head()));
    const answers = await this.#inLanes(4, ANSWERS, (number) => {
      const index = number % others.length;
      return delivery(others[index]!, heads[index]!);
    });
    this.#pair('answer of the receiver, 4 at once', answers, 200);
    await quiet();
  }

  /** One in each millisecond, whether those before it are answered or not. @returns how long it took to send them */
  async #atOnce(deliveries: readonly Delivery[]): Promise<{ seconds: number; times: number[] }> {
    const began = performance.now();
    const sent: Promise<number>[] = [];
    while (sent.length < deliveries.length) {
      const due = Math.min(deliveries.length, Math.ceil(performance.now() - began));
      sent.push(...deliveries.slice(sent.length, due).map((each) => this.#deliver(each)));
      await this.#pause(1);
    }
    const seconds = (performance.now() - began) / 1_000;
    return { seconds, times: await Promise.all(sent) };
  }

  async #inLanes(lanes: number, count: number, order: (number: number) => Delivery): Promise<number[]> {
    const times: number[] = [];
    let next = 0;
    const lane = async (): Promise<void> => {
      for (let number = next++; number < count; number = next++) times.push(await this.#deliver(order(number)));
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return times;
  }

  /** No webhook tells of these pushes. */
  async #polls(): Promise<void> {
    const products = await this.#products('polled', POLLED.products, {}, { interval: INTERVAL * 1_000 });
    const times: number[] = [];
    for (let round = 0; round < POLLED.rounds; round += 1) {
      const found = products.map(async (product) => {
        const commit = await push(product);
        const began = performance.now();
        await this.#arrived(product, commit);
        times.push(performance.now() - began);
      });
      await Promise.all(found);
    }
    this.#pair(`push to candidate without webhook, interval ${INTERVAL} s`, times, (INTERVAL + 5) * 1_000);
  }

  /** Products with an application in dev and one in live, which were looked at once. */
  async #products(
    prefix: string,
    count: number,
    dev: Partial<Specs['Application']>,
    trigger: Specs['Product']['trigger'],
  ): Promise<Product[]> {
    const products: Product[] = [];
    for (let number = 0; number < count; number += 1) {
      const name = `${prefix}-${number}`;
      const repository = await this.host.repository(name);
      await repository.commit({ 'dev/values.yaml': chart(0), 'live/values.yaml': chart(0) }, 'First');
      await this.#save('Product', name, productSpec(trigger));
      for (const environment of ['dev', 'live'])
        await this.#save('Application', `${name}-${environment}`, {
          product: name,
          environment,
          driver: { type: 'git', repoURL: repository.url, branch: 'main', path: environment },
          health: { type: 'none' },
          ...(environment === 'dev' && dev),
        });
      products.push({ name, repository, pushes: 0 });
    }
    this.#made.push(...products);
    await this.#known(prefix, count);
    return products;
  }

  async #save<K extends Kind>(kind: K, name: string, spec: Specs[K]): Promise<void> {
    const definition = { kind, metadata: { name, labels: {}, annotations: {} }, spec } as AnyDefinition;
    const { refusals } = await saveDefinition(this.app, definition, { mode: 'UPSERT', actor: null });
    if (refusals) throw new Error(`the workload is not accepted: ${JSON.stringify(refusals)}`);
  }

  /** So many applications of trigger environments have been looked at. */
  #known(prefix: string, count: number): Promise<unknown> {
    return this.#until(
      () =>
        this.app.pool.query('SELECT FROM trigger_cursor WHERE head IS NOT NULL AND application LIKE $1', [
          `${prefix}-%`,
        ]),
      ({ rowCount }) => rowCount === count,
    );
  }

  /** @returns milliseconds to its answer */
  async #deliver({ headers, body }: Delivery): Promise<number> {
    const began = performance.now();
    const response = await fetch(`${this.serving.url}/hooks/git/github`, { method: 'POST', headers, body });
    const said = await response.text();
    if (!response.ok) throw new Error(`a delivery was answered ${response.status}: ${said}`);
    return performance.now() - began;
  }

  #arrived(product: Product, commit: string): Promise<unknown> {
    return this.#until(
      () => this.#candidate(product, commit),
      (found) => found !== undefined,
    );
  }

  async #candidate({ name }: Product, commit: string): Promise<{ status: string } | undefined> {
    const query = `{ candidates(first: 10, filter: { product: "${name}" }) { nodes { commit status } } }`;
    const { candidates } = await this.#ask<{ candidates: { nodes: { commit: string; status: string }[] } }>(query);
    return candidates.nodes.find((each) => each.commit === commit);
  }

  async #ask<T>(query: string): Promise<T> {
    const response = await fetch(`${this.serving.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    const { data, errors } = (await response.json()) as { data: T; errors?: unknown };
    if (errors) throw new Error(`${query}: ${JSON.stringify(errors)}`);
    return data;
  }

  async #until<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
    for (const deadline = performance.now() + PATIENCE; ;) {
      const answer = await ask();
      if (holds(answer)) return answer;
      if (performance.now() > deadline) throw new Error('what is to be measured did not happen within a minute');
      await this.#pause(10);
    }
  }

  async #pause(ms: number): Promise<void> {
    await setTimeout(ms, undefined, { signal: this.signal });
  }

  /** The aim is for the p99. */
  #pair(name: string, times: number[], aim: number): void {
    this.#add(name, percentile(times, 0.5), 'ms p50');
    this.#add(name, percentile(times, 0.99), `ms p99 of ${times.length}`, aim);
  }

  #add(name: string, value: number, unit: string, aim?: number, floor?: number): void {
    console.error(`${name}: ${rounded(value)} ${unit}`);
    const compared =
      floor === undefined ? { floor: null, ratio: null } : { floor: rounded(floor), ratio: rounded(value / floor) };
    this.#figures.push({ name, backend: 'postgres', value: rounded(value), unit, ...compared, aim });
  }
}

interface Delivery {
  headers: Record<string, string>;
  body: string;
}

/** As GitHub tells of a push. */
function delivery(repository: HostedRepository, after: string): Delivery {
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    before: '0'.repeat(40),
    after,
    repository: { id: 1, full_name: repository.name, clone_url: repository.url },
    pusher: { name: 'ada', email: 'ada@example.com' },
  });
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': randomUUID(),
    'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
  };
  return { headers, body };
}

const chart = (tag: number): string => `image:\n  tag: "${tag}"\n`;

const productSpec = (trigger: Specs['Product']['trigger']): Specs['Product'] => ({
  promotionFlows: [],
  concurrency: 'PIPELINE',
  queueLimit: 50,
  promotionTemplate: { versionSource: { file: 'values.yaml', jsonPath: '$.image.tag' } },
  trigger,
});

function push(product: Product): Promise<string> {
  product.pushes += 1;
  return product.repository.commit({ 'dev/values.yaml': chart(product.pushes) }, `Version ${product.pushes}`);
}
