import { writeFile } from 'node:fs/promises';
import { Random } from '../chaos/random.ts';
import { Reached } from '../test/core/support/reached.ts';
import { playShellWorld } from '../test/shell/support/play.ts';
import { MOODS } from '../test/shell/support/definitions.ts';
import type { Mood } from '../test/shell/support/definitions.ts';
import { missingSeams } from '../test/shell/support/must-reach.ts';
import { dropTestDatabases } from '../test/support/database.ts';
import { startPostgres } from '../test/support/servers.ts';

export interface ShellOptions {
  /** Milliseconds. */
  lasts: number;
  seed: number;
  /** This world alone, with its trace: the number that a broken promise names. */
  world?: number;
  json?: string;
  /** How many broken worlds are enough. */
  until: number;
  /** Kinds of broken promises that are passed over, to look for what is behind them. */
  passOver: string[];
  /** What all worlds are about; each world draws it when left out. */
  mood?: Mood;
}

/**
 * The second ring: the shell of Sluice on a real PostgreSQL, worlds without end until the time is over. The exit code is 0 when no
 * promise was broken and each seam was reached with each fault that fits it.
 */
export async function simulateShell(options: ShellOptions): Promise<void> {
  const { lasts, seed, world, json, until, passOver, mood } = options;
  const postgres = await startPostgres();
  process.env['TEST_DATABASE_URL'] = postgres.url;
  process.env['SLUICE_TEST_RUN'] = `simulate_${process.pid}`;
  const random = new Random(seed);
  const reached = new Reached();
  const broken: { world: number; message: string }[] = [];
  const began = performance.now();
  const seconds = (): number => Math.round((performance.now() - began) / 1_000);
  let worlds = 0;
  let told = 0;
  try {
    while ((world !== undefined ? worlds === 0 : performance.now() - began < lasts) && broken.length < until) {
      // Numbers in a row have all moods.
      const number = world ?? random.whole(1, 2 ** 26) * MOODS.length + (worlds % MOODS.length);
      worlds += 1;
      const outcome = await playShellWorld({ seed: number, reached, passOver, mood });
      if (outcome.broken !== null) {
        broken.push({ world: number, message: outcome.broken });
        console.error(`world ${number}: ${outcome.broken}\n${outcome.trace.slice(-120).join('\n')}\n`);
      }
      if (seconds() - told < 30) continue;
      told = seconds();
      console.error(`${worlds} worlds, ${reached.counts.get('steps')} steps, ${told} s`);
    }
  } finally {
    await dropTestDatabases();
    await postgres.stop();
  }
  const missing = world === undefined && mood === undefined && lasts >= ENOUGH ? missingSeams(reached) : [];
  console.log(reached.table());
  console.log(`${worlds} worlds, ${reached.counts.get('steps')} steps, ${seconds()} s, seed ${seed}`);
  if (missing.length > 0) console.log(`not reached: ${missing.join(', ')}`);
  console.log(
    broken.length > 0
      ? `${broken.length} worlds broke a promise; one again: npm run simulate -- --ring shell --world ${broken[0]?.world}${mood ? ` --mood ${mood}` : ''}`
      : 'every promise held',
  );
  if (json !== undefined) {
    const figures = { seed, worlds, seconds: seconds(), broken, missing, reached: Object.fromEntries(reached.counts) };
    await writeFile(json, `${JSON.stringify(figures, null, 2)}\n`);
  }
  process.exitCode = broken.length > 0 || missing.length > 0 ? 1 : 0;
}

/** A shorter run does not reach what is rare. */
const ENOUGH = 15 * 60_000;
