import { fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { NotStarted, Programs, StarterGone } from '../../src/programs/index.ts';
import type { Started } from '../../src/programs/index.ts';
import { eventually } from '../support/eventually.ts';

// One starter for the file, as for a process.
const programs = new Programs();
const PATH = process.env['PATH'];

interface Ran extends Started {
  out(): string;
  said(): string;
}

function sh(script: string, env: Record<string, string> = {}, all = programs): Ran {
  const [out, said]: [Buffer[], Buffer[]] = [[], []];
  const started = all.start(
    { program: 'sh', args: ['-c', script], env: { PATH, ...env }, cwd: '/' },
    { out: (chunk) => out.push(chunk), said: (chunk) => said.push(chunk) },
  );
  const text = (chunks: Buffer[]) => (): string => Buffer.concat(chunks).toString();
  return Object.assign(started, { out: text(out), said: text(said) });
}

/** The number of the group, which the script says first. */
async function groupOf(started: Ran): Promise<number> {
  await eventually(() => expect(started.out()).toMatch(/^\d+\n/));
  return Number(started.out().split('\n')[0]);
}

const isThere = (pid: number): boolean => {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  // A zombie waits for whoever takes up orphans here.
  return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
};

test('what it writes is heard whole before its end, and its end is its exit code', async () => {
  const ran = sh('cat; echo problem >&2; exit 3');
  const bytes = 'x'.repeat(300_000);
  ran.write(bytes);
  ran.write(Buffer.from('é'));
  ran.closeInput();
  expect(await ran.ended).toBe(3);
  expect(ran.out()).toBe(`${bytes}é`);
  expect(ran.said()).toBe('problem\n');
});

test('it gets the environment that it is given, and nothing else', async () => {
  process.env['SLUICE_PROGRAMS_TEST'] = 'a secret of this process';
  try {
    const ran = sh('env', { GIVEN: 'yes' });
    await ran.ended;
    expect(ran.out()).toContain('GIVEN=yes');
    expect(ran.out()).not.toContain('SLUICE_PROGRAMS_TEST');
  } finally {
    delete process.env['SLUICE_PROGRAMS_TEST'];
  }
});

test('many at once do not mix', async () => {
  const all = Array.from({ length: 40 }, (_, index) => ({ index, ran: sh(`cat; exit ${index}`) }));
  for (const { index, ran } of all) ran.write(String(index));
  for (const { ran } of all) ran.closeInput();
  for (const { index, ran } of all) {
    expect(await ran.ended).toBe(index);
    expect(ran.out()).toBe(String(index));
  }
});

test('what is not there is told by the code of the system', async () => {
  const started = programs.start(
    { program: 'no-such-program', args: [], env: { PATH }, cwd: '/' },
    { out: () => undefined, said: () => undefined },
  );
  const error = await started.ended.catch((each: unknown) => each);
  expect(error).toBeInstanceOf(NotStarted);
  expect(error).toMatchObject({ code: 'ENOENT' });
});

test('a signal reaches what it has started itself', async () => {
  const ran = sh('echo $$; sleep 600 & echo $!; wait');
  await eventually(() => expect(ran.out()).toMatch(/^\d+\n\d+\n/));
  const child = Number(ran.out().split('\n')[1]);
  ran.kill('SIGKILL');
  expect(await ran.ended).toBeNull();
  await eventually(() => expect(isThere(child)).toBe(false));
});

test('where the starter is killed all that it had started ends and says so, and the next program gets another one', async () => {
  const own = new Programs();
  const ran = sh('echo $$; sleep 600', {}, own);
  const group = await groupOf(ran);
  const starter = Number(/^\d+ \(.*\) \S (\d+)/.exec(readFileSync(`/proc/${group}/stat`, 'utf8'))![1]);
  process.kill(starter, 'SIGKILL');
  await expect(ran.ended).rejects.toBeInstanceOf(StarterGone);
  await eventually(() => expect(isThere(group)).toBe(false));
  const next = sh('echo here', {}, own);
  expect(await next.ended).toBe(0);
  expect(next.out()).toBe('here\n');
});

test('nothing outlives a process that was killed', async () => {
  const asker = fork(new URL('./asker.ts', import.meta.url), { execArgv: process.execArgv });
  const group = await new Promise<number>((resolve) => void asker.once('message', (each) => resolve(Number(each))));
  expect(isThere(group)).toBe(true);
  asker.kill('SIGKILL');
  await eventually(() => expect(isThere(group)).toBe(false));
});

test('a process ends while a program runs that nobody waits for', async () => {
  const asker = fork(new URL('./leaver.ts', import.meta.url), { execArgv: process.execArgv });
  expect(await new Promise((resolve) => void asker.once('exit', resolve))).toBe(0);
});
