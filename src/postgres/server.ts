import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import type { PostgresBinaries } from './binaries.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { launch, type Launcher } from './launcher.ts';

export interface ServerOptions {
  binaries: PostgresBinaries;
  launcher: Launcher;
  /** The cluster's folder (PGDATA). */
  data: string;
  port: number;
  /** Passed as `-c name=value`. */
  settings?: Record<string, string>;
  onLine?: (line: string) => void;
  onSpawn?: (pid: number) => Promise<void>;
}

export interface PostgresServer {
  pid: number;
  port: number;
  /** Settles when the process has ended, for whatever reason, with its last words. */
  exited: Promise<string>;
  /** `fast` ends sessions and writes a checkpoint; `immediate` is a crash that the next start recovers from. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
}

const STARTUP_LIMIT_MS = 120_000;
const FAST_STOP_LIMIT_MS = 20_000;
const LAST_WORDS = 15;

/** The port was taken between our look and PostgreSQL's. */
export class PortTakenError extends Error {}

/** Starts `postgres` on loopback and waits until it accepts connections. */
export async function startServer(options: ServerOptions): Promise<PostgresServer> {
  const { binaries, launcher, data, port } = options;
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    ...options.settings,
  };
  const args = ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const child = launch(launcher, join(binaries.bin, 'postgres'), args, binaries.libraries);
  const { ready, exited } = follow(child, options.onLine);
  const stop = (mode: 'fast' | 'immediate' = 'fast'): Promise<void> => end(child, exited, mode);
  const timer = setTimeout(() => child.kill('SIGQUIT'), STARTUP_LIMIT_MS);
  try {
    if (child.pid) await options.onSpawn?.(child.pid);
    const outcome = await Promise.race([ready.then(() => null), exited]);
    if (outcome === null) return { pid: child.pid!, port, exited, stop };
    if (/Address already in use/.test(outcome)) throw new PortTakenError(outcome);
    throw new EmbeddedPostgresError(`PostgreSQL did not start on ${data}:\n${outcome}`);
  } catch (error) {
    await stop('immediate');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function follow(
  child: ChildProcess,
  onLine?: (line: string) => void,
): { ready: Promise<void>; exited: Promise<string> } {
  const last: string[] = [];
  const note = (line: string): void => {
    last.push(line);
    if (last.length > LAST_WORDS) last.shift();
    onLine?.(line);
  };
  child.stdout?.resume();
  const ready = new Promise<void>((resolve) => {
    createInterface({ input: child.stderr! }).on('line', (line) => {
      note(line);
      if (line.includes('database system is ready to accept connections')) resolve();
    });
  });
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    // 'close', not 'exit': the last lines are still in the pipe when the process ends.
    child.once('close', (code, signal) => resolve([...last, `(ended with ${signal ?? `code ${code}`})`].join('\n')));
  });
  return { ready, exited };
}

async function end(child: ChildProcess, exited: Promise<string>, mode: 'fast' | 'immediate'): Promise<void> {
  child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  const timer = setTimeout(() => child.kill('SIGQUIT'), FAST_STOP_LIMIT_MS);
  await exited;
  clearTimeout(timer);
}

/**
 * A loopback port that is free now; `preferred` if it is. Otherwise one below those that systems give to outgoing connections: such a
 * connection could have it before the server that it is for has started, and keep it.
 */
export async function freePort(preferred = 0): Promise<number> {
  const port = preferred || randomInt(...OWN_PORTS);
  const server = createServer();
  try {
    return await new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve(port));
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return freePort();
    throw error;
  } finally {
    await new Promise((closed) => server.close(closed));
  }
}

/** The range of Linux for connections begins at 32,768. */
const OWN_PORTS = [20_000, 32_000] as const;
