import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { LOG_LIMITS } from '../../src/core/action-log.ts';
import { ActionLogs } from '../../src/jobs/action-logs.ts';
import { createLog } from '../../src/log.ts';
import { placeKey } from '../../src/store/action-logs.ts';
import type { Appended, NewChunk } from '../../src/store/action-logs.ts';

// What is written, when, and what of it is left out; where it is put is for `test/api/action-logs.test.ts`.

const place = (step: string, releaseId = 'r-1') => ({ releaseId, position: 1, step, attempt: 1, try: null });
const bytes = (text: string): Uint8Array => Buffer.from(text);
const outage = (): never => {
  throw Object.assign(new Error('the database is away'), { code: '57P01' });
};

function newLogs(
  limits: Partial<Record<keyof typeof LOG_LIMITS, number>> = {},
  before: (batch: readonly NewChunk[]) => void = () => undefined,
) {
  const calls: NewChunk[][] = [];
  let total = 0;
  const append = async (chunks: readonly NewChunk[]): Promise<Appended[]> => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    before(chunks);
    calls.push([...chunks]);
    return chunks.map((each) => {
      total += Buffer.byteLength(each.text);
      return { ...each, try: each.try ?? 1, total };
    });
  };
  const log = createLog({ level: 'silent' });
  const logs = new ActionLogs({ clock: systemClock, log, append, limits: { ...LOG_LIMITS, ...limits } });
  const textOf = (step: string): string =>
    calls
      .flat()
      .filter((each) => each.step === step)
      .map(({ text }) => text)
      .join('');
  return { logs, calls, textOf };
}

describe('logs', () => {
  test('in which nothing was written cost nothing', async () => {
    const { logs, calls } = newLogs();
    await logs.open(place('a')).close();
    expect(calls).toEqual([]);
  });

  test('of all actions of a process share statements, and are kept when their action ends', async () => {
    const { logs, calls, textOf } = newLogs();
    const steps = ['a', 'b', 'c', 'd'];
    const open = steps.map((step) => logs.open(place(step)));
    open.forEach((each, index) => each.say(`begins ${index}`));
    open.forEach((each) => each.heard(bytes('one\ntwo'), 'OUT'));
    await Promise.all(open.map((each) => each.close()));
    expect(steps.map(textOf)).toEqual(steps.map((_, index) => `> begins ${index}\none\ntwo\n`));
    expect(calls.length).toBeLessThan(4);
  });

  test('keep the lines of two streams whole, and characters that come in pieces', async () => {
    const { logs, textOf } = newLogs();
    const log = logs.open(place('a'));
    log.heard(bytes('out '), 'OUT');
    log.heard(bytes('err '), 'ERR');
    log.heard(bytes('of it\n').subarray(0, 3), 'OUT');
    const face = bytes('\u{1f600}\n');
    log.heard(face.subarray(0, 2), 'ERR');
    log.heard(face.subarray(2), 'ERR');
    log.heard(bytes('it\n'), 'OUT');
    await log.close();
    expect(textOf('a')).toBe('err \u{1f600}\nout of it\n');
  });

  test('of a program that writes on are kept while it runs', async () => {
    const { logs, textOf } = newLogs();
    const log = logs.open(place('a'));
    log.heard(bytes('early\n'), 'OUT');
    await expect.poll(() => textOf('a')).toBe('early\n');
    log.heard(bytes('late\n'), 'OUT');
    await log.close();
    expect(textOf('a')).toBe('early\nlate\n');
  });

  test('beyond the limit of a try have their beginning and their end, and say what is left out', async () => {
    const { logs, textOf } = newLogs({ try: 100, tail: 50 });
    const log = logs.open(place('a'));
    for (let line = 100; line < 200; line += 1) log.heard(bytes(`line ${line}\n`), 'OUT');
    await log.close();
    const [first, left, ...last] = textOf('a').match(/(?:line \d+\n)+|> .*\n/g)!;
    expect(first).toBe(Array.from({ length: 11 }, (_, each) => `line ${100 + each}\n`).join(''));
    // 100 lines of 9 bytes; 11 and 5 of them are kept.
    expect(left).toBe('> 756 bytes are left out here: of a try its first 100 bytes are kept, and its end\n');
    expect(last.join('')).toBe('line 195\nline 196\nline 197\nline 198\nline 199\n');
  });

  test('that hardly pass the limit of a try are whole', async () => {
    const { logs, textOf } = newLogs({ try: 100, tail: 50 });
    const log = logs.open(place('a'));
    const lines = Array.from({ length: 15 }, (_, each) => `line ${100 + each}\n`);
    for (const line of lines) log.heard(bytes(line), 'OUT');
    await log.close();
    expect(textOf('a')).toBe(lines.join(''));
  });

  test('of a release that has too many say so once', async () => {
    const { logs, textOf } = newLogs({ release: 100 });
    const log = logs.open(place('a'));
    log.heard(bytes(`${'x'.repeat(120)}\n`), 'OUT');
    await expect.poll(() => textOf('a')).toContain('nothing more is kept');
    log.heard(bytes('more\n'), 'OUT');
    await log.close();
    expect(textOf('a')).toBe(
      `${'x'.repeat(120)}\n> the logs of this release have 100 bytes, and nothing more is kept\n`,
    );
  });

  test('wait for a database that is away', async () => {
    let times = 3;
    const { logs, textOf } = newLogs({}, () => void (times-- > 0 && outage()));
    const log = logs.open(place('a'));
    log.say('begins');
    await log.close();
    expect(textOf('a')).toBe('> begins\n');
  });

  test('that can never be kept hold up no others', async () => {
    const { logs, textOf } = newLogs({}, (batch) => {
      if (batch.some(({ step }) => step === 'bad')) throw Object.assign(new Error('bad data'), { code: '22021' });
    });
    const [bad, good] = [logs.open(place('bad')), logs.open(place('good', 'r-2'))];
    bad.say('never');
    good.say('kept');
    await Promise.all([bad.close(), good.close()]);
    expect([textOf('bad'), textOf('good')]).toEqual(['', '> kept\n']);
  });

  test('of one place are written a try after the other', async () => {
    const { logs, calls } = newLogs();
    const open = [logs.open(place('a')), logs.open(place('a'))];
    open.forEach((each) => each.say('begins'));
    await Promise.all(open.map((each) => each.close()));
    for (const call of calls) expect(new Set(call.map(placeKey)).size).toBe(call.length);
    expect(calls).toHaveLength(2);
  });
});
