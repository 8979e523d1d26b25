import { describe, expect, test } from 'vitest';
import { NO_FACTS } from '../../src/core/release.ts';
import type { Facts, OverrideStimulus } from '../../src/core/release.ts';
import { waitingFor } from '../../src/core/waiting.ts';
import { at, flowOf, MINUTE } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';
import { allow, deny } from './windows/support.ts';

const day = { from: '2026-01-05T00:00:00Z', to: '2026-01-05T20:00:00Z' };
const night = { from: '2026-01-05T20:00:00Z', to: '2026-01-06T06:00:00Z' };
const freeze = deny(day, 'freeze');
const audit = deny(day, 'audit');
const nights = allow(night, 'nights');

const closedBy = (...windows: ReturnType<typeof deny>[]): Facts => ({ ...NO_FACTS, windows: { eu: windows } });

/** dev is through, eu waits for its windows. */
function waiting(facts: Facts): Play {
  const play = started('dev > eu');
  play.facts = facts;
  return play.succeed('dev');
}

const override = (windows: string[], more: Partial<OverrideStimulus> = {}): OverrideStimulus => ({
  kind: 'override-windows',
  promotion: 1,
  windows,
  reason: 'outage',
  by: 'ada',
  expiresAt: at('11:00'),
  ...more,
});

describe('an override', () => {
  test.each([
    ['the DENY that closes', [freeze], ['freeze'], 'RUNNING'],
    ['one of two that close', [freeze, audit], ['freeze'], 'WAITING'],
    ['both that close', [freeze, audit], ['freeze', 'audit'], 'RUNNING'],
    ['the ALLOW that is not active', [nights], ['nights'], 'RUNNING'],
    ['the DENY, and the ALLOW stays', [freeze, nights], ['freeze'], 'WAITING'],
    ['a window that is not there', [freeze], ['frees'], 'WAITING'],
  ] as const)('of %s', (_, windows, named, status) => {
    const play = waiting(closedBy(...windows));
    play.tell(override([...named]));
    expect(play.picture).toContain(`eu ${status}`);
  });

  test('stands in the evidence of the start, and in the events', () => {
    const play = waiting(closedBy(freeze));
    play.tell(override(['freeze']));
    const evidence = play.promotion('eu').evidence?.find((each) => each.gate === 'WINDOW');
    expect(evidence?.reason).toMatch(/ada overrides freeze until .*T11:00:00.000Z: outage/);
    const event = play.events.find((each) => each.event.type === 'WindowOverridden')?.event;
    expect(event).toMatchObject({ environment: 'eu', windows: ['freeze'], reason: 'outage' });
  });

  test('that does not open it yet is told with what still closes', () => {
    const play = waiting(closedBy(freeze, audit));
    play.tell(override(['freeze']));
    const [reason] = waitingFor(play.plan, play.state, play.facts, play.now);
    expect(reason).toMatchObject({ kind: 'WINDOW', windows: ['audit'] });
    expect(reason?.message).toContain('ada overrides freeze');
  });

  test('counts until it expires and not a moment longer', () => {
    const play = waiting({ ...closedBy(freeze), heldBy: { eu: { id: 'r-0', called: 'billing#1' } } });
    play.tell(override(['freeze']));
    expect(play.picture).toContain('eu WAITING');
    play.facts = closedBy(freeze);
    play.later(at('11:00') - play.now);
    expect(play.picture).toContain('eu WAITING');
    play.tell(override(['freeze'], { expiresAt: at('11:00') + 1 }));
    expect(play.picture).toContain('eu RUNNING');
  });

  test('lets what a window had paused go on, and its expiry pauses it again', () => {
    const pausing = allow({ from: '2026-01-05T00:00:00Z', to: '2026-01-05T10:05:00Z', onClose: 'PAUSE' }, 'morning');
    const play = started(
      flowOf('dev > eu', { steps: { eu: { policy: { preAction: 'checks', postAction: 'checks' } } } }),
      {
        workflows: { checks: ['run'] },
      },
    );
    play.facts = closedBy(pausing);
    play.succeed('dev');
    play.now += 5 * MINUTE;
    play.report('eu', { kind: 'succeeded' });
    expect(play.picture).toContain('eu WAITING');
    play.tell(override(['morning']));
    expect(play.picture).toContain('eu RUNNING');
    play.now = at('11:00');
    play.report('eu', { kind: 'succeeded' });
    expect(play.picture).toContain('eu WAITING');
  });

  test("what a window holds between two phases uses up none of its environment's time", () => {
    const pausing = allow({ from: '2026-01-05T00:00:00Z', to: '2026-01-05T10:05:00Z', onClose: 'PAUSE' }, 'morning');
    const steps = { eu: { policy: { preAction: 'checks' }, timeout: 20 * MINUTE } };
    const play = started(flowOf('dev > eu', { steps }), { workflows: { checks: ['run'] } });
    play.facts = closedBy(pausing);
    play.succeed('dev');
    play.now += 5 * MINUTE;
    play.report('eu', { kind: 'succeeded' });
    expect(play.picture).toContain('eu WAITING');
    play.later(60 * MINUTE);
    expect(play.picture).toContain('eu WAITING');
    play.facts = NO_FACTS;
    play.tell({ kind: 'tick' });
    expect(play.picture).toContain('eu RUNNING');
    expect(play.state.wakeAt).toBe(play.now + 15 * MINUTE);
    play.wake();
    play.report('eu', { kind: 'aborted' });
    expect(play.state.firstProblem?.message).toBe('the limit of 20m for eu is over');
  });

  test('of a promotion that has ended is refused', () => {
    const play = started('dev > eu').succeed('dev', 'eu');
    const stimulus = override(['freeze']);
    expect(play.tell(stimulus).refused.get(stimulus)?.code).toBe('WRONG_STATE');
    expect(play.last.events).toEqual([]);
  });
});
