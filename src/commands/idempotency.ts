import { createHash } from 'node:crypto';
import { type EntityManager, In } from 'typeorm';
import { refusal, RefusedError } from '../core/problems.ts';
import { LOCK_IDEMPOTENCY_KEY } from '../entities/locks.ts';
import { IdempotencyKeyRow } from '../entities/log-rows.ts';
import type { Parts } from '../parts.ts';

/** A request with the key that makes it one, however often it is sent. */
export interface KeyedInput {
  /** Who gave the key: the same word from another caller is another key. Null: a caller without a name. */
  by: string | null;
  operation: string;
  key: string | undefined;
  input: unknown;
}

/** What is done once for a key, and when. */
export interface Once<P, R> {
  /** Slow work, network included: before the key is locked, and only when the key has no result yet. */
  before?: () => Promise<P>;
  /** Makes the result, any JSON, which is kept with the key in the same transaction. Left out: the result is that of `before`. */
  inside: (tx: EntityManager, prepared: P) => Promise<R>;
  /** `inside` is one statement at the most: without a key it needs no transaction. */
  single?: true;
}

/**
 * Does something once per caller, operation and key: the same key with the same input answers the first result, with another
 * input it is refused. Two calls at once take turns on the key; the second one finds the first one's result, also where
 * `before` is refused because of what the first one has made there. Without a key it is simply done.
 *
 * @throws RefusedError IDEMPOTENCY_MISMATCH, and whatever the two functions throw
 */
export async function once<P, R>(app: Parts, keyed: KeyedInput, how: Once<P, R>): Promise<R>;
export async function once<R>(app: Parts, keyed: KeyedInput, how: { before: () => Promise<R> }): Promise<R>;
export async function once<P, R>(
  { dataSource }: Parts,
  keyed: KeyedInput,
  { before, inside, single }: Partial<Once<P, R>>,
): Promise<R> {
  const { manager } = dataSource;
  let prepared: P | undefined;
  if (before) {
    const earlier = await earlierResult<R>(manager, keyed);
    if (earlier) return earlier.result;
    try {
      prepared = await before();
    } catch (error) {
      const made = error instanceof RefusedError ? await earlierResult<R>(manager, keyed) : null;
      if (made === null) throw error;
      return made.result;
    }
  }
  const make = async (tx: EntityManager): Promise<R> => (inside ? inside(tx, prepared as P) : (prepared as R));
  if (keyed.key === undefined && (single || !inside)) return make(manager);
  return dataSource.transaction((tx) => onceIn(tx, keyed, () => make(tx)));
}

/** The same in a transaction of the caller. */
export async function onceIn<R>(tx: EntityManager, keyed: KeyedInput, make: () => Promise<R>): Promise<R> {
  const { operation, key } = keyed;
  if (key === undefined) return make();
  const caller = callerOf(keyed);
  await tx.query(LOCK_IDEMPOTENCY_KEY, [`${caller} ${operation} ${key}`]);
  const earlier = await earlierResult<R>(tx, keyed);
  if (earlier) return earlier.result;
  const result = await make();
  const row = { caller, operation, key, input: digest(keyed.input), result: written(result) };
  await tx.getRepository(IdempotencyKeyRow).insert(row);
  return result;
}

/** What a call has made already that comes again with its key; null: it has not, or is not the same call. */
export async function madeBefore<R>({ dataSource }: Pick<Parts, 'dataSource'>, keyed: KeyedInput): Promise<R | null> {
  try {
    return (await earlierResult<R>(dataSource.manager, keyed))?.result ?? null;
  } catch (error) {
    if (error instanceof RefusedError) return null;
    throw error;
  }
}

/** What the key made before, or null; refused when it was used with another input. */
async function earlierResult<R>(
  manager: EntityManager,
  { by, operation, key, input }: KeyedInput,
): Promise<{ result: R } | null> {
  if (key === undefined) return null;
  const caller = In([callerOf({ by }), BEFORE]);
  const rows = await manager.getRepository(IdempotencyKeyRow).findBy({ caller, operation, key });
  const own = rows.find((row) => row.caller !== BEFORE);
  // A key from before may be anybody's: the same request is taken for the same, another one says nothing about the caller's.
  const known = own ?? rows.find((row) => row.input === digest(input));
  if (!known) return null;
  if (known.input !== digest(input)) {
    const message = `idempotency key "${key}" was used with another input: take a new key for a new request`;
    throw new RefusedError([refusal('IDEMPOTENCY_MISMATCH', message, ['idempotencyKey'])]);
  }
  return { result: read(known.result) as R };
}

/** An id stands as it is, as it did when results were ids alone: processes of an earlier version read it. */
function written(result: unknown): string {
  return typeof result === 'string' && read(result) === result ? result : JSON.stringify(result);
}

function read(stored: string): unknown {
  try {
    return JSON.parse(stored);
  } catch {
    return stored;
  }
}

/** What the key stood for was refused after all: the key is free again. */
export async function forgetKey(manager: EntityManager, { by, operation, key }: KeyedInput): Promise<void> {
  if (key !== undefined)
    await manager.getRepository(IdempotencyKeyRow).delete({ caller: callerOf({ by }), operation, key });
}

/** The caller of keys that were given before callers were kept. */
const BEFORE = '';

const callerOf = ({ by }: Pick<KeyedInput, 'by'>): string => (by === null ? 'nobody' : `caller ${by}`);

function digest(input: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(input)))
    .digest('hex');
}

/** The same input in another order of keys is the same input. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value instanceof Date) return value.toISOString();
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}
