import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Figure } from './figure.ts';
import { startServing } from './serving.ts';
import { median, rounded } from './stats.ts';

/** From the start of the one command to the first "ready", with the embedded PostgreSQL: on an empty folder, then again. */
export async function measureStarts(rounds: number): Promise<Figure[]> {
  const cold: number[] = [];
  const warm: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
    cold.push(await startOnce(folder));
    warm.push(await startOnce(folder));
    await rm(folder, { recursive: true, force: true });
  }
  const figure = (kind: string, values: number[]): Figure => ({
    name: 'start',
    backend: 'postgres',
    value: rounded(median(values)),
    unit: `s ${kind}`,
    floor: null,
    ratio: null,
  });
  return [figure('cold', cold), figure('warm', warm)];
}

/** Seconds. The process has ended before the answer is given. */
async function startOnce(folder: string): Promise<number> {
  const serving = await startServing({ SLUICE_DATA_DIR: join(folder, 'data') });
  await serving.close();
  return serving.readyAfter;
}
