import type { HealthStatus } from '../definitions.ts';
import type { CandidateStatus } from './candidate.ts';

/** A candidate that has not ended, as far as its next step depends on it; times in milliseconds (UTC). */
export interface OpenCandidate {
  status: CandidateStatus;
  coalescedAt: number;
  expiresAt: number;
  /** Tries in a row that failed. */
  attempts: number;
}

/** A pause of automatic triggers. */
export interface Pause {
  reason: string;
  by: string | null;
  until: number | null;
}

/** How an application of the trigger environment stands with the change. */
export interface Standing {
  application: string;
  synced: boolean;
  health: HealthStatus;
  /** In words. */
  message: string;
  /** When to ask again, in milliseconds; absent: a report will come. */
  recheckAfter?: number;
}

/** What is known at a look; `standing` is asked only when nothing else stands in the way. */
export interface Look {
  now: number;
  pause: Pause | null;
  standing?: readonly Standing[];
  /** Why it could not be looked at this time. */
  failed?: string;
  /** Milliseconds for which its source asked to be left alone. */
  retryAfter?: number | undefined;
}

/** ASK: how the applications stand has to be asked first. */
export type NextStep =
  | { kind: 'ASK' }
  | { kind: 'RELEASE' }
  | {
      kind: 'WAIT';
      status: 'COALESCING' | 'WAITING';
      reason: string;
      dueAt: number;
      expiresAt: number;
      attempts: number;
    }
  | { kind: 'END'; status: 'FAILED' | 'REFUSED'; reason: string };

/**
 * What a candidate does next: first further pushes may still belong to it, then a pause holds it, then the trigger environment has to run
 * it healthily. Whatever it waits for is said, and ends with its expiry; a pause does not count.
 */
export function nextStep({ status, coalescedAt, expiresAt, attempts }: OpenCandidate, look: Look): NextStep {
  const { now, pause, standing, failed, retryAfter = 0 } = look;
  if (status === 'COALESCING' && now < coalescedAt) {
    const reason = 'further pushes may belong to it';
    return { kind: 'WAIT', status, reason, dueAt: coalescedAt, expiresAt, attempts };
  }
  if (pause) {
    const { reason, until } = pause;
    const end = until === null ? '' : ` until ${new Date(until).toISOString()}`;
    const by = pause.by === null ? '' : ` by ${pause.by}`;
    const dueAt = until === null ? now + BACKUP : Math.min(until, now + BACKUP);
    const told = `automatic triggers are paused${end}${by}: ${reason}`;
    return { kind: 'WAIT', status: 'WAITING', reason: told, dueAt, expiresAt: now + EXPIRY, attempts };
  }
  if (failed !== undefined) {
    if (now >= expiresAt)
      return { kind: 'END', status: 'FAILED', reason: `given up after ${attempts + 1} tries: ${failed}` };
    const backoff = Math.min(FIRST_PAUSE * 2 ** Math.min(attempts, 20), LONGEST_PAUSE);
    const dueAt = Math.min(now + Math.max(backoff, retryAfter), expiresAt);
    return { kind: 'WAIT', status: 'WAITING', reason: failed, dueAt, expiresAt, attempts: attempts + 1 };
  }
  if (standing === undefined) return { kind: 'ASK' };
  const missing = standing.filter(({ synced, health }) => !synced || health !== 'HEALTHY');
  if (missing.length === 0) return { kind: 'RELEASE' };
  const waits = missing.map(({ application, synced, health, message }) =>
    synced ? `${application} is ${health}${message && `: ${message}`}` : message,
  );
  const reason = `waits for the trigger environment: ${waits.join('; ')}`;
  if (now >= expiresAt)
    return { kind: 'END', status: 'FAILED', reason: `given up after ${EXPIRY / HOUR} hours; it ${reason}` };
  const again = Math.min(...missing.map((each) => each.recheckAfter ?? BACKUP));
  return {
    kind: 'WAIT',
    status: 'WAITING',
    reason,
    dueAt: Math.min(now + Math.max(again, SECOND), expiresAt),
    expiresAt,
    attempts: 0,
  };
}

const SECOND = 1_000;
const HOUR = 60 * 60 * SECOND;
/** What is told by a report is looked at so often all the same: the telling may have been lost. */
const BACKUP = 30 * SECOND;
/**
 * So long before its pushes are together a candidate is looked at first: what it would release is read from its sources by then, and seldom
 * for nothing.
 */
export const READ_AHEAD = SECOND / 2;
/** A candidate waits so long for its trigger environment. */
export const EXPIRY = 24 * HOUR;
/** Between two tries after one that failed. */
const FIRST_PAUSE = 2 * SECOND;
const LONGEST_PAUSE = 5 * 60 * SECOND;
