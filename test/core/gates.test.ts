import { describe, expect, test } from 'vitest';
import { askGates, verdictOf } from '../../src/core/gates.ts';
import type { PromotionStatus } from '../../src/core/release.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import { flowOf } from './support/builders.ts';
import { started } from './support/play.ts';

describe('may it start?', () => {
  test('every gate is asked, also when the first one already says no', () => {
    const release = started('dev > {asia, eu} as regions');
    const answers = askGates(release.plan, release.state, 1, { ...NO_FACTS, heldBy: { asia: 'r-0' } }, release.now);
    expect(answers.map((each) => `${each.gate} ${each.verdict}`)).toEqual([
      'DEPENDENCIES wait',
      'GROUP pass',
      'ENVIRONMENT wait',
    ]);
    expect(answers[0]).toMatchObject({ reason: 'waits for dev', who: 'dev' });
    expect(answers[2]).toMatchObject({ reason: 'release r-0 is at work in asia', release: 'r-0' });
    expect(verdictOf(answers)).toBe('wait');
  });

  test.each([
    ['SUSPENDED', 'release r-0 goes first, and waits for an approval in asia'],
    ['WAITING', 'release r-0 goes first, and waits in front of asia'],
    ['PENDING', 'release r-0 goes first, and has not come to asia'],
  ] as const)('who goes first and is %s in front of the environment is not said to be at work', (status, reason) => {
    const release = started('dev > asia');
    const facts = { ...NO_FACTS, heldBy: { asia: 'r-0' }, ahead: { asia: status } };
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
