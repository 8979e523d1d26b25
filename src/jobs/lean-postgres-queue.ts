import { LATEST_SCHEMA_VERSION, PostgresConnection, PostgresQueueBackend } from 'bullmq';
import type { JobJson, KeepJobs, MinimalJob } from 'bullmq';
import { Collector } from './collector.ts';

/** True while BullMQ's tables are those that the statements below were written for. Otherwise its own functions have to be used. */
export const knowsBullTables = (version: number = LATEST_SCHEMA_VERSION): boolean => version === 11;

type Options = ConstructorParameters<typeof PostgresQueueBackend>[2];

/**
 * BullMQ's queue in PostgreSQL, in which jobs are added, taken and ended by one plain statement each, and many at once, on BullMQ's
 * own tables and with its states. BullMQ itself does this by functions, one job after the other, and writes two events a job that
 * Sluice does not listen to. All that is not the everyday case is left to BullMQ: a name that is there already, a parent that is in
 * the queue already, delays, priorities, limits, pauses, failures, stalled jobs.
 */
export class LeanPostgresBackend extends PostgresQueueBackend {
  readonly #turns: Collector<Turn, TakenJob | null>;

  constructor(connection: PostgresConnection, name: string, opts: Options, owns: boolean, listener?: string) {
    super(connection, name, opts, owns, listener);
    this.#turns = new Collector(MOST_TURNS, STATEMENTS_AT_ONCE, (turns) => this.#turn(turns));
  }

