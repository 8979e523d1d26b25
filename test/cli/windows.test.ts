import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WindowAnswer } from '../../src/cli/commands/windows.ts';
import { runCli } from '../../src/cli/run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-windows-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function check(manifests: string, args: string[], input = '') {
  const file = join(folder, 'windows.yaml');
  await writeFile(file, manifests);
  let [out, err] = ['', ''];
  const code = await runCli(['windows', 'check', '-f', file, ...args], {
    env: {},
    out: { write: (text: string) => ((out += text), true) },
    err: { write: (text: string) => ((err += text), true) },
    input: Readable.from([input]),
  });
  return { code, out, err: err.replaceAll(file, 'windows.yaml') };
}
const answerOf = async (manifests: string, ...args: string[]): Promise<WindowAnswer> => {
  const { code, out, err } = await check(manifests, [...args, '-o', 'json']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as WindowAnswer;
};

const WEEKNIGHTS = `apiVersion: sluice.dev/v1
kind: ReleaseWindow
metadata: { name: weeknights, labels: {} }
spec:
  kind: ALLOW
  timeZone: America/New_York
  cron: "0 22 * * *"
  duration: 8h
  selector: { environments: { names: ["us-*"], kinds: [PRODUCTION], matchLabels: {} }, products: {} }
  holds: [PROMOTE]
`;
const FREEZE = `---
apiVersion: sluice.dev/v1
kind: ReleaseWindow
metadata: { name: christmas }
spec:
  kind: DENY
  timeZone: America/New_York
  from: 2026-12-24T18:00
  to: 2026-12-27T06:00
  selector: { products: { names: [billing] } }
`;
const STAGING = `---
apiVersion: sluice.dev/v1
kind: Environment
metadata: { name: us-staging }
spec: { kind: NON_PRODUCTION }
`;

test('the state, the next changes and ten occurrences, days with a clock change marked', async () => {
  const answer = await answerOf(WEEKNIGHTS, '--environment', 'us-east', '--at', '2026-03-07T20:00:00-05:00');
  expect(answer).toMatchObject({
    at: '2026-03-08T01:00:00.000Z',
    closed: true,
    reason: 'outside the ALLOW window weeknights',
    nextOpen: '2026-03-08T03:00:00.000Z',
    nextClose: '2026-03-08T10:00:00.000Z',
  });
  expect(Object.keys(answer)).toEqual(['at', 'closed', 'reason', 'nextOpen', 'nextClose', 'occurrences']);
  expect(answer.occurrences).toHaveLength(10);
  expect(answer.occurrences[0]).toEqual({
    window: 'weeknights',
    kind: 'ALLOW',
    start: '2026-03-08T03:00:00.000Z',
    end: '2026-03-08T10:00:00.000Z',
    localStart: '2026-03-07T22:00:00-05:00',
    localEnd: '2026-03-08T06:00:00-04:00',
    clockChange: true,
  });
  expect(answer.occurrences.map((each) => each.clockChange).slice(0, 3)).toEqual([true, true, false]);
});

test('several documents: the freeze wins, for the product that it selects', async () => {
  const at = ['--at', '2026-12-25T04:00:00Z', '--environment', 'us-east'];
  expect(await answerOf(WEEKNIGHTS + FREEZE, ...at, '--product', 'billing')).toMatchObject({
    closed: true,
    reason: 'inside the DENY window christmas',
    nextOpen: '2026-12-28T03:00:00.000Z',
  });
  expect((await answerOf(WEEKNIGHTS + FREEZE, ...at, '--product', 'shop')).closed).toBe(false);
  // Without a product every window counts.
  expect((await answerOf(WEEKNIGHTS + FREEZE, ...at)).closed).toBe(true);
});

test('kind and labels of an environment come from the same file; what is not there is taken as matching', async () => {
  const at = ['--at', '2026-03-05T12:00:00Z', '--environment'];
  expect((await answerOf(WEEKNIGHTS + STAGING, ...at, 'us-east')).closed).toBe(true);
  const none = await check(WEEKNIGHTS + STAGING, [...at, 'us-staging', '-o', 'json']);
  expect(JSON.parse(none.out)).toMatchObject({ closed: false, reason: 'no window holds this', occurrences: [] });
  expect(none).toMatchObject({ code: 0, err: 'No window selects this\n' });
  expect(JSON.parse((await check(WEEKNIGHTS, [...at, 'asia', '-o', 'json'])).out)).toMatchObject({ closed: false });
});

test('--at - answers each line with a line, and names those that are no instants', async () => {
  const { code, out, err } = await check(
    WEEKNIGHTS,
    ['--at', '-'],
    '2026-03-08T03:00:00Z\n\n2026-03-08T10:00:00Z\nmorning\n2026-03-08T09:59:59.999Z\n',
  );
  const answers = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as WindowAnswer);
  expect(answers.map(({ closed }) => closed)).toEqual([false, true, false]);
  expect(code).toBe(1);
  expect(err).toBe(
    "standard input:4:1: 'morning' is not an instant: write ISO 8601 with Z or an offset, for example 2026-03-08T07:00:00Z\n",
  );
});

