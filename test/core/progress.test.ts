import { describe, expect, test } from 'vitest';
import { MOST_PROGRESS, withBoundedProgress } from '../../src/core/progress.ts';
import { DAY } from '../../src/core/definitions.ts';
import type { Outcome } from '../../src/core/release.ts';
import { flowOf, MINUTE, SECOND } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

const pending = (more: object): Outcome => ({ kind: 'pending', reason: 'open', recheckAfter: 5 * SECOND, ...more });

function acting(): Play {
  return started(flowOf('dev > eu', { steps: { eu: { timeout: 5 * MINUTE } } })).succeed('dev');
}

describe('progress', () => {
  test('survives from one look to the next, and is gone when its step has succeeded', () => {
    const release = acting();
    expect(release.steps('eu')[0]?.progress).toBeNull();
    release.report('eu', pending({ progress: { number: 17 } }));
    release.wake();
    expect(release.steps('eu')[0]).toMatchObject({ status: 'RUNNING', progress: { number: 17 } });
    release.report('eu', pending({}));
    expect(release.steps('eu')[0]?.progress).toEqual({ number: 17 });
    release.wake();
    release.report('eu', { kind: 'succeeded' });
    expect(release.steps('eu')[0]?.progress).toBeNull();
  });

  test('is there for whoever takes over after a crash, and not for another attempt', () => {
    const release = acting();
    release.report('eu', pending({ progress: { number: 17 } }));
    release.wake();
    const promotion = release.position('eu');
    release.tell({ kind: 'lost-dispatch', promotion, dispatch: release.steps('eu')[0]?.dispatch ?? 0 });
    expect(release.steps('eu')[0]).toMatchObject({ status: 'RUNNING', progress: { number: 17 } });
    release.fail('eu').tell({ kind: 'retry', by: 'ada' });
    expect(release.steps('eu')[0]?.progress).toBeNull();
  });

  test('that is too large fails its step, and says so', () => {
    const longest = 'é'.repeat((MOST_PROGRESS - '{"a":""}'.length) / 2);
    const fits = pending({ progress: { a: longest } });
    expect(withBoundedProgress(fits, 'eu/open')).toBe(fits);
    const release = acting();
    release.report('eu', pending({ progress: { a: `${longest}x` } }));
    expect(release.promotion('eu').problem?.message).toBe(
      'the progress of billing-eu/ACTION has 16385 bytes as JSON, and at most 16384 bytes are kept between two looks: keep a reference to it',
    );
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(withBoundedProgress(pending({ progress: circle }), 'eu/open')).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('is no JSON'),
    });
  });
});

describe('what is pending', () => {
  test.each<[string, object, string]>([
    ['for a person', { waitsFor: 'PERSON' }, 'dev SUCCEEDED, eu SUSPENDED'],
    ['for an outside system', { waitsFor: 'SYSTEM' }, 'dev SUCCEEDED, eu SUSPENDED'],
    ['for whoever tells', { recheckAfter: undefined }, 'dev SUCCEEDED, eu SUSPENDED'],
    ['for a time', {}, 'dev SUCCEEDED, eu RUNNING'],
  ])('%s is looked at when it is due: %s', (_name, more, picture) => {
    const release = acting();
    release.report('eu', pending(more));
    expect(release.picture).toBe(picture);
    release.wake();
    expect([release.dispatched, release.picture]).toEqual([['eu'], picture]);
  });

  test('for a person uses up no time limit, and ends after a day', () => {
    const release = acting();
    const began = release.now;
    while (release.promotion('eu').status !== 'FAILED') {
      if (release.running('eu').length > 0)
        release.report('eu', pending({ waitsFor: 'PERSON', recheckAfter: 10 * MINUTE }));
      else release.wake();
    }
    expect(release.now - began).toBe(DAY);
    expect(release.promotion('eu').problem?.message).toBe('billing-eu: no report came within 24h: open');
  });
});
