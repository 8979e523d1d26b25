/** Why a look at a repository got no answer. */
export type LookFailure =
  /** The login was refused, or one is needed: a person has to act. */
  | 'CREDENTIALS'
  | 'NOT_FOUND'
  /** The address may not be called from here, or is none. */
  | 'REFUSED'
  | 'RATE_LIMITED'
  | 'UNREACHABLE';

/** What a look came to. Failures are expected: hosts go away, tokens expire. */
export type HeadsAnswer =
  /** Branch → commit, of those asked for that are there. */
  | { kind: 'HEADS'; heads: ReadonlyMap<string, string> }
  /** `retryAfter`: milliseconds that the host asked for. */
  | { kind: 'FAILED'; why: LookFailure; message: string; retryAfter?: number };

/** A repository as people see it. */
export interface LookShown {
  repository: string;
  lookedAt: Date | null;
  nextAt: Date | null;
  heads: Record<string, string>;
  failures: number;
  error: string | null;
  errorKind: LookFailure | null;
  /** Why its pull requests could not be listed the last time. */
  pullError: string | null;
}

/** Failures after which only a person, a hint or a new secret brings the next look. */
const FINAL: ReadonlySet<LookFailure> = new Set(['CREDENTIALS', 'REFUSED']);

/** Pauses after failures grow from one to the other, in milliseconds. */
const SHORTEST = 5_000;
const LONGEST = 15 * 60_000;
/** When the host asks to be left alone and does not say for how long, in milliseconds. */
const PAUSE_OF_HOST = 60_000;

/** When the repository, and its host, are called again. */
export interface NextLook {
  /** Milliseconds; null: not by itself. */
  after: number | null;
  /** For so long no repository of the host is looked at, in milliseconds. */
  hostPause: number | null;
}

/**
 * When a repository is looked at again. `failures`: in a row, this one included. `random` (0 to 1) keeps the looks at many
 * repositories apart; it only ever shortens the interval, which is a promise.
 */
export function nextLook(
  answer: HeadsAnswer,
  { interval, failures, random }: { interval: number; failures: number; random: number },
): NextLook {
  const jitter = 1 - 0.15 * random;
  if (answer.kind === 'HEADS') return { after: Math.round(interval * jitter), hostPause: null };
  if (FINAL.has(answer.why)) return { after: null, hostPause: null };
  const doubled = Math.min(Math.min(SHORTEST, interval) * 2 ** Math.min(failures - 1, 20), LONGEST);
  const hostPause = answer.retryAfter ?? (answer.why === 'RATE_LIMITED' ? PAUSE_OF_HOST : null);
  return { after: Math.max(Math.round(doubled * jitter), hostPause ?? 0), hostPause };
}
