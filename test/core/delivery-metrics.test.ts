import { describe, expect, test } from 'vitest';
import { deliveryMetrics } from '../../src/core/delivery-metrics.ts';
import type { Change } from '../../src/core/delivery-metrics.ts';

const HOUR = 3_600_000;
const window = { since: 0, until: 10 * 24 * HOUR };
/** Committed at `hour`, there an hour later, healthy half an hour after that. */
const change = (hour: number, given: Partial<Change> = {}): Change => ({
  kind: 'FORWARD',
  status: 'SUCCEEDED',
  createdAt: hour * HOUR,
  at: (hour + 1) * HOUR,
  verifiedAt: (hour + 1.5) * HOUR,
  endedAt: (hour + 1.5) * HOUR,
  committedAt: hour * HOUR,
  ...given,
});
const failed = (hour: number, given: Partial<Change> = {}): Change =>
  change(hour, { status: 'FAILED', verifiedAt: null, ...given });

test('how often, and how long a commit takes', () => {
  const changes = [change(1), change(2), change(3, { committedAt: -10 * HOUR }), change(4, { committedAt: null })];
  expect(deliveryMetrics(changes, window)).toEqual({
    deployments: 4,
    deploymentsPerDay: 0.4,
    leadTime: { median: 1.5 * HOUR, p90: 14.5 * HOUR, count: 3 },
    failed: 0,
    changeFailureRate: 0,
    timeToRestore: null,
    unrestored: 0,
  });
});

describe('what fails', () => {
  test('is restored by the next version that is healthy, or by a rollback, which is no deployment', () => {
    const rollback = change(20, { kind: 'ROLLBACK', createdAt: 15 * HOUR });
    const taken = change(10, { status: 'ROLLED_BACK' });
    const found = deliveryMetrics([failed(1), change(3), taken, rollback], window);
    expect(found).toMatchObject({ deployments: 2, failed: 2, changeFailureRate: 2 / 3, unrestored: 0 });
    // The first from 2.5 to 4.5; the second from when the rollback was started, 15, to 21.5.
    expect(found.timeToRestore).toEqual({ median: 2 * HOUR, p90: 6.5 * HOUR, count: 2 });
  });

  test('and was never restored is counted as that', () => {
    expect(deliveryMetrics([change(1), failed(3)], window)).toMatchObject({
      failed: 1,
      changeFailureRate: 0.5,
      timeToRestore: null,
      unrestored: 1,
    });
  });

  test('is nothing that a person ended, nor what is still on its way', () => {
    const ended = change(1, { status: 'TERMINATED', verifiedAt: null });
    const running = change(2, { status: 'RUNNING', verifiedAt: null });
    expect(deliveryMetrics([ended, running], window)).toMatchObject({
      failed: 0,
      deployments: 0,
      changeFailureRate: null,
    });
  });
});

test('only what came in the time that is asked about counts; what restored it may come later', () => {
  const span = { since: 2 * HOUR, until: 4 * HOUR };
  const found = deliveryMetrics([change(0.5), failed(2), change(50)], span);
  expect(found).toMatchObject({ deployments: 0, failed: 1, unrestored: 0, deploymentsPerDay: 0 });
  expect(deliveryMetrics([], span)).toMatchObject({ deployments: 0, leadTime: null, changeFailureRate: null });
});
