import { expect, test } from 'vitest';
import { askWindow } from '../../../src/core/gates/window.ts';
import { NO_FACTS } from '../../../src/core/release.ts';
import { spreadAt, startIn, windowState } from '../../../src/core/windows/index.ts';
import type { ReleaseWindow } from '../../../src/core/windows/index.ts';
import { waitingFor } from '../../../src/core/waiting.ts';
import { fc } from '../property.ts';
import { started } from '../support/play.ts';
import { allow, at, deny, HOUR, iso } from './support.ts';

const MINUTE = 60_000;
const office = allow({ cron: '0 9 * * MON-FRI', end: '17:00', jitter: 10 * MINUTE }, 'office');
const plain = allow({ cron: '0 9 * * MON-FRI', end: '17:00' }, 'plain');
const short = allow({ cron: '0 9 * * MON-FRI', duration: 5 * MINUTE, jitter: 10 * MINUTE }, 'short');
const blink = deny({ from: '2026-05-05T09:58', to: '2026-05-05T10:00', jitter: 10 * MINUTE }, 'blink');
const held = allow({ cron: '0 9 * * MON-FRI', end: '17:00', jitter: HOUR, holds: ['ROLLBACK'] }, 'held');
const strict = allow({ cron: '0 9 * * MON-FRI', duration: 12 * MINUTE, jitter: 10 * MINUTE, runway: true }, 'strict');

const spread = (windows: ReleaseWindow[], instant: string, runwayMs?: number): string | null => {
  const state = windowState(windows, at(instant), 'PROMOTE', { runwayMs });
  const found = spreadAt(windows, state, at(instant), 'PROMOTE', { runwayMs });
  return found && `${iso(found.opens)} to ${iso(found.until)}`;
};

test.each<[string, ReleaseWindow[], string, number | undefined, string | null]>([
  [
    'closed: from the next opening on',
    [office],
    '2026-05-05T08:00Z',
    undefined,
    '2026-05-05T09:00Z to 2026-05-05T09:10Z',
  ],
  [
    'without a jitter at the opening',
    [plain],
    '2026-05-05T08:00Z',
    undefined,
    '2026-05-05T09:00Z to 2026-05-05T09:00Z',
  ],
  [
    'the longest jitter of all',
    [plain, office],
    '2026-05-05T08:00Z',
    undefined,
    '2026-05-05T09:00Z to 2026-05-05T09:10Z',
  ],
  [
    'of those that hold the action',
    [plain, held],
    '2026-05-05T08:00Z',
    undefined,
    '2026-05-05T09:00Z to 2026-05-05T09:00Z',
  ],
  ['just opened: goes on', [office], '2026-05-05T09:09Z', undefined, '2026-05-05T09:00Z to 2026-05-05T09:10Z'],
  ['and is over', [office], '2026-05-05T09:10Z', undefined, null],
  ['open without a jitter', [plain], '2026-05-05T09:00Z', undefined, null],
  ['no longer than it is open', [short], '2026-05-05T08:00Z', undefined, '2026-05-05T09:00Z to 2026-05-05T09:05Z'],
  [
    'closed for a blink, within the jitter',
    [blink],
    '2026-05-05T10:03Z',
    undefined,
    '2026-05-05T10:00Z to 2026-05-05T10:10Z',
  ],
  ['before the blink', [blink], '2026-05-05T09:57Z', undefined, null],
  ['with the runway', [strict], '2026-05-05T08:00Z', 7 * MINUTE, '2026-05-05T09:00Z to 2026-05-05T09:05Z'],
  [
    'never open again',
    [deny({ from: '2026-01-01T00:00', to: '2056-01-01T00:00', jitter: HOUR })],
    '2026-05-05T08:00Z',
    undefined,
    null,
  ],
])('%s', (_, windows, instant, runway, expected) => {
  expect(spread(windows, instant, runway)).toBe(expected);
});

const instants = fc.integer({ min: 0, max: 240 });
const windows = fc.array(
  fc.record({
    kind: fc.constantFrom('ALLOW' as const, 'DENY' as const),
    from: instants,
    length: fc.integer({ min: 1, max: 40 }),
    jitter: fc.nat(30),
  }),
  { minLength: 1, maxLength: 5 },
);

test('property: whoever waits starts when it said it would, in an open window, within the jitter of an opening', () => {
  const began = at('2026-05-05T00:00Z');
  const text = (minute: number): string => new Date(began + minute * MINUTE).toISOString();
  let spreads = 0;
  let shortened = 0;
  fc.assert(
    fc.property(windows, instants, fc.uuid(), (drawn, minute, id) => {
      const all = drawn.map(({ kind, from, length, jitter }, index) =>
        (kind === 'ALLOW' ? allow : deny)(
          { from: text(from), to: text(from + length), jitter: jitter * MINUTE },
          `w${index}`,
        ),
      );
      const release = started('dev > eu');
      const state = { ...release.state, id };
      const ask = (now: number) => askWindow('eu', state, { ...NO_FACTS, windows: { eu: all } }, now, 'PROMOTE');
      const now = began + minute * MINUTE;
      const answer = ask(now);
      const here = windowState(all, now, 'PROMOTE');
      const longest = Math.max(...drawn.map(({ jitter }) => jitter)) * MINUTE;
      if (answer?.verdict === 'pass') {
        expect(here.closed).toBe(false);
        return;
      }
      if (answer?.recheckAt === undefined) {
        expect(here.nextOpen).toBeNull();
        return;
      }
      const starts = answer.recheckAt;
      const found = spreadAt(all, here, now, 'PROMOTE');
      expect(found && startIn(found, `${id} eu`)).toBe(starts);
      expect(starts).toBeLessThanOrEqual(found?.until ?? 0);
      expect(starts - (found?.opens ?? 0)).toBeLessThanOrEqual(longest);
      // It says so from now on, keeps its word, and finds it open.
      expect(ask(starts)?.verdict).toBe('pass');
      for (const between of [now + 1, Math.floor((now + starts) / 2), starts - 1]) {
        if (between >= starts || between <= now) continue;
        expect(ask(between)).toMatchObject({ verdict: 'wait', recheckAt: starts });
      }
      if (starts > (found?.opens ?? 0)) spreads += 1;
      if (found && found.until - found.opens < longest) shortened += 1;
    }),
    { numRuns: 2_000 },
  );
  expect(spreads).toBeGreaterThan(200);
  expect(shortened).toBeGreaterThan(50);
});

test('what a release waits for tells its own start, not only the opening', () => {
  const release = started('dev > eu').succeed('dev');
  release.now = at('2026-05-05T08:00Z');
  const facts = { ...NO_FACTS, windows: { eu: [office] } };
  const fresh = {
    ...release.state,
    promotions: release.state.promotions.map((each, index) =>
      index === 1 ? { ...each, status: 'WAITING' as const, startedAt: null } : each,
    ),
  };
  const [window] = waitingFor(release.plan, fresh, facts, release.now);
  const earliest = window?.earliest as number;
  expect(earliest).toBeGreaterThan(at('2026-05-05T09:00Z'));
  expect(earliest).toBeLessThan(at('2026-05-05T09:10Z'));
  expect(window?.message).toContain(
    `opens 2026-05-05T09:00:00.000Z, this release starts ${new Date(earliest).toISOString()}`,
  );
});
