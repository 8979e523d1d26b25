import { createHash } from 'node:crypto';
import { type EntityManager, In } from 'typeorm';
import { refusal, RefusedError } from '../core/problems.ts';
import { LOCK_IDEMPOTENCY_KEY } from '../entities/locks.ts';
import { IdempotencyKeyRow } from '../entities/log-rows.ts';

export interface KeyedInput {
  /** Who gave the key: the same word of somebody else is another key. Null: nobody in particular. */
  by: string | null;
  operation: string;
  key: string | undefined;
  input: unknown;
}

/**
 * Runs `make` once per operation and key: the same key with the same input answers what was made the first time, with another
 * input it is refused. Two callers at once take turns on the key; whoever comes second finds the first one's answer.
 */
export async function onceByKey(
  manager: EntityManager,
  keyed: KeyedInput,
  make: () => Promise<string>,
): Promise<string> {
  const { operation, key } = keyed;
  if (key === undefined) return make();
  const caller = callerOf(keyed);
  await manager.query(LOCK_IDEMPOTENCY_KEY, [`${caller} ${operation} ${key}`]);
  const known = await earlierResult(manager, keyed);
  if (known !== null) return known;
  const result = await make();
  await manager.getRepository(IdempotencyKeyRow).insert({ caller, operation, key, input: digest(keyed.input), result });
  return result;
}

/** What the key made before, or null; refused when it was used with another input. */
export async function earlierResult(
  manager: EntityManager,
  { by, operation, key, input }: KeyedInput,
): Promise<string | null> {
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
  return known.result;
}

/**
 * For what takes too long to do while the key is locked: what the key made before, else what `make` answers, which keeps it
 * under the key. The same request sent twice at once may be refused here because of what it has just made there: that counts.
 */
export async function unlessMade(
  manager: EntityManager,
  keyed: KeyedInput,
  make: () => Promise<string>,
): Promise<string> {
  const known = await earlierResult(manager, keyed);
  if (known !== null) return known;
  try {
    return await make();
  } catch (error) {
    const made = error instanceof RefusedError ? await earlierResult(manager, keyed) : null;
    if (made === null) throw error;
    return made;
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
