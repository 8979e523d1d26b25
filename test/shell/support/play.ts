import type { Reached } from '../../core/support/reached.ts';
import { createSimulatedDatabase } from './database.ts';
import type { Mood } from './definitions.ts';
import { ShellWorld } from './world.ts';

export interface Played {
  seed: number;
  /** The promise that was broken; null: all held. */
  broken: string | null;
  trace: readonly string[];
  steps: number;
}

/** One world of that seed, on a database of its own. */
export async function playShellWorld(options: {
  seed: number;
  reached: Reached;
  passOver?: readonly string[];
  poolSize?: number;
  steps?: number;
  mood?: Mood;
}): Promise<Played> {
  const { seed, reached, steps = 900, passOver, poolSize, mood } = options;
  const database = await createSimulatedDatabase();
  const world = new ShellWorld({ seed, databaseUrl: database.url, reached, steps, passOver, poolSize, mood });
  let broken: string | null = null;
  try {
    await world.run();
  } catch (error) {
    const promise = error instanceof Error && error.name === 'BrokenPromise';
    broken = promise
      ? error.message
      : `the world itself broke: ${error instanceof Error ? error.stack : String(error)}`;
  }
  await database.drop();
  reached.count('worlds');
  reached.count('steps', world.scheduler.steps);
  return { seed, broken, trace: world.scheduler.trace, steps: world.scheduler.steps };
}
