import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { freePort } from '../src/postgres/server.ts';

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));

/** The one command in a process of its own, on loopback. */
export interface Serving {
  url: string;
  pid: number;
  /** Seconds from its start to the first "ready". */
  readyAfter: number;
  /** Resolves when it has ended. */
  close(): Promise<void>;
}

/** Resolves once it is ready. @throws when it ends before, or is not ready within a minute; then it has ended */
export async function startServing(
  settings: Record<string, string>,
  role: 'all' | 'api' | 'worker' = 'all',
): Promise<Serving> {
  const port = await freePort();
  const began = performance.now();
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    PORT: String(port),
    LOG_LEVEL: 'error',
    ...settings,
  };
  const child = spawn(process.execPath, [MAIN, 'serve', '--role', role], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = (): Promise<void> => {
    child.kill('SIGTERM');
    return exited;
  };
  try {
    while (!(await isReady(port))) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode} before it was ready`);
      if (performance.now() - began > 60_000) throw new Error('the server was not ready within a minute');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  } catch (error) {
    await close();
    throw error;
  }
  const readyAfter = (performance.now() - began) / 1_000;
  return { url: `http://127.0.0.1:${port}`, pid: child.pid!, readyAfter, close };
}

async function isReady(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
}
