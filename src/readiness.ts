import type { App } from './app.ts';
import type { EventLog } from './events/event-log.ts';
import { isWrong, whatIsWrong } from './watch-clock.ts';
import { lateness } from './store/unfinished.ts';

export interface PartState {
  ok: boolean;
  /** Whether this process needs it for what it does: what others need is told, and changes nothing. */
  needed: boolean;
  /** What was found, in words. */
  detail: string;
}

export interface Readiness {
  ready: boolean;
  /** How late the oldest due work of the whole installation is, in milliseconds; null when the database did not say. */
  lateMs: number | null;
  parts: Record<string, PartState>;
}

/** Work or events that are later than this, in milliseconds, mean that nothing progresses. */
const TOO_LATE = 10_000;
/** What does not answer within this time, in milliseconds, does not answer. */
const PATIENCE = 2_000;

/**
 * Not "does it listen" but "does it do its work". A process that serves the API needs the database and the log: people watch,
 * approve and terminate also while the queue is away or no worker runs. A process that only works needs the database and the
 * queue, and is not ready while work that is due lies there.
 * @param log of a process that serves the API; null: it only works.
 */
export async function readiness(
  app: Pick<App, 'pool' | 'queue' | 'clock' | 'config'>,
  log: Pick<EventLog, 'health'> | null,
): Promise<Readiness> {
  let lateMs: number | null = null;
  const works = log === null;
  const parts: Record<string, PartState> = Object.fromEntries(
    await Promise.all([
      part('database', true, async () => {
        await app.pool.query('SELECT 1');
        return 'answers';
      }),
      part('queue', works, async () => {
        await app.queue.ping();
        return 'answers';
      }),
      part('engine', works, async () => {
        const late = Math.round(await lateness(app.pool));
        lateMs = late;
        if (late > TOO_LATE) throw new Error(`the oldest due work is ${seconds(late)} late: is a worker running?`);
        return late === 0 ? 'nothing is overdue' : `the oldest due work is ${seconds(late)} late`;
      }),
      part('events', !works, async () => eventsState(log)),
      part('clock', true, async () => clockState(app)),
    ]),
  );
  return { ready: Object.values(parts).every((each) => each.ok || !each.needed), lateMs, parts };
}

/** Decisions are made at PostgreSQL's time all the same; what else happens on the machine (logins, commits) is not. */
function clockState({ clock, config }: Pick<App, 'clock' | 'config'>): string {
  if (!isWrong(clock)) return "agrees with PostgreSQL's";
  if (config.role === 'api') return whatIsWrong(clock);
  throw new Error(whatIsWrong(clock));
}

function eventsState(log: Pick<EventLog, 'health'> | null): string {
  if (!log) return 'not read by this process';
  const { lookedAgo, heldForMs, error } = log.health();
  if (lookedAgo > TOO_LATE) throw new Error(`the log was last read ${seconds(lookedAgo)} ago: ${error ?? 'no answer'}`);
  // Not a fault of ours and no reason to take this server away: any other one would wait for the same transaction.
  if (heldForMs > TOO_LATE)
    return `new events have waited ${seconds(heldForMs)} for an open transaction on the PostgreSQL server`;
  return 'read';
}

/** The library of Redis tells what it would need to wait for a connection, and not that there is none. */
function wording(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.includes('enableOfflineQueue') ? 'Redis does not answer' : error.message || error.name;
}

async function part(name: string, needed: boolean, check: () => Promise<string>): Promise<[string, PartState]> {
  let timer: NodeJS.Timeout | undefined;
  const impatience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${seconds(PATIENCE)}`)), PATIENCE);
  });
  try {
    return [name, { ok: true, needed, detail: await Promise.race([check(), impatience]) }];
  } catch (error) {
    return [name, { ok: false, needed, detail: wording(error) }];
  } finally {
    clearTimeout(timer);
  }
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
