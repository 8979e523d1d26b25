import { describe, expect, test } from 'vitest';
import { askGates } from '../../src/core/gates/index.ts';
import { askWindow } from '../../src/core/gates/window.ts';
import type { PromotionStatus } from '../../src/core/release.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import { flowOf, MINUTE } from './support/builders.ts';
import { started } from './support/play.ts';
import { allow, deny } from './windows/support.ts';

describe('may it start?', () => {
  test('every gate is asked, also when the first one already says no', () => {
    const release = started('dev > {asia, eu} as regions');
    const answers = askGates(
      release.plan,
      release.state,
      1,
      { ...NO_FACTS, heldBy: { asia: { id: 'r-0', called: 'billing#1' } } },
      release.now,
    );
    expect(answers.map((each) => `${each.gate} ${each.verdict}`)).toEqual([
      'DEPENDENCIES wait',
      'GROUP pass',
      'ENVIRONMENT wait',
    ]);
    expect(answers[0]).toMatchObject({ reason: 'waits for dev', who: 'dev' });
    expect(answers[2]).toMatchObject({ reason: 'release billing#1 is at work in asia', release: 'r-0' });
  });

  test.each([
    ['SUSPENDED', 'release billing#1 goes first, and waits for an approval in asia'],
    ['WAITING', 'release billing#1 goes first, and waits in front of asia'],
    ['PENDING', 'release billing#1 goes first, and has not come to asia'],
  ] as const)('who goes first and is %s in front of the environment is not said to be at work', (status, reason) => {
    const release = started('dev > asia');
    const facts = { ...NO_FACTS, heldBy: { asia: { id: 'r-0', called: 'billing#1' } }, ahead: { asia: status } };
    expect(askGates(release.plan, release.state, 1, facts, release.now)[1]).toMatchObject({ reason, release: 'r-0' });
  });

  test.each([
    ['ALL', 'a FAILED', 'fail'],
    ['ANY', 'a FAILED', 'wait'],
    ['ANY', 'a FAILED, b SKIPPED', 'fail'],
    ['ANY', 'a SUCCEEDED, b FAILED', 'pass'],
    ['ALL', 'a SUCCEEDED, b TERMINATED', 'fail'],
    ['ALL', 'a SUCCEEDED', 'wait'],
    ['ALL', 'a SUCCEEDED, b SUCCEEDED', 'pass'],
  ] as const)('%s of a and b, with %s: %s', (policy, picture, verdict) => {
    const release = started(flowOf('dev > {a, b} > z', { steps: { z: { dependsOnPolicy: { policy } } } }));
    for (const each of picture.split(', ')) {
      const [name = '', status] = each.split(' ');
      release.promotion(name).status = status as PromotionStatus;
    }
    expect(askGates(release.plan, release.state, release.position('z'), NO_FACTS, release.now)[0]?.verdict).toBe(
      verdict,
    );
  });
});

describe('a window at the gate', () => {
  const release = started('dev > eu');
  const { now } = release;
  const text = (at: number): string => new Date(at).toISOString();
  const closed = (
    name: string,
    onClose: 'PAUSE' | 'FINISH' = 'FINISH',
    holds: ('PROMOTE' | 'ROLLBACK')[] = ['PROMOTE'],
  ) => deny({ from: text(now - MINUTE), to: text(now + MINUTE), onClose, holds }, name);
  const open = (onClose: 'PAUSE' | 'FINISH', more = {}) =>
    allow({ from: text(now - MINUTE), to: text(now + 60 * MINUTE), onClose, ...more }, `open-${onClose}`);
  const ask = (
    windows: ReturnType<typeof allow>[],
    more: Partial<typeof NO_FACTS> = {},
    action: 'PROMOTE' | 'ROLLBACK' = 'PROMOTE',
    overridden: string[] = [],
  ) =>
    askWindow('eu', release.state, { ...NO_FACTS, windows: { eu: windows }, ...more }, now, action, [
      { windows: overridden, reason: 'outage', by: 'ada', at: now, expiresAt: now + 1 },
    ]);

  test('there is none where nothing holds the action', () => {
    expect(ask([])).toBeNull();
    expect(ask([closed('back', 'FINISH', ['ROLLBACK'])])).toBeNull();
    expect(ask([closed('back', 'FINISH', ['ROLLBACK'])], {}, 'ROLLBACK')).toMatchObject({ verdict: 'wait' });
  });

  test('closed: until it opens, and whether it pauses is what the closed ones say', () => {
    expect(ask([closed('a')])).toMatchObject({
      verdict: 'wait',
      recheckAt: now + MINUTE,
      pauses: false,
      windows: ['a'],
    });
    expect(ask([closed('a'), closed('b', 'PAUSE')])).toMatchObject({ verdict: 'wait', pauses: true });
    expect(ask([closed('a'), open('PAUSE')])).toMatchObject({ verdict: 'wait', pauses: false });
  });

  test('open: whether it may pause is what any of them says', () => {
    expect(ask([open('FINISH')])).toMatchObject({ verdict: 'pass', pauses: false });
    expect(ask([open('FINISH'), open('PAUSE')])).toMatchObject({ verdict: 'pass', pauses: true });
  });

  test('who overrides it says so, and only then', () => {
    expect(ask([closed('a')], {}, 'PROMOTE', ['a'])).toMatchObject({
      verdict: 'pass',
      reason: expect.stringContaining('ada overrides a until'),
    });
    expect(ask([closed('a')], {}, 'PROMOTE', ['b'])?.reason).not.toContain('overrides');
    expect(ask([closed('a'), closed('b')], {}, 'PROMOTE', ['b'])).toMatchObject({ verdict: 'wait', windows: ['a'] });
  });

  test('a runway is for promotions alone', () => {
    const until = allow(
      { from: text(now - MINUTE), to: text(now + 10 * MINUTE), runway: true, holds: ['PROMOTE', 'ROLLBACK'] },
      'u',
    );
    const runway = { eu: 11 * MINUTE };
    expect(ask([until], { runway })).toMatchObject({ verdict: 'wait' });
    expect(ask([until], { runway }, 'ROLLBACK')).toMatchObject({ verdict: 'pass' });
    expect(ask([until], { runway: { eu: 9 * MINUTE } })).toMatchObject({ verdict: 'pass' });
  });

  test('just opened: each starts at its own moment, and not before', () => {
    const fresh = allow({ from: text(now), to: text(now + 60 * MINUTE), jitter: 30 * MINUTE }, 'fresh');
    const first = ask([fresh]);
    expect(first).toMatchObject({ verdict: 'wait', reason: expect.stringContaining('eu has just opened') });
    const starts = first!.recheckAt!;
    expect(starts).toBeGreaterThan(now);
    const later = (at: number) =>
      askWindow('eu', release.state, { ...NO_FACTS, windows: { eu: [fresh] } }, at, 'PROMOTE');
    expect(later(starts - 1)).toMatchObject({ verdict: 'wait', recheckAt: starts });
    expect(later(starts)).toMatchObject({ verdict: 'pass' });
  });
});
