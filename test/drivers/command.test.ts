import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runCommand } from '../../src/drivers/actions/command.ts';
import type { CommandSettings } from '../../src/drivers/actions/at.ts';
import { NO_LOG } from '../../src/drivers/actions/log.ts';
import type { ParametersOf } from '../../src/drivers/actions/parameters.ts';
import { PermanentError, TransientError } from '../../src/drivers/driver.ts';
import type { EffectContext } from '../../src/drivers/driver.ts';
import { contextOf } from './repository.ts';

const SH = '/bin/sh';
const settings: CommandSettings = { programs: [SH], begin: async () => true };

const script = (text: string, more: Partial<ParametersOf<'command'>> = {}): ParametersOf<'command'> => ({
  program: SH,
  args: ['-c', text],
  idempotent: true,
  ...more,
});

interface How {
  key?: string;
  signal?: AbortSignal;
  with?: CommandSettings;
  context?: Partial<EffectContext>;
}

const run = (
  parameters: ParametersOf<'command'>,
  { key = `k-${randomUUID()}`, signal = new AbortController().signal, with: given = settings, context = {} }: How = {},
) => runCommand(parameters, { context: contextOf(key, { signal, ...context }), signal, commands: given, log: NO_LOG });

/** The processes of a command that are alive, wherever they went. */
function aliveOf(key: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const dead = readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
      return !dead && `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`.includes(`\0SLUICE_KEY=${key}\0`);
    } catch {
      return false;
    }
  });
}

test('a program gets its arguments as they are, its input, and an environment that is made of nothing', async () => {
  process.env['SECRET_OF_THE_WORKER'] = 'hidden';
  const outputs = { ARG: '$.arg', ENV: '$.env', INPUT: '$.input' };
  const text =
    'printf \'{"arg": "%s", "env": "%s", "input": "%s"}\' "$1" "$(env | cut -d= -f1 | sort | tr "\\n" " ")" "$(cat)"';
  const given = { ...script(text, { outputs, input: 'told' }), args: ['-c', text, 'sh', '$(id); `id` *'] };
  const { outputs: found } = (await run(given)) as { outputs: Record<string, string> };
  expect(found['ARG']).toBe('$(id); `id` *');
  expect(found['INPUT']).toBe('told');
  expect(found['ENV']).not.toContain('SECRET');
  expect(found['ENV']?.split(' ').filter((each) => each.startsWith('SLUICE_'))).toEqual([
    'SLUICE_APPLICATION',
    'SLUICE_ATTEMPT',
    'SLUICE_ENVIRONMENT',
    'SLUICE_KEY',
    'SLUICE_PRODUCT',
    'SLUICE_RELEASE_ID',
    'SLUICE_RUN',
  ]);
});

test.each([
  [
    'a program that is not listed',
    { program: '/bin/ls', args: [], idempotent: true },
    'SLUICE_COMMANDS lists the programs',
  ],
  ['a way around the list', { program: '/bin/../bin/sh', args: [], idempotent: true }, 'does not run'],
  ['a NUL', script('true', { args: ['a\0b'] }), 'NUL'],
])('%s is refused', async (_what, parameters, words) => {
  const failed = run(parameters);
  await expect(failed).rejects.toThrow(PermanentError);
  await expect(failed).rejects.toThrow(words);
});

test('nothing runs where no program is listed', async () => {
  await expect(run(script('true'), { with: { ...settings, programs: [] } })).rejects.toThrow('none is listed');
});

test('a code that is not 0 fails it, with the end of what it complained', async () => {
  expect(await run(script('echo first >&2; echo "no such table" >&2; exit 3'))).toEqual({
    kind: 'failed',
    message: `${SH} ended with code 3: first / no such table`,
  });
});

test('code 75 says that it can be tried again, unless it must not run twice', async () => {
  await expect(run(script('exit 75'))).rejects.toThrow(TransientError);
  expect(await run(script('exit 75', { idempotent: false }))).toMatchObject({ kind: 'failed' });
});

test('a program that a signal ended has an end that is not clear', async () => {
  expect(await run(script('kill -9 $$'))).toMatchObject({
    kind: 'failed',
    unclear: true,
    message: `${SH} was ended by a signal`,
  });
});

