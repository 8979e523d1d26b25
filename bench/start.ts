import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../src/postgres/server.ts';
import type { Figure } from './report.ts';
import { median, rounded } from './stats.ts';

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));

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

/** Seconds. The process is ended, and has ended, before the answer is given. */
async function startOnce(folder: string): Promise<number> {
  const port = await freePort();
  const began = performance.now();
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    SLUICE_DATA_DIR: join(folder, 'data'),
    PORT: String(port),
    LOG_LEVEL: 'error',
  };
  const child = spawn(process.execPath, [MAIN, 'serve', '--role', 'all'], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    while (!(await isReady(port))) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode} before it was ready`);
      if (performance.now() - began > 60_000) throw new Error('the server was not ready within a minute');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return (performance.now() - began) / 1_000;
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
}

async function isReady(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
}