  /** Rejects when nothing was added; BullMQ would answer with the error, and its flow producer does not look at that. */
  override async addFlow(entries: FlowEntry[]): Promise<[Error | null, string | number][]> {
    const jobs = everyday(entries);
    if (jobs && (await this.#add(jobs))) return entries.map(({ jobId }) => [null, jobId]);
    const answers = await super.addFlow(entries);
    const failed = answers.find(([error]) => error !== null)?.[0];
    if (failed) throw failed;
    return answers;
  }

  /** False: one of them is there already, and none was added. */
  async #add(jobs: NewJob[]): Promise<boolean> {
    const column = <K extends keyof NewJob>(name: K): NewJob[K][] => jobs.map((each) => each[name]);
    try {
      const { rows } = await this.#ask<{ added: boolean }>('lean-add', ADD, [
        jobs[0]!.queue,
        column('id'),
        column('name'),
        column('data'),
        column('opts'),
        column('attempts'),
        column('parent'),
        column('children'),
      ]);
      return rows[0]!.added;
    } catch (error) {
      // Another process added one of them at the same moment.
      if ((error as { code?: string }).code === UNIQUE_VIOLATION) return false;
      throw error;
    }
  }

  override async moveToActive(token: string, name?: string): Promise<unknown[]> {
    if (this.#isLimited() || name) return super.moveToActive(token, name);
    return this.#seat(token, await this.#turns.add({ token, ended: null, endedAt: null, takes: true }));
  }

  override async moveToCompleted<T = unknown, R = unknown, N extends string = string>(
    job: MinimalJob<T, R, N>,
    returnValue: R,
    removeOnComplete: boolean | number | KeepJobs,
    token: string,
    fetchNext: boolean,
  ): Promise<Completed> {
    const takes = fetchNext && !this.closing;
    const bull = (): Promise<Completed> => super.moveToCompleted(job, returnValue, removeOnComplete, token, fetchNext);
    const { metrics, name } = this.opts as { metrics?: unknown; name?: string };
    const everydayEnd = removeOnComplete === true && returnValue == null && !metrics && !name && !this.#isLimited();
    if (!everydayEnd || job.id === undefined) return bull();
    const turn: Turn = { token, ended: job.id, endedAt: null, takes };
    const taken = await this.#turns.add(turn);
    // It is not this worker's any more, or it has children that have not ended: BullMQ says which.
    if (turn.endedAt === null) return bull();
    return { result: takes ? await this.#seat(token, taken) : undefined, finishedOn: turn.endedAt };
  }

  /** 1, or 0 when the job is not held by this token any more. `duration`: in milliseconds from now on. */
  override async extendLock(jobId: string, token: string, duration: number): Promise<number> {
    const { rows } = await this.#ask<{ held: number }>('lean-hold', HOLD, [this.queueName, jobId, token, duration]);
    return rows[0]!.held;
  }

  #isLimited(): boolean {
    return (this.opts as { limiter?: unknown }).limiter !== undefined;
  }

  /** What a worker wants to hear: the job, its id, for how long a limit holds, and when the next delayed job is due. */
  async #seat(token: string, taken: TakenJob | null): Promise<unknown[]> {
    if (taken === null) return super.moveToActive(token);
    return [taken.job, taken.job?.id ?? '', 0, taken.due];
  }

  /** Ends and takes at once, and says in each turn when its job ended. Null: BullMQ has to take a job for it. */
  async #turn(turns: Turn[]): Promise<(TakenJob | null)[]> {
    const ending = turns.filter((each) => each.ended !== null);
    const row = await this.#askTurn(
      ending,
      turns.filter((each) => each.takes),
    );
    const ended = new Set(row.ended);
    for (const each of ending) if (ended.has(each.ended as string)) each.endedAt = Number(row.now);
    const taken = new Map(row.taken?.map((each) => [each.token, each]));
    const left = turns
      .filter(
        ({ token, ended: own, endedAt, takes }) => takes && (own === null || endedAt !== null) && !taken.has(token),
      )
      .map((each) => ({ ...each, ended: null }));
    // A statement does not see the parents that it has woken itself. What is ended and taken stands, whatever becomes of this question.
    const more = row.woken && left.length > 0 ? await this.#askTurn([], left).catch(() => undefined) : undefined;
    for (const each of more?.taken ?? []) taken.set(each.token, each);
    const due = row.next_delay === null ? 0 : Number(row.next_delay);
    return turns.map(({ token, takes }) => {
      const mine = taken.get(token);
      return takes && row.unusual && !mine ? null : { job: mine ? toJson(mine) : null, due };
    });
  }

  async #askTurn(ending: readonly Turn[], taking: readonly Turn[]): Promise<TurnRow> {
    const { rows } = await this.#ask<TurnRow>('lean-turn', TURN, [
      this.queueName,
      ending.map((each) => each.ended),
      ending.map((each) => each.token),
      taking.map((each) => each.token),
      taking.map((each) => each.ended),
      (this.opts as { lockDuration?: number }).lockDuration ?? BULL_LOCK_MS,
    ]);
    return rows[0]!;
  }

  #ask<R>(name: string, text: string, values: unknown[]): Promise<{ rows: R[] }> {
    const pool = this.connection.pool as unknown as Asked;
    return pool.query({ name, text }, values) as Promise<{ rows: R[] }>;
  }
}

/** The pool that BullMQ was given, and how it takes prepared statements. */
interface Asked {
  query(statement: { name: string; text: string }, values: unknown[]): Promise<{ rows: unknown[] }>;
}

interface Completed {
  result: void | unknown[];
  finishedOn: number;
}

/** As BullMQ's `createPostgresBackend`, for `withBackend`. */
export function createLeanBackend(
  name: string,
  opts: Options,
  { withBlockingConnection = false } = {},
): LeanPostgresBackend {
  const connection = new PostgresConnection(opts.connection);
  return new LeanPostgresBackend(connection, name, opts, true, withBlockingConnection ? name : undefined);
}

/** In how many statements at once a process ends and takes jobs, and how many each holds at most. */
const STATEMENTS_AT_ONCE = 2;
const MOST_TURNS = 200;
const BULL_LOCK_MS = 30_000;
const UNIQUE_VIOLATION = '23505';

