import { createPostgresBackend, runMigrations, withBackend } from 'bullmq';
import type { PostgresQueueBackend } from 'bullmq';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLeanBackend, knowsBullTables } from '../../src/jobs/lean-postgres-queue.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  // Each queue of the property listens to its errors.
  pool = new pg.Pool({ connectionString: database.url, max: 4, options: '-c search_path=bullmq,public' });
  pool.setMaxListeners(0);
  // The database ends with sessions still open on it.
  pool.on('connect', (client) => client.on('error', () => undefined));
  await runMigrations(pool);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const LOCK = 60_000;
const JOB = {
  attempts: 3,
  backoff: { type: 'fixed', delay: 50_000 },
  removeOnComplete: true,
  removeOnFail: { age: 60 },
};

/** A queue that is told what workers and producers tell it, by BullMQ's own functions or by plain statements. */
class Driven {
  readonly name: string;
  readonly backend: PostgresQueueBackend;
  readonly #flows;
  readonly #queue;

  constructor(factory: typeof createPostgresBackend, name: string) {
    this.name = name;
    const classes = withBackend(factory);
    const connection = pool as never;
    this.#flows = new classes.FlowProducer({ connection });
    this.#queue = new classes.Queue(name, { connection });
    this.backend = factory(name, { connection, lockDuration: LOCK } as never);
  }

  /** What was answered, in words that are the same for both queues. */
  async do(step: Step): Promise<unknown> {
    try {
      return this.#plain(await this.#do(step));
    } catch (error) {
      return `refused: ${String(this.#plain((error as Error).message))}`;
    }
  }

