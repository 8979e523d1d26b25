import { CLOCK_TOLERANCE, Rounds } from './clock.ts';
import type { SharedClock } from './clock.ts';
import { spell } from './core/duration.ts';
import type { Log } from './log.ts';

/** In milliseconds. Between two questions the clock counts on by itself. */
const PAUSE = 5_000;

/** Asks for the time now, and again and again; tells when this machine's own time of day is wrong, and when it is right again. */
export async function watchClock(clock: SharedClock, ask: () => Promise<number>, log: Log): Promise<Rounds> {
  let wrong = false;
  const look = async (): Promise<void> => {
    await clock.ask(ask);
    if (isWrong(clock) === wrong) return;
    wrong = !wrong;
    if (wrong) log.warn({ aheadMs: clock.ahead() }, `${whatIsWrong(clock)}: PostgreSQL's counts; set this one right`);
    else log.info('the clock of this machine agrees with that of PostgreSQL again');
  };
  await look();
  const rounds = new Rounds(clock, 'clock', PAUSE, () =>
    look().catch((error: unknown) => log.debug({ error }, 'PostgreSQL could not be asked for the time')),
  );
  rounds.start();
  return rounds;
}

export function isWrong(clock: SharedClock): boolean {
  return Math.abs(clock.ahead()) > CLOCK_TOLERANCE;
}

export function whatIsWrong(clock: SharedClock): string {
  const ahead = clock.ahead();
  const by = spell(Math.round(Math.abs(ahead) / 1000) * 1000);
  return `the clock of this machine is ${by} ${ahead > 0 ? 'ahead of' : 'behind'} that of PostgreSQL`;
}