/** A worker's place: what it has ended, and whether it wants another job. */
interface Turn {
  token: string;
  ended: string | null;
  /** In milliseconds since the epoch; null: it did not end. */
  endedAt: number | null;
  takes: boolean;
}

interface TakenJob {
  job: JobJson | null;
  /** When the next delayed job is due, in milliseconds since the epoch; 0: there is none. */
  due: number;
}

interface TurnRow {
  /** PostgreSQL's time of day, in milliseconds since the epoch. */
  now: string;
  ended: string[] | null;
  taken: TakenRow[] | null;
  unusual: boolean;
  /** A parent waits for a worker now. */
  woken: boolean;
  /** In milliseconds since the epoch. */
  next_delay: string | number | null;
}

interface TakenRow {
  token: string;
  id: string;
  name: string;
  data: unknown;
  opts: JobJson['opts'];
  attemptsMade: number;
  attemptsStarted: number;
  timestamp: number;
  processedOn: number;
  stalled: number;
  failedReason: string | null;
  stacktrace: unknown;
  deferredFailure: string | null;
  parentQueue: string | null;
  parentId: string | null;
  parentKey: string | null;
}

function toJson(row: TakenRow): JobJson {
  return {
    id: row.id,
    name: row.name,
    data: JSON.stringify(row.data),
    opts: row.opts,
    progress: 0,
    attemptsMade: row.attemptsMade,
    attemptsStarted: row.attemptsStarted,
    processedOn: row.processedOn,
    timestamp: row.timestamp,
    delay: 0,
    priority: 0,
    ...(row.failedReason !== null && { failedReason: row.failedReason }),
    stacktrace: JSON.stringify(row.stacktrace ?? []),
    returnvalue: 'null',
    ...(row.parentId !== null && { parent: { id: row.parentId, queueKey: row.parentQueue ?? '' } }),
    ...(row.parentKey !== null && { parentKey: row.parentKey }),
    ...(row.deferredFailure !== null && { deferredFailure: row.deferredFailure }),
    stalledCounter: row.stalled,
  } as JobJson;
}

type FlowEntry = Parameters<PostgresQueueBackend['addFlow']>[0][number];

interface NewJob {
  queue: string;
  id: string;
  name: string;
  data: string;
  opts: string;
  attempts: number;
  parent: string | null;
  /** How many of the others it waits for; null: it does not wait. */
  children: number | null;
}

/** Undefined unless all are everyday jobs of one queue, each named once, with their parents among them. */
function everyday(entries: FlowEntry[]): NewJob[] | undefined {
  const [first] = entries;
  const ids = new Set(entries.map((each) => each.jobId));
  if (!first || ids.size < entries.length) return undefined;
  const children = new Map<string, number>();
  for (const { jobData } of entries) {
    const parent = jobData.parent?.id;
    if (parent !== undefined) children.set(parent, (children.get(parent) ?? 0) + 1);
  }
  const jobs = entries.map(({ queueName, jobId, jobData, parentKeyOpts }): NewJob | undefined => {
    const { parent, data, name, opts, delay } = jobData;
    const waits = parentKeyOpts.addToWaitingChildren === true;
    const below = children.get(jobId) ?? 0;
    const known = parent?.id === undefined || (parent.queueKey === queueName && ids.has(parent.id));
    const plain = known && waits === below > 0 && isPlain(jobData);
    if (!plain || jobId === '' || queueName !== first.queueName) return undefined;
    return {
      queue: queueName,
      id: jobId,
      name,
      data,
      opts: JSON.stringify(delay === undefined ? opts : { ...opts, delay }),
      attempts: opts.attempts ?? 1,
      parent: parent?.id ?? null,
      children: waits ? below : null,
    };
  });
  return jobs.every((each) => each !== undefined) ? jobs : undefined;
}