  async #do(step: Step): Promise<unknown> {
    const { backend } = this;
    const job = 'job' in step ? { id: `j${step.job}`, opts: JOB } : undefined;
    const token = 'token' in step ? `t${step.token}` : '';
    switch (step.kind) {
      case 'flow':
        await this.#flows.addBulk(step.flows.map(({ name, children }) => this.#flow(`j${name}`, children)));
        return undefined;
      case 'spawn':
        await this.#queue.addBulk([
          {
            name: 'step',
            data: { below: step.job },
            opts: {
              ...JOB,
              jobId: `j${step.child}`,
              parent: { id: `j${step.job}`, queue: this.name },
              ignoreDependencyOnFailure: true,
            },
          },
        ]);
        return undefined;
      case 'take':
        return taken(await backend.moveToActive(token));
      case 'end': {
        const { result } = await backend.moveToCompleted(job as never, undefined, true, token, step.fetch);
        return step.fetch ? taken(result as unknown[]) : undefined;
      }
      case 'fail':
        await backend.moveToFailed(job as never, 'broken', JOB.removeOnFail, token, false);
        return undefined;
      case 'delay':
        // Due by any clock, or by none for long: two queues are asked some milliseconds apart.
        await backend.moveToDelayed(
          job!.id,
          Date.now() + (step.due ? -5_000 : 50_000),
          step.due ? 0 : 50_000,
          token,
          {},
        );
        return undefined;
      case 'wait':
        return backend.moveToWaitingChildren(job!.id, token, {});
      case 'pause':
        return step.on ? this.#queue.pause() : this.#queue.resume();
    }
  }

  #flow(id: string, children: number[]): never {
    const own = { name: 'promote', queueName: this.name, data: { id }, opts: { ...JOB, jobId: id } };
    const below = children.map((each) => ({
      ...own,
      opts: { ...JOB, jobId: `j${each}`, ignoreDependencyOnFailure: true },
    }));
    return { ...own, ...(below.length > 0 && { children: below }) } as never;
  }

  async rows(): Promise<unknown[]> {
    const jobs = await pool.query(
      `SELECT id, name, state, data, opts, priority, delay_ms, max_attempts, attempts_made, attempts_started, return_value,
         failed_reason, lock_token, locked_until_ms - processed_at_ms AS lock, stalled_count, dedup_id, scheduler_id, parent_queue,
         parent_id, parent_key, pending_deps, stalled_marked, process_at_ms IS NULL AS now, rank() OVER (ORDER BY seq) AS place,
         abs(added_at_ms - extract(epoch FROM now()) * 1000) < 600000 AS added
       FROM job WHERE queue = $1 ORDER BY id`,
      [this.name],
    );
    const below = await pool.query(
      `SELECT parent_id, child_queue, child_id, child_key, status, value FROM job_dependency WHERE parent_queue = $1
       ORDER BY parent_id, child_key`,
      [this.name],
    );
    return [...jobs.rows, ...below.rows].map((row) => this.#plain(row));
  }

  #plain(value: unknown): unknown {
    return value === undefined ? undefined : JSON.parse(JSON.stringify(value).replaceAll(this.name, 'queue'));
  }

  async close(): Promise<void> {
    await Promise.all([this.#flows.close(), this.#queue.close(), this.backend.close()]);
  }
}

/** The job without its times of day. */
function taken([job, id, limit, due]: unknown[]): unknown {
  if (job === null) return { id: null, limit, due: Number(due) > 0 };
  const { timestamp, processedOn, ...rest } = job as Record<string, unknown>;
  return { ...rest, id, timed: [typeof timestamp, typeof processedOn] };
}

type Step =
  | { kind: 'flow'; flows: { name: number; children: number[] }[] }
  | { kind: 'spawn'; job: number; child: number }
  | { kind: 'take'; token: number }
  | (Held & { kind: 'end'; fetch: boolean })
  | (Held & { kind: 'fail' | 'wait' })
  | (Held & { kind: 'delay'; due: boolean })
  | { kind: 'pause'; on: boolean };

/** `held`: one of those that workers hold, and not the job and the token that stand there. */
interface Held {
  held: number | null;
  job: number;
  token: number;
}

/** Few names and few tokens: they meet. */
const name = fc.nat({ max: 9 });
const token = fc.nat({ max: 2 });
const flow = fc.record({ name, children: fc.uniqueArray(name, { maxLength: 3 }) });
const held = fc.option(fc.nat({ max: 9 }), { freq: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({ kind: fc.constant('flow'), flows: fc.array(flow, { minLength: 1, maxLength: 3 }) }),
    weight: 4,
  },
  { arbitrary: fc.record({ kind: fc.constant('spawn'), job: name, child: name }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('take'), token }), weight: 6 },
  { arbitrary: fc.record({ kind: fc.constant('end'), held, job: name, token, fetch: fc.boolean() }), weight: 8 },
  { arbitrary: fc.record({ kind: fc.constantFrom('fail', 'wait'), held, job: name, token }), weight: 2 },
  { arbitrary: fc.record({ kind: fc.constant('delay'), held, job: name, token, due: fc.boolean() }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('pause'), on: fc.boolean() }), weight: 1 },
);

/** A flow from its first job to its join. */
const EVERYDAY: Step[] = [
  { kind: 'flow', flows: [{ name: 0, children: [1, 2] }] },
  { kind: 'take', token: 0 },
  { kind: 'end', held: 0, job: 1, token: 0, fetch: true },
  { kind: 'end', held: 0, job: 2, token: 0, fetch: true },
  { kind: 'end', held: null, job: 5, token: 1, fetch: true },
  { kind: 'wait', held: null, job: 0, token: 0 },
  { kind: 'end', held: 0, job: 0, token: 0, fetch: false },
];

let world = 0;

