import { describe, expect, test } from 'vitest';
import type { HealthStatus } from '../../src/core/definitions.ts';
import { askGates, judgeGroup, verdictOf } from '../../src/core/gates.ts';
import type { PlannedGroup } from '../../src/core/plan.ts';
import type { PromotionStatus } from '../../src/core/release.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import { flowOf, MINUTE } from './support/builders.ts';
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

describe('is the group healthy?', () => {
  const judge = (said: string, gate: Partial<PlannedGroup> = {}, waited = 0) => {
    const release = started('dev > {a, b, c} as regions').succeed('dev');
    const group = { ...(release.plan.groups[0] as PlannedGroup), unknownTimeout: MINUTE, ...gate };
    const health = said.split(' ').flatMap((word, index) => {
      const status = ({ H: 'HEALTHY', D: 'DEGRADED', U: 'UNKNOWN', P: 'PROGRESSING' } as Record<string, HealthStatus>)[
        word
      ];
      if (word === 'open') return [];
      release.succeed(['a', 'b', 'c'][index] as string);
      return status ? [{ promotion: index + 1, status }] : [];
    });
    return judgeGroup(release.plan, group, release.state, health, release.now - waited, release.now);
  };

  test.each([
    ['H H H', {}, 0, 'pass'],
    ['H D H', {}, 0, 'fail'],
    ['H U H', {}, 0, 'wait'],
    ['H P H', {}, 0, 'wait'],
    ['H U H', {}, MINUTE - 1, 'wait'],
    ['H U H', {}, MINUTE, 'fail'],
    ['H nobody H', {}, 0, 'wait'],
    ['H D H', { required: 2 }, 0, 'pass'],
    ['H D U', { required: 2 }, 0, 'wait'],
    ['D D H', { required: 2 }, 0, 'fail'],
    ['H D open', { required: 2 }, MINUTE, 'wait'],
    ['U D open', { required: 2 }, MINUTE, 'fail'],
    ['H H open', { required: 2 }, 0, 'pass'],
  ] as const)('members %s, %j, after %i ms: %s', (said, gate, waited, verdict) => {
    expect(judge(said, gate, waited).verdict).toBe(verdict);
  });

  test('the reason counts, and names who is not healthy', () => {
    expect(judge('H D U').reason).toBe('1 of 3 in regions are healthy, 3 needed: b is DEGRADED, c is UNKNOWN');
  });
});