function isPlain({ opts, delay, priority, deduplicationId, repeatJobKey }: JobJson): boolean {
  const special = delay || priority || deduplicationId || repeatJobKey;
  return !special && !opts.delay && !opts.priority && !opts.lifo && !opts.deduplication;
}

/** PostgreSQL's time of day, in milliseconds since the epoch. */
const NOW = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

/** All or none: with one that is there already nothing is added. */
const ADD = `
WITH given AS (
  SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::int[])
    WITH ORDINALITY AS g (id, name, data, opts, attempts, parent, children, place)
), known AS (
  SELECT FROM given WHERE EXISTS (SELECT FROM job WHERE job.queue = $1 AND job.id = given.id OFFSET 0) LIMIT 1
), added AS (
  INSERT INTO job (queue, id, seq, name, state, data, opts, max_attempts, added_at_ms, parent_queue, parent_id, parent_key, pending_deps)
  SELECT $1, id, nextval('job_seq'), name, CASE WHEN children IS NULL THEN 'waiting' ELSE 'waiting-children' END::job_state,
         data::jsonb, opts::jsonb, attempts, ${NOW}, CASE WHEN parent IS NOT NULL THEN $1 END, parent, $1 || ':' || parent,
         coalesce(children, 0)
  FROM (SELECT * FROM given ORDER BY place) AS g WHERE NOT EXISTS (SELECT FROM known)
  RETURNING id, parent_id, state
), below AS (
  INSERT INTO job_dependency (parent_queue, parent_id, child_queue, child_id, child_key)
  SELECT $1, parent_id, $1, id, $1 || ':' || id FROM added WHERE parent_id IS NOT NULL
), told AS (
  SELECT pg_notify('bullmq_jobs', $1) FROM (SELECT FROM added WHERE state = 'waiting' LIMIT 1) AS any_of_them
)
SELECT EXISTS (SELECT FROM added) AS added, (SELECT count(*) FROM told)`;

/** By its key alone: BullMQ's own goes through the index of all active jobs where its plan was made while there were none. */
const HOLD = `
WITH held AS (
  UPDATE job SET locked_until_ms = ${NOW} + $4 WHERE queue = $1 AND id = $2 AND state::text = 'active' AND lock_token = $3
  RETURNING 1
)
SELECT count(*)::int AS held FROM held`;

/**
 * Ends jobs and takes others, one for each token whose own job is ended. A job that is not held by its token, or whose children have not ended, is
 * not ended. A parent whose last child ends begins to wait for a worker; parents are locked in the order of their names, so that two
 * statements that end children of the same ones do not wait for each other. Nothing is taken while a delayed job is due, or while the
 * queue is paused or limited: \`unusual\`. A plan is made once, and
 * mostly while the queue is empty: each row is looked up by the whole of its key, in a subquery that nothing is joined into.
 */