test('whatever is told to it, the lean queue answers as BullMQ does, and leaves the same rows', async () => {
  const met = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 60 }), async (steps) => {
      world += 1;
      const bull = new Driven(createPostgresBackend, `bull${world}x`);
      const lean = new Driven(createLeanBackend, `lean${world}x`);
      try {
        /** What workers hold: most of what they tell is about that. */
        const held: { job: number; token: number }[] = [];
        for (const drawn of steps) {
          const mine = 'held' in drawn && drawn.held !== null ? held[drawn.held % held.length] : undefined;
          const each = { ...drawn, ...mine } as Step;
          const expected = await bull.do(each);
          if (mine) held.splice(held.indexOf(mine), 1);
          const next = expected as { id?: string } | undefined;
          if (next?.id && 'token' in each) held.push({ job: Number(next.id.slice(1)), token: each.token });
          expect(await lean.do(each), JSON.stringify(each)).toEqual(expected);
          expect(await lean.rows(), JSON.stringify(each)).toEqual(await bull.rows());
          const how = typeof expected === 'string' ? 'refused' : expected === undefined ? 'done' : 'answered';
          met.set(`${each.kind} ${how}`, (met.get(`${each.kind} ${how}`) ?? 0) + 1);
        }
      } finally {
        await Promise.all([bull.close(), lean.close()]);
      }
    }),
    { numRuns: 8, seed: 1, endOnFailure: true, examples: [[EVERYDAY]] },
  );
  // What was reached: without it the comparison says nothing.
  for (const each of ['flow done', 'take answered', 'end done', 'end answered', 'end refused', 'wait answered'])
    expect(met.get(each), `${each} of ${JSON.stringify([...met])}`).toBeGreaterThan(0);
}, 120_000);

test('workers that end siblings at the same moment wake their parent once, and no job is given away twice', async () => {
  const flows = 20;
  const queue = new Driven(createLeanBackend, 'crowd');
  const children = (parent: number): number[] => [1, 2, 3].map((each) => parent * 10 + each);
  const parents = [...Array(flows).keys()].map((each) => each + 1);
  await queue.do({ kind: 'flow', flows: parents.map((each) => ({ name: each * 10, children: children(each) })) });
  const given: string[] = [];
  const work = async (worker: number): Promise<void> => {
    const backend = createLeanBackend('crowd', { connection: pool, lockDuration: LOCK } as never);
    let [job] = (await backend.moveToActive(`w${worker}`)) as [{ id: string } | null];
    for (let empty = 0; empty < 20;) {
      if (job === null) {
        empty += 1;
        await new Promise((resolve) => setTimeout(resolve, 5));
        [job] = (await backend.moveToActive(`w${worker}`)) as [{ id: string } | null];
        continue;
      }
      given.push(job.id);
      const ended = await backend.moveToCompleted({ id: job.id } as never, undefined, true, `w${worker}`, true);
      [job] = ended.result as [{ id: string } | null];
    }
    await backend.close();
  };
  await Promise.all([...Array(12).keys()].map(work));
  expect(given.toSorted()).toEqual(
    parents.flatMap((each) => [each * 10, ...children(each)].map((id) => `j${id}`)).toSorted(),
  );
  for (const each of parents) {
    const last = Math.max(...children(each).map((id) => given.indexOf(`j${id}`)));
    expect(given.indexOf(`j${each * 10}`)).toBeGreaterThan(last);
  }
  expect(await queue.rows()).toEqual([]);
  await queue.close();
});

test('a job has ended, also when the question for the parent that it woke is not answered', async () => {
  const queue = new Driven(createLeanBackend, 'unanswered');
  await queue.do({ kind: 'flow', flows: [{ name: 0, children: [1] }] });
  await queue.do({ kind: 'take', token: 0 });
  const query = pool.query.bind(pool) as (...args: unknown[]) => Promise<unknown>;
  let turns = 0;
  const cut = (...args: unknown[]): Promise<unknown> => {
    const isTurn = (args[0] as { name?: string }).name === 'lean-turn';
    return isTurn && (turns += 1) === 2 ? Promise.reject(new Error('cut')) : query(...args);
  };
  Object.assign(pool, { query: cut });
  const ended = await queue.do({ kind: 'end', held: null, job: 1, token: 0, fetch: true });
  Object.assign(pool, { query });
  expect(turns).toBe(2);
  expect(ended).toMatchObject({ id: null });
  expect(await queue.do({ kind: 'take', token: 1 })).toMatchObject({ id: 'j0' });
  await queue.close();
});

test('only the tables that it knows are written to', () => {
  expect(knowsBullTables()).toBe(true);
  expect(knowsBullTables(12)).toBe(false);
});