test('a command that must not run twice is begun once, whoever asks', async () => {
  const begun = new Set<string>();
  const begin = async (key: string): Promise<boolean> => !begun.has(key) && begun.add(key).size > 0;
  const once = script('exit 0', { idempotent: false });
  expect(await run(once, { key: 'one', with: { ...settings, begin } })).toMatchObject({ kind: 'succeeded' });
  expect(await run(once, { key: 'one', with: { ...settings, begin } })).toMatchObject({
    kind: 'failed',
    unclear: true,
    message: expect.stringContaining('is not run twice'),
  });
});

test.each([
  ["a step that is another job's by now", { stillMine: () => Promise.resolve(false) }],
  ['a run that has lost the lock of its job', { holdsLock: () => Promise.resolve(false) }],
])('%s runs nothing', async (_what, context) => {
  const failed = run(script('exit 0'), {
    context,
    with: { ...settings, begin: () => Promise.reject(new Error('begun')) },
  });
  await expect(failed).rejects.toThrow(TransientError);
});

// One that ignores to be asked, one in the background, one in a session of its own.
const FAMILY = "trap '' TERM; sleep 300 & setsid sleep 300 & echo on; wait; sleep 300";

test('told to stop, it ends with all that it has started, also what left its group', async () => {
  const key = `k-${randomUUID()}`;
  const abort = new AbortController();
  const failed = run(script(FAMILY), { key, signal: abort.signal });
  failed.catch(() => undefined);
  await expect.poll(() => aliveOf(key).length).toBeGreaterThanOrEqual(3);
  abort.abort(new Error('terminated'));
  await expect(failed).rejects.toThrow('terminated');
  await expect.poll(() => aliveOf(key)).toEqual([]);
});

test('a run that another one has overtaken ends nothing of it, and is ended by it', async () => {
  const key = `k-${randomUUID()}`;
  const overtaken = run(script(FAMILY), { key });
  await expect.poll(() => aliveOf(key).length).toBeGreaterThanOrEqual(3);
  // What it writes says that it goes on after the end of the other one.
  const later = run(script("sleep 1; printf '{}'", { outputs: { WHOLE: '$' } }), { key });
  expect(await overtaken).toMatchObject({ kind: 'failed', unclear: true });
  expect(await later).toMatchObject({ kind: 'succeeded' });
  await expect.poll(() => aliveOf(key)).toEqual([]);
});

test('a run that is late and has not begun its program yet ends nothing of the run that took its place', async () => {
  const key = `k-${randomUUID()}`;
  let go: (mine: boolean) => void = () => undefined;
  const asked = new Promise<boolean>((resolve) => (go = resolve));
  const late = run(script('exit 0'), { key, context: { stillMine: () => asked } });
  const later = run(script('sleep 4'), { key });
  await expect.poll(() => aliveOf(key).length).toBeGreaterThanOrEqual(1);
  go(true);
  expect(await late).toMatchObject({ kind: 'succeeded' });
  expect(await later).toMatchObject({ kind: 'succeeded' });
});

test('when it has ended, nothing that it started goes on', async () => {
  const key = `k-${randomUUID()}`;
  expect(await run(script('sleep 300 & setsid sleep 300 & exit 0'), { key })).toMatchObject({ kind: 'succeeded' });
  await expect.poll(() => aliveOf(key)).toEqual([]);
});

// For half a second it looks like a process that is between two programs: nothing tells whose it is.
const LATE = `K=$SLUICE_KEY R=$SLUICE_RUN setsid env -u SLUICE_KEY -u SLUICE_RUN sh -c \
  'sleep 0.5; exec env SLUICE_KEY=$K SLUICE_RUN=$R sleep 300' & sleep 0.2`;

test('nor what no look had found when it ended', async () => {
  const key = `k-${randomUUID()}`;
  expect(await run(script(LATE), { key })).toMatchObject({ kind: 'succeeded' });
  await expect.poll(() => aliveOf(key)).toEqual([]);
});

test('a worker that is killed leaves no command behind', async () => {
  const key = `k-${randomUUID()}`;
  const child = fork(new URL('./command-worker.ts', import.meta.url), { execArgv: process.execArgv });
  child.send(key);
  await expect.poll(() => aliveOf(key).length).toBeGreaterThanOrEqual(2);
  child.kill('SIGKILL');
  await expect.poll(() => aliveOf(key)).toEqual([]);
}, 60_000);

test('more than is kept is no output, and hurts nothing where none is wanted', async () => {
  const much = 'head -c 200000 /dev/zero | tr "\\0" x';
  expect(await run(script(much))).toMatchObject({ kind: 'succeeded' });
  await expect(run(script(much, { outputs: { X: '$' } }))).rejects.toThrow('more than 65536 bytes');
});