const TURN = `
WITH ending AS MATERIALIZED (
  SELECT at.row, e.token FROM unnest($2::text[], $3::text[]) AS e (id, token), LATERAL (
    SELECT ctid AS row FROM job WHERE queue = $1 AND id = e.id OFFSET 0) AS at
), over AS (
  DELETE FROM job USING ending AS e
  WHERE job.ctid = e.row AND job.state::text = 'active' AND job.lock_token = e.token
    AND job.dedup_id IS NULL AND coalesce(job.parent_queue, $1) = $1
    AND NOT EXISTS (
      SELECT FROM job_dependency d
      WHERE d.parent_queue = $1 AND d.parent_id = job.id AND d.status IN ('pending', 'failed') OFFSET 0)
  RETURNING job.id, job.parent_id
), kept AS (
  UPDATE job_dependency d SET status = 'processed', value = 'null'::jsonb
  FROM over, LATERAL (
    SELECT ctid AS row FROM job_dependency b
    WHERE b.child_queue = $1 AND b.child_id = over.id AND b.parent_id || '' = over.parent_id OFFSET 0) AS at
  WHERE d.ctid = at.row
), fewer AS MATERIALIZED (
  SELECT parent_id AS id, count(*)::int AS ended FROM over WHERE parent_id IS NOT NULL GROUP BY parent_id
), locked AS MATERIALIZED (
  SELECT parent.*, fewer.ended FROM (SELECT * FROM fewer ORDER BY id) AS fewer, LATERAL (
    SELECT id, seq, name, state, added_at_ms, greatest(pending_deps - fewer.ended, 0) AS open
    FROM job WHERE queue = $1 AND id = fewer.id FOR UPDATE) AS parent
), parent AS (
  -- The row that was locked, also where this statement does not see what it has become: by its key, and never a new one.
  INSERT INTO job (queue, id, seq, name, state, added_at_ms, pending_deps)
  SELECT $1, id, seq, name, state, added_at_ms, open FROM locked
  ON CONFLICT (queue, id) DO UPDATE SET
    pending_deps = excluded.pending_deps,
    state = CASE WHEN excluded.pending_deps > 0 OR job.state <> 'waiting-children' THEN job.state
                 WHEN job.delay_ms > 0 THEN 'delayed' ELSE 'waiting' END,
    process_at_ms = CASE WHEN excluded.pending_deps > 0 OR job.state <> 'waiting-children' OR job.delay_ms = 0
                         THEN job.process_at_ms ELSE ${NOW} + job.delay_ms END,
    seq = CASE WHEN excluded.pending_deps > 0 OR job.state <> 'waiting-children' THEN job.seq ELSE nextval('job_seq') END
  RETURNING state, pending_deps
), told AS (
  SELECT pg_notify('bullmq_jobs', $1) FROM (SELECT FROM parent WHERE state IN ('waiting', 'delayed') LIMIT 1) AS any_of_them
), delayed AS (
  SELECT min(process_at_ms) AS next FROM job WHERE queue = $1 AND state = 'delayed'
), unusual AS (
  SELECT coalesce((SELECT next <= ${NOW} FROM delayed), false) OR EXISTS (
    SELECT FROM meta WHERE queue = $1 AND (field IN ('concurrency', 'max') OR (field = 'paused' AND value = '1'))) AS found
), place AS (
  SELECT token, row_number() OVER () AS number FROM unnest($4::text[], $5::text[]) AS t (token, after)
  WHERE after IS NULL OR after IN (SELECT id FROM over)
), free AS (
  SELECT ctid AS row FROM job WHERE queue = $1 AND state = 'waiting' AND NOT (SELECT found FROM unusual)
  ORDER BY priority, seq LIMIT (SELECT count(*) FROM place) FOR UPDATE SKIP LOCKED
), seat AS MATERIALIZED (
  SELECT f.row, place.token FROM (SELECT row, row_number() OVER () AS number FROM free) AS f JOIN place USING (number)
), taken AS (
  UPDATE job SET state = 'active', lock_token = seat.token, locked_until_ms = ${NOW} + $6, processed_at_ms = ${NOW},
                 processed_by = NULL, attempts_started = attempts_started + 1
  FROM seat WHERE job.ctid = seat.row
  RETURNING job.*
)
SELECT ${NOW} AS now, (SELECT array_agg(id) FROM over) AS ended,
  (SELECT json_agg(json_build_object(
     'token', lock_token, 'id', id, 'name', name, 'data', data, 'opts', opts, 'attemptsMade', attempts_made,
     'attemptsStarted', attempts_started, 'timestamp', added_at_ms, 'processedOn', processed_at_ms, 'stalled', stalled_count,
     'failedReason', failed_reason, 'stacktrace', stacktrace, 'deferredFailure', deferred_failure, 'parentQueue', parent_queue,
     'parentId', parent_id, 'parentKey', parent_key)) FROM taken) AS taken,
  (SELECT found FROM unusual) AS unusual, (SELECT next FROM delayed) AS next_delay,
  EXISTS (SELECT FROM told) AS woken`;