test('with a jitter: until when what waits has started, before the opening and just after it', async () => {
  const jittery = WEEKNIGHTS.replace('duration:', 'jitter: 2m\n  duration:');
  const before = await answerOf(jittery, '--at', '2026-03-08T01:00:00Z');
  expect(before).toMatchObject({ closed: true, jitter: '2m', startsBy: '2026-03-08T03:02:00.000Z' });
  const after = await answerOf(jittery, '--at', '2026-03-08T03:01:59Z');
  expect(after).toMatchObject({ closed: false, jitter: '2m', startsBy: '2026-03-08T03:02:00.000Z' });
  expect(await answerOf(jittery, '--at', '2026-03-08T03:02:00Z')).toMatchObject({ closed: false, startsBy: null });
  const told = async (instant: string) => (await check(jittery, ['--at', instant])).out.split('\n').slice(0, 3);
  expect(await told('2026-03-08T01:00:00Z')).toContain(
    'Next it opens: 2026-03-08T03:00:00.000Z; what waits starts by 2026-03-08T03:02:00.000Z, spread over its jitter of 2m',
  );
  expect(await told('2026-03-08T03:01:00Z')).toContain(
    'What waited for the opening starts by 2026-03-08T03:02:00.000Z, spread over its jitter of 2m',
  );
});

test('as text for people', async () => {
  const { out } = await check(WEEKNIGHTS, ['--at', '2026-03-08T01:00:00Z']);
  expect(out.split('\n').slice(0, 7)).toEqual([
    '2026-03-08T01:00:00.000Z: closed, outside the ALLOW window weeknights',
    'Next it opens: 2026-03-08T03:00:00.000Z',
    'Next it closes: 2026-03-08T10:00:00.000Z',
    '',
    expect.stringMatching(/^WINDOW +KIND +START +END$/),
    expect.stringMatching(/^weeknights +ALLOW +2026-03-07T22:00:00-05:00 +2026-03-08T06:00:00-04:00 +clock change$/),
    expect.stringMatching(/clock change$/),
  ]);
});

