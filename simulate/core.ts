import { writeFile } from 'node:fs/promises';
import { Random } from '../chaos/random.ts';
import { LONG_MUST_REACH } from '../test/core/support/must-reach.ts';
import { Reached } from '../test/core/support/reached.ts';
import { World } from '../test/core/support/world.ts';

/** Fewer releases do not reach what is rare. */
const ENOUGH = 20_000;

/**
 * The first ring: releases of the pure core in memory, with all that can go wrong, and every promise checked after every decision.
 * One process, no database, no queue. The exit code is 0 when no promise was broken and everything was reached that can be.
 */
export async function simulateCore(wanted: number, seed: number, json?: string): Promise<void> {
  const random = new Random(seed);
  const reached = new Reached();
  const began = performance.now();
  let worlds = 0;
  let told = began;
  const broken: { world: number; message: string }[] = [];
  while ((reached.counts.get('releases') ?? 0) < wanted && broken.length < 10) {
    worlds += 1;
    // Most are short: what is rare is rare because of what happens, not because of how long it takes.
    const length = random.chance(0.15) ? random.whole(300, 800) : random.whole(60, 300);
    const tape = Array.from({ length }, () => random.whole(0, 9_999));
    try {
      new World(tape, reached, { thoroughEvery: 16 }).run();
    } catch (error) {
      broken.push({ world: worlds, message: error instanceof Error ? error.message : String(error) });
      console.error(`world ${worlds}: ${broken.at(-1)?.message}\n  tape: ${JSON.stringify(tape)}`);
    }
    if (performance.now() - told > 30_000) {
      told = performance.now();
      const done = reached.counts.get('releases') ?? 0;
      console.error(`${done} releases in ${worlds} worlds, ${Math.round((told - began) / 1000)} s`);
    }
  }

  const seconds = (performance.now() - began) / 1000;
  const releases = reached.counts.get('releases') ?? 0;
  const missing = wanted >= ENOUGH ? LONG_MUST_REACH.filter((each) => !reached.has(each)) : [];
  console.log(reached.table());
  console.log(
    `${releases} releases in ${worlds} worlds, ${reached.counts.get('decisions')} decisions, ${seconds.toFixed(0)} s, seed ${seed}`,
  );
  if (missing.length > 0) console.log(`not reached: ${missing.join(', ')}`);
  console.log(broken.length > 0 ? `${broken.length} worlds broke a promise` : 'every promise held');
  if (json !== undefined) {
    const figures = {
      seed,
      releases,
      worlds,
      seconds,
      broken,
      missing,
      reached: Object.fromEntries([...reached.counts].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
    await writeFile(json, `${JSON.stringify(figures, null, 2)}\n`);
  }
  process.exitCode = broken.length > 0 || missing.length > 0 ? 1 : 0;
}
