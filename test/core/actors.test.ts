import { describe, expect, test } from 'vitest';
import { actorOf, KEYED, remember } from '../../src/core/actor.ts';
import type { Heard, Stimulus } from '../../src/core/release.ts';
import { flowOf, MINUTE } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

/** `ReleaseTerminating by bob` */
const told = (release: Play): string[] =>
  release.last.events.map(({ event, actor }) => `${event.type}${actor === null ? '' : ` by ${actor}`}`);

const override = (release: Play, environment: string, by: string): Stimulus => ({
  kind: 'override-windows',
  promotion: release.position(environment),
  windows: ['freeze'],
  reason: 'outage',
  by,
  expiresAt: release.now + MINUTE,
});

describe('an event carries the actor of the stimulus that caused it', () => {
  test('two people in one decision: each is the actor of what the own word led to', () => {
    const release = started('dev > eu');
    release.tell(override(release, 'eu', 'ada'), { kind: 'terminate', reason: 'enough', by: 'bob' });
    expect(told(release)).toEqual([
      'WindowOverridden by ada',
      'ReleaseTerminating by bob',
      'PromotionTerminated by bob',
    ]);
  });

  test('an outcome that shares a decision with a person has no actor, whoever comes first', () => {
    const release = started('dev > eu');
    const done = release.outcome('dev', 0, { kind: 'succeeded' });
    release.tell(override(release, 'eu', 'ada'), done);
    expect(told(release)).toEqual([
      'WindowOverridden by ada',
      'StepSucceeded',
      'PromotionSucceeded',
      'PromotionStarted',
      'StepStarted',
    ]);
    const other = started('dev > eu');
    other.tell(other.outcome('dev', 0, { kind: 'succeeded' }), override(other, 'eu', 'ada'));
    expect(told(other)).toContain('StepSucceeded');
    expect(told(other)).toContain('WindowOverridden by ada');
  });

  test('what an outcome leads to has no actor, also when a person is heard after it in the same decision', () => {
    const release = started('dev > eu');
    const done = release.outcome('dev', 0, { kind: 'succeeded' });
    release.tell(done, override(release, 'eu', 'ada'));
    expect(told(release)).toEqual([
      'StepSucceeded',
      'PromotionSucceeded',
      'PromotionStarted',
      'StepStarted',
      'WindowOverridden by ada',
    ]);
  });

  test('a limit that is over is nobody, also when a person is heard in the same moment', () => {
    const release = started(flowOf('dev > eu', { timeout: MINUTE }));
    release.now += MINUTE;
    release.tell(override(release, 'eu', 'ada'));
    expect(told(release)).toContain('ReleaseTerminating');
  });

  test('a retry is by whoever wants it, also where the release starts with it at once', () => {
    const release = started('dev > eu').fail('dev');
    release.tell({ kind: 'retry', by: 'ada' });
    expect(told(release)).toContain('ReleaseStarted by ada');
  });

  test('a newer release that ends this one is no person', () => {
    expect(actorOf({ kind: 'terminate', reason: 'a newer release, r-2, reached eu', by: null })).toBeNull();
    expect(
      actorOf({ kind: 'rollout-reported', environment: 'eu', attempt: 1, status: 'FAILED', message: '', by: 'ci' }),
    ).toBe('ci');
  });
});

describe('who ends a release because of what it read', () => {
  test('one that waited for its turn, and runs by now, is not ended', () => {
    const release = started('dev > eu');
    release.tell({ kind: 'terminate', reason: 'more than 50 releases were waiting', by: null, onlyIf: 'QUEUED' });
    expect(release.picture).toBe('dev RUNNING');
    expect(release.last.events).toEqual([]);
  });

  test('one that has left the environment in the meantime is not ended, one that is there is', () => {
    const release = started('dev > eu > asia').succeed('dev', 'eu');
    const late = (environment: string): Stimulus => ({
      kind: 'terminate',
      reason: 'a newer release',
      by: null,
      onlyIf: { atWorkIn: environment },
    });
    release.tell(late('eu'));
    expect(release.picture).toContain('asia RUNNING');
    release.tell(late('asia'));
    expect(release.state.status).toBe('TERMINATING');
  });
});

describe('told twice, taken in once', () => {
  const reports: Record<string, Stimulus> = {
    HealthChanged: { kind: 'health-reported', environment: 'dev', application: 'billing-dev', status: 'UNKNOWN' },
    DeploymentReported: {
      kind: 'deployment-reported',
      environment: 'dev',
      application: 'billing-dev',
      running: { version: '1.4.2' },
    },
    RolloutReported: { kind: 'rollout-reported', environment: 'dev', attempt: 1, status: 'SUCCEEDED', message: 'fine' },
    RollbackJoined: { kind: 'rollback-joined', environment: 'dev', cause: 'FAILED', reason: 'broken', release: null },
  };
  test.each(Object.entries(reports))('%s stands once under its key, and again under another one', (type, report) => {
    const release = started('dev > eu');
    for (const key of ['a', 'a', 'b', 'a']) release.tell({ ...report, key });
    expect(release.events.filter((each) => each.event.type === type)).toHaveLength(2);
  });

  test.each(Object.entries(reports))(
    '%s stands once, also where both tellings are heard in one decision',
    (type, report) => {
      const release = started('dev > eu');
      release.tell({ ...report, key: 'a' }, { ...report, key: 'b' }, { ...report, key: 'a' });
      expect(release.events.filter((each) => each.event.type === type)).toHaveLength(2);
      expect(release.state.heard.map((each) => each.key)).toEqual(['a', 'b']);
    },
  );

  test('a termination that is heard again after a retry does not end the retried release', () => {
    const release = started('dev > eu');
    const end: Stimulus = { kind: 'terminate', reason: 'enough', by: 'bob', key: 'a' };
    release.tell(end);
    release.report('dev', { kind: 'aborted' });
    release.tell({ kind: 'retry', by: 'ada', key: 'b' });
    release.tell(end);
    expect(release.state.status).toBe('RUNNING');
  });

  test('what changed nothing is not remembered', () => {
    const release = started('dev > eu');
    release.tell({ kind: 'retry', by: 'ada', key: 'a' });
    expect(release.state.heard).toEqual([]);
  });

  test('a hundred keys are remembered for good, more of them for ten minutes', () => {
    let heard: Heard[] = [];
    for (let count = 0; count < 300; count += 1) heard = remember(heard, `${count}`, 0);
    expect(heard).toHaveLength(300);
    heard = remember(heard, 'later', 11 * MINUTE);
    expect(heard).toHaveLength(100);
    expect(heard.at(-1)?.key).toBe('later');
  });

  test('every stimulus that adds to the log without looking at the state has a key', () => {
    expect([...KEYED]).toEqual(expect.arrayContaining(['health-reported', 'rollout-reported', 'rollback-joined']));
  });
});
