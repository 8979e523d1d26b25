import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram, dataFolder, type Program, run, type Running, USERS, usedFolder } from './run-child.ts';
import { PATIENCE } from '../support/patience.ts';

let program: Program;
beforeAll(async () => {
  program = await buildProgram();
});
afterAll(() => program.remove());

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** How long after now the process is gone, in ms. */
async function goneAfter(pid: number): Promise<number> {
  const began = performance.now();
  while (isRunning(pid)) {
    if (performance.now() - began > PATIENCE) throw new Error(`process ${pid} is still there`);
    await sleep(10);
  }
  return performance.now() - began;
}

function isRunning(pid: number): boolean {
  return (
    existsSync(`/proc/${pid}`) &&
    !/^State:\s+Z/m.test(execFileSync('cat', [`/proc/${pid}/status`], { encoding: 'utf8' }))
  );
}

async function using(running: Running, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    await running.end('SIGTERM');
  }
}

const WAYS = USERS.flatMap((user) => [
  { user, machine: 'an ordinary machine', missing: [] },
  ...(user === 'root' ? [{ user, machine: 'a container that forbids user namespaces', missing: ['unshare'] }] : []),
  { user, machine: 'a machine without setpriv', missing: ['unshare', 'setpriv'] },
]);

describe.each(WAYS)('the embedded PostgreSQL, run by $user on $machine', ({ user, missing }) => {
  test('rows survive a restart and kill -9, and kill -9 takes the server along', async () => {
    const dataDir = await dataFolder(program, user);
    let running = await run(program, user, dataDir, missing);
    const firstMs = running.startMs;
    await query(running.url, 'CREATE TABLE kept AS SELECT 1 AS number');
    await running.end('SIGTERM');
    expect(isRunning(running.postgresPid)).toBe(false);

    running = await run(program, user, dataDir, missing);
    const againMs = running.startMs;
    await query(running.url, 'UPDATE kept SET number = 2');
    await running.end('SIGKILL');
    const endMs = await goneAfter(running.postgresPid);

    running = await run(program, user, dataDir, missing);
    await using(running, async () => {
      expect(await query(running.url, 'SELECT number FROM kept')).toEqual([{ number: 2 }]);
    });
    console.info(
      `first ${firstMs.toFixed(0)} ms, again ${againMs.toFixed(0)} ms, gone ${endMs.toFixed(0)} ms after kill -9`,
    );
  });
});

describe.each(USERS)('a data folder, used by %s', (user) => {
  test('is taken over at once from a Sluice that was killed a moment ago', async () => {
    const dataDir = await usedFolder(program, user);
    const killed = await run(program, user, dataDir);
    await killed.end('SIGKILL');
    const next = await run(program, user, dataDir);
    await using(next, async () => {
      expect(isRunning(killed.postgresPid)).toBe(false);
      expect(await query(next.url, 'SELECT 1 AS up')).toEqual([{ up: 1 }]);
    });
  });

  test('serves one Sluice: a second one is told who has it, where it listens and what to do', async () => {
    const dataDir = await usedFolder(program, user);
    const first = await run(program, user, dataDir);
    await using(first, async () => {
      const { port, password } = new URL(first.url);
      const refusal = await run(program, user, dataDir).catch((error: Error) => error.message);
      expect(refusal).toContain(`Sluice process ${first.child.pid} runs and serves PostgreSQL on 127.0.0.1:${port}`);
      expect(refusal).toContain('set SLUICE_DATA_DIR to another folder');
      expect(refusal).not.toContain(password);
      expect(await query(first.url, 'SELECT 1 AS up')).toEqual([{ up: 1 }]);
    });
  });

  test("is opened although a stale postmaster.pid names another program's process", async () => {
    const dataDir = await usedFolder(program, user);
    const first = await run(program, user, dataDir);
    const file = join(dataDir, 'postgres/data/postmaster.pid');
    const left = await readFile(file, 'utf8');
    const { uid, gid } = await stat(file);
    await first.end('SIGTERM');
    await writeFile(file, left.replace(/^\d+/, String(process.pid)));
    await chown(file, uid, gid);
    const next = await run(program, user, dataDir);
    await using(next, async () => {
      expect(await query(next.url, 'SELECT 1 AS up')).toEqual([{ up: 1 }]);
    });
  });

  test('is not opened when another PostgreSQL made it', async () => {
    const dataDir = await usedFolder(program, user);
    await writeFile(join(dataDir, 'postgres/data/PG_VERSION'), '9\n');
    await expect(run(program, user, dataDir)).rejects.toThrow('was made by PostgreSQL 9');
  });

  test('holds its password in a file for its owner alone, and nobody gets in without it', async () => {
    const dataDir = await usedFolder(program, user);
    const first = await run(program, user, dataDir);
    await using(first, async () => {
      expect((await stat(join(dataDir, 'postgres/password'))).mode & 0o777).toBe(0o600);
      const wrong = new URL(first.url);
      wrong.password = 'wrong';
      await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
      expect(await query(first.url, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
      expect(await query(first.url, 'SHOW password_encryption')).toEqual([{ password_encryption: 'scram-sha-256' }]);
      expect(await query(first.url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    });
    const again = await run(program, user, dataDir);
    await using(again, async () => {
      // Port and password stay the same: saved connections keep working.
      expect(again.url).toBe(first.url);
    });
  });
});