test.each([
  [
    'an unknown zone',
    ['America/New_York', 'America/New_Yrok'],
    /^windows.yaml:6:13: spec.timeZone: the time zone "America\/New_Yrok" is not known; .* Did you mean "America\/New_York"\?\n$/,
  ],
  [
    'a cron that never fires',
    ['0 22 * * *', '0 0 30 2 *'],
    /^windows.yaml:7:9: spec.cron: "0 0 30 2 \*" never occurs\n$/,
  ],
  [
    'a cron that cannot be read',
    ['0 22 * * *', '0 25 * * *'],
    /^windows.yaml:7:9: spec.cron: cron "0 25 \* \* \*": .*25/,
  ],
  [
    'seconds in a cron',
    ['0 22 * * *', '0 0 22 * * *'],
    /^windows.yaml:7:9: spec.cron: .* has 5 fields .*, this one has 6\n$/,
  ],
  [
    'no length',
    ['duration: 8h', 'duration: 0s'],
    /^windows.yaml:8:13: spec.duration: duration is "0" ms; it must be more than 0/,
  ],
  ['a negative length', ['duration: 8h', 'duration: -60000'], /^windows.yaml:8:13: spec.duration: /],
  [
    'an end that is the start',
    ['duration: 8h', 'end: "22:00"'],
    /^windows.yaml:8:8: spec.end: an occurrence would begin and end at 22:00/,
  ],
  ['an end that is no time', ['duration: 8h', 'end: "6"'], /^windows.yaml:8:8: spec.end: "6" must be a time of day/],
  [
    'duration and end',
    ['duration: 8h', 'duration: 8h\n  end: "06:00"'],
    /^windows.yaml:9:8: spec.end: cron needs either duration or end\n$/,
  ],
  [
    'two forms',
    ['duration: 8h', 'duration: 8h\n  rrule: FREQ=DAILY'],
    /^windows.yaml:9:10: spec.rrule: a window has one of cron, rrule with start, or from with to/,
  ],
  ['no form', ['cron: "0 22 * * *"', 'jitter: 1m'], /^windows.yaml:\d+:\d+: spec: a window has one of cron/],
  [
    'a one-off that ends before it starts',
    ['cron: "0 22 * * *"\n  duration: 8h', 'from: 2026-05-02T00:00\n  to: 2026-05-01T00:00'],
    /^windows.yaml:8:7: spec.to: the window is never active: it must end after it starts\n$/,
  ],
  [
    'a one-off that the clocks skip',
    ['cron: "0 22 * * *"\n  duration: 8h', 'from: 2026-03-08T02:10\n  to: 2026-03-08T02:50'],
    /spec.to: the window is never active: the clocks skip all of it\n$/,
  ],
  [
    'a rule with a part that is not known',
    ['cron: "0 22 * * *"', 'start: 2026-01-05T22:00\n  rrule: FREQ=WEEKLY;BYDAYS=MO'],
    /^windows.yaml:8:10: spec.rrule: rrule ".*": BYDAYS is not a part/,
  ],
  [
    'a rule without a start',
    ['cron: "0 22 * * *"', 'rrule: FREQ=DAILY'],
    /^windows.yaml:\d+:\d+: spec: rrule needs start\n$/,
  ],
  [
    'a rule that never occurs',
    ['cron: "0 22 * * *"', 'start: 2026-01-05T22:00\n  rrule: FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30'],
    /^windows.yaml:8:10: spec.rrule: ".*" never occurs\n$/,
  ],
  [
    'an action that is none',
    ['[PROMOTE]', '[PROMOT]'],
    /^windows.yaml:10:\d+: spec.holds\[0\]: must be PROMOTE, ROLLBACK or APPROVE/,
  ],
  [
    'a field that is none',
    ['kind: ALLOW', 'kind: ALLOW\n  zone: UTC'],
    /^windows.yaml:6:3: spec.zone: unknown field "zone"/,
  ],
])('%s is refused, with line and column', async (_title, [from, to], message) => {
  const { code, out, err } = await check(WEEKNIGHTS.replace(from!, to!), [
    '--at',
    '2026-03-08T01:00:00Z',
    '-o',
    'json',
  ]);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(message);
});

test('a wrong command line is another exit code', async () => {
  expect(await check(WEEKNIGHTS, ['--at', '2026-03-08T01:00'])).toMatchObject({ code: 2, out: '' });
  expect(await check(WEEKNIGHTS, ['--when', 'now'])).toMatchObject({ code: 2, out: '' });
});
