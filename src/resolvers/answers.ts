import { GraphQLError } from 'graphql';
import type { Result } from '../commands/result.ts';
import { steeringIn } from '../core/printable.ts';
import type { Refusal } from '../core/problems.ts';
import { refusal } from '../core/problems.ts';
import { badInput } from '../schema/connection.ts';
import { ConflictError, toUserError } from '../schema/user-errors.ts';
import type { UserError } from '../schema/user-errors.ts';

type Path = (string | number)[];

/** Refusals as user errors; `place` tells where in the input the path of a refusal stands. */
export function refused(refusals: Refusal[], place: (path: Path) => Path = (path) => path): UserError[] {
  return refusals.map((each) => toUserError(each, ['input', ...place(each.path)]));
}

/** Of a definition: a conflict carries the revision that it has now, which `current` finds. */
export async function refusedWithRevision(
  refusals: Refusal[],
  place: (path: Path) => Path,
  current: () => Promise<number>,
): Promise<UserError[]> {
  const revision = refusals.some((each) => each.code === 'CONFLICT') ? await current() : 0;
  return refused(refusals, place).map((error) =>
    error.code === 'CONFLICT' ? Object.assign(new ConflictError(), error, { currentRevision: revision }) : error,
  );
}

// A surrogate without its other half, or NUL: PostgreSQL stores neither, so nothing can be named like that.
const UNSTORABLE = /\0|[\ud800-\udfff]/u;

export const isStorable = (text: string): boolean => !UNSTORABLE.test(text);

/** Fields of inputs whose text is not for people: manifests, which have rules of their own, and secrets. It must be storable, and that is all. */
const RAW = ['text', 'secretValue', 'input.text', 'input.secretValue'];

/**
 * Texts that cannot be stored or printed, wherever they stand in an input. PostgreSQL has neither NUL nor half a character; control
 * and bidirectional characters steer the terminals of others. Tabs and line breaks are fine.
 */
export function unstorable(input: unknown): Refusal[] {
  const found: Refusal[] = [];
  const open: { value: unknown; path: Path }[] = [{ value: input, path: [] }];
  for (let next = open.pop(); next !== undefined && found.length < 20; next = open.pop()) {
    const { value, path } = next;
    if (typeof value === 'string') {
      const wrong = wrongIn(value, RAW.includes(path.join('.')));
      if (wrong) found.push(refusal('INVALID', `the text ${wrong}`, path));
    } else if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
      for (const [key, each] of Object.entries(value)) {
        const wrong = wrongIn(key, false);
        if (wrong) found.push(refusal('INVALID', `a key ${wrong}`, path));
        else open.push({ value: each, path: [...path, Array.isArray(value) ? Number(key) : key] });
      }
    }
  }
  return found;
}

/** What the command answers; refused before it is asked where the database could not even hold its input. */
export async function ifStorable<T>(input: unknown, command: () => Promise<Result<T>>): Promise<Result<T>> {
  const wrong = unstorable(input);
  return wrong.length > 0 ? { refusals: wrong } : command();
}

function wrongIn(text: string, raw: boolean): string | undefined {
  if (!isStorable(text)) return 'has a NUL character or half a character; remove it';
  return raw ? undefined : steeringIn(text, { lines: true });
}

/** The same for the arguments of a query, where it is a fault of the client. */
export function checkStorable(args: Record<string, unknown>): void {
  const [first] = unstorable(args);
  if (first) throw badInput(`${first.path.join('.')}: ${first.message}`, first.path.join('.'));
}

export function gone(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'NOT_FOUND' } });
}
