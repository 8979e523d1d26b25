import { describe, expect, test } from 'vitest';
import type { WindowAction } from '../../../src/core/definitions.ts';
import { NO_FACTS } from '../../../src/core/release.ts';
import type { Facts, ReleaseState } from '../../../src/core/release.ts';
import type { WindowOverride } from '../../../src/core/windows/override.ts';
import { deny } from '../windows/support.ts';
import { goesBack, rollbackOf } from './created.ts';
import { MINUTE, NOW } from './support.ts';
import { advance } from '../support/advance.ts';

const iso = (at: number): string => new Date(at).toISOString();

/** eu is closed from now on for ten minutes, for what `holds` says. */
const closedFor = (...holds: WindowAction[]): Facts => ({
  ...NO_FACTS,
  windows: { eu: [deny({ from: iso(NOW - MINUTE), to: iso(NOW + 10 * MINUTE), holds }, 'freeze')] },
});

const override: WindowOverride = {
  windows: ['freeze'],
  reason: 'outage',
  by: 'ada',
  at: NOW,
  expiresAt: NOW + MINUTE,
};

/** A rollback of eu, looked at once. */
function looked(facts: Facts, now = NOW, overrides: WindowOverride[] = []) {
  const { plan, state } = rollbackOf([goesBack('eu')]);
  const promotions = state.promotions.map((each) => ({ ...each, overrides }));
  const decision = advance(plan, { ...state, promotions } satisfies ReleaseState, [{ kind: 'tick' }], facts, now);
  if (decision === 'NEEDS_FACTS') throw new Error('facts were given');
  const [eu] = decision.state.promotions;
  return { status: eu?.status, evidence: eu?.evidence, wakeAt: decision.state.wakeAt };
}

describe('a rollback asks the windows that hold rollbacks, and no others', () => {
  test.each<[string, Facts, number, WindowOverride[], string]>([
    ['closed for rollbacks', closedFor('ROLLBACK'), NOW, [], 'WAITING'],
    ['closed for promotions and rollbacks', closedFor('PROMOTE', 'ROLLBACK'), NOW, [], 'WAITING'],
    ['closed for promotions alone', closedFor('PROMOTE'), NOW, [], 'RUNNING'],
    ['closed for approvals alone', closedFor('APPROVE'), NOW, [], 'RUNNING'],
    ['closed for rollbacks, and over', closedFor('ROLLBACK'), NOW + 10 * MINUTE, [], 'RUNNING'],
    ['closed for rollbacks, and overridden', closedFor('ROLLBACK'), NOW, [override], 'RUNNING'],
  ])('%s', (_, facts, now, overrides, status) => {
    expect(looked(facts, now, overrides).status).toBe(status);
  });

  test('while it waits it says when it looks again, and the evidence of its start names the window', () => {
    expect(looked(closedFor('ROLLBACK')).wakeAt).toBe(NOW + 10 * MINUTE);
    const { evidence } = looked(closedFor('ROLLBACK'), NOW + 10 * MINUTE);
    expect(evidence?.find((each) => each.gate === 'WINDOW')).toMatchObject({ verdict: 'pass' });
  });
});
