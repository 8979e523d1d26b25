import { describe, expect, test } from 'vitest';
import type { RollbackCauseKind, RollbackPolicySpec, SyncSourceSpec } from '../../src/core/definitions.ts';
import { DAY } from '../../src/core/definitions.ts';
import { changedAt } from '../../src/core/health-tolerance.ts';
import { planRelease } from '../../src/core/planner.ts';
import { runs } from '../../src/core/running.ts';
import { waitingFor } from '../../src/core/waiting.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import type { Outcome } from '../../src/core/release.ts';
import { flowOf, inputOf, MINUTE, SECOND } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

const HTTP: SyncSourceSpec = { type: 'http', url: 'https://example.com/version', jsonPath: '$.commit' };
const runsOther: Outcome = {
  kind: 'pending',
  reason: 'billing-eu runs 1.3.0, not 1.4.2',
  recheckAfter: 5 * SECOND,
  waitsFor: 'SYSTEM',
};

const policy = (causes?: RollbackCauseKind[]): RollbackPolicySpec => ({
  when: causes ? { causes } : {},
  targets: [],
  maxFailureAge: DAY,
  onTargetFailure: 'CONTINUE',
  markBad: { scope: 'NONE' },
});

/** The change of `eu` is made, and whether it runs is asked. */
function acted(source: SyncSourceSpec = HTTP, policies: RollbackPolicySpec[] = []): Play {
  const flow = flowOf('dev > eu', { rollbackPolicies: policies, steps: { eu: { timeout: 5 * MINUTE } } });
  const release = started(flow, { sync: (name) => (name === 'eu' ? source : undefined) }).succeed('dev');
  release.report('eu', { kind: 'succeeded', changed: true });
  expect(release.stepsOf('eu')).toBe('ACTION SUCCEEDED, SYNC RUNNING, HEALTH PENDING');
  return release;
}

const rollbacks = ({ last }: Play) => last.work.filter((each) => each.kind === 'roll-back');

describe('what runs', () => {
  const change = { version: '1.4.2', commit: 'C0FFEE0123456789c0ffee0123456789c0ffee01' };
  test.each<[string, Parameters<typeof runs>[0], boolean]>([
    ['the version', { version: '1.4.2' }, true],
    ['another version', { version: '1.4.20' }, false],
    ['the commit', { commit: change.commit.toLowerCase() }, true],
    ['seven digits of the commit', { commit: 'c0ffee0' }, true],
    ['six digits of the commit', { commit: 'c0ffee' }, false],
    ['another commit', { commit: 'c0ffee1' }, false],
    ['another commit that is called the same', { commit: 'c0ffee1', version: '1.4.2' }, false],
    ['a word that is the version', { either: '1.4.2' }, true],
    ['a word that is the commit', { either: 'c0ffee0123' }, true],
    ['another word', { either: 'ok' }, false],
    ['nothing', {}, false],
  ])('%s', (_name, running, expected) => expect(runs(running, change)).toBe(expected));

  test('a commit says nothing of a change without commits', () => {
    expect(runs({ commit: 'c0ffee0' }, { version: '1.4.2' })).toBe(false);
    expect(runs({ commit: 'c0ffee0', version: '1.4.2' }, { version: '1.4.2' })).toBe(true);
  });
});

describe('a plan', () => {
  test('asks whether a target runs the change before it asks for its health', () => {
    const { steps } = acted({ ...HTTP, limit: 20 * MINUTE }).plan.promotions[1]!;
    expect(steps.map(({ id, needs, patience }) => [id, needs, patience])).toEqual([
      ['billing-eu/ACTION', [], undefined],
      ['billing-eu/SYNC', [0], 20 * MINUTE],
      ['billing-eu/HEALTH', [1], undefined],
    ]);
  });

  test('warns of git targets where nobody is asked, in one sentence', () => {
    const input = inputOf(flowOf('dev > eu'), { sync: (name) => (name === 'dev' ? HTTP : { type: 'none' }) });
    for (const { spec } of input.applications)
      spec.driver = { type: 'git', repoURL: 'https://git.example/x', branch: 'main', path: spec.environment };
    const made = planRelease(input);
    const warnings = 'plan' in made ? made.plan.warnings : [];
    expect(warnings).toEqual([expect.stringMatching(/^no sync source .* runs the change: billing-eu\. Their deploy/)]);
  });
});

describe('a target that does not run the change', () => {
  test('is waited for as an outside system, which uses up no time', () => {
    const release = acted();
    release.report('eu', runsOther);
    expect(release.picture).toBe('dev SUCCEEDED, eu SUSPENDED');
    expect(waitingFor(release.plan, release.state, NO_FACTS, release.now)).toMatchObject([
      { kind: 'SYNC', step: 1, who: 'the target of billing-eu', message: expect.stringContaining('runs 1.3.0') },
    ]);
    for (let looks = 0; looks < 100; looks += 1) {
      release.wake();
      release.report('eu', runsOther);
    }
    expect(release.now - (release.promotion('eu').startedAt ?? 0)).toBeGreaterThan(8 * MINUTE);
    expect(release.picture).toBe('dev SUCCEEDED, eu SUSPENDED');
  });

  test.each<[string, RollbackPolicySpec[], string | undefined]>([
    ['takes nothing back', [policy()], undefined],
    ['takes nothing back by a policy for other causes', [policy(['FAILED'])], undefined],
    ['is a cause where a policy names it', [policy(['FAILED']), policy(['NOT_SYNCED'])], 'NOT_SYNCED'],
  ])('fails its promotion after 15 minutes, and %s', (_name, policies, cause) => {
    const release = acted(HTTP, policies);
    const began = release.now;
    while (release.promotion('eu').status !== 'FAILED') {
      if (release.running('eu').length > 0) release.report('eu', runsOther);
      else release.wake();
    }
    expect(release.now - began).toBe(15 * MINUTE);
    expect(release.promotion('eu').problem?.message).toBe(
      'billing-eu: not seen to run the change within 15m: billing-eu runs 1.3.0, not 1.4.2',
    );
    expect(rollbacks(release).map((each) => each.kind === 'roll-back' && each.cause)).toEqual(cause ? [cause] : []);
    expect(release.stepsOf('eu')).toBe('ACTION SUCCEEDED, SYNC FAILED, HEALTH PENDING');
  });

  test('uses up none of its limit while its source holds the change back itself', () => {
    const release = acted();
    const looks = (until: number, outcome: Outcome): void => {
      while (release.now < until && release.promotion('eu').status !== 'FAILED') {
        if (release.running('eu').length > 0) release.report('eu', outcome);
        else release.wake();
      }
    };
    const held: Outcome = { ...runsOther, recheckAfter: MINUTE, reason: 'a sync window is closed', held: true };
    looks(release.now + 120 * MINUTE, held);
    expect(release.picture).toBe('dev SUCCEEDED, eu SUSPENDED');
    const opened = release.now;
    looks(Infinity, runsOther);
    expect(release.now - opened).toBeLessThanOrEqual(15 * MINUTE);
    expect(release.now - opened).toBeGreaterThan(13 * MINUTE);
    expect(release.promotion('eu').problem?.message).toContain('not seen to run the change within 15m');
  });

  test('of which somebody reports a failed rollout is a failure as any other', () => {
    const release = acted(HTTP, [policy(['FAILED'])]);
    release.report('eu', runsOther);
    const reported = { kind: 'rollout-reported', environment: 'eu', attempt: 1, status: 'FAILED' } as const;
    release.tell({ ...reported, message: 'pods crash' });
    expect(rollbacks(release)).toMatchObject([{ reason: 'reported from outside: pods crash' }]);
  });

  test('is looked at at once when somebody reports what runs', () => {
    const told = { kind: 'deployment-reported', environment: 'eu', application: 'billing-eu', by: 'argo' } as const;
    const release = acted({ type: 'report' });
    release.report('eu', { kind: 'pending', reason: 'waits for a report', waitsFor: 'SYSTEM' });
    release.tell({ ...told, running: { version: '1.4.2' } });
    expect(release.eventTypes()).toEqual(['DeploymentReported']);
    expect([release.picture, release.dispatched]).toEqual(['dev SUCCEEDED, eu SUSPENDED', ['eu']]);
    // Told once more while it is looked at: that look may have come too early.
    release.tell({ ...told, running: { version: '1.4.2' } });
    release.report('eu', { kind: 'pending', reason: 'waits for a report', waitsFor: 'SYSTEM' });
    expect(release.dispatched).toEqual(['eu']);
    release.tell({ ...told, application: 'other', running: { version: '1.4.2' } });
    expect(release.eventTypes()).toEqual([]);
  });
});

describe('trap 42: a health that goes on when a person has promoted a rollout', () => {
  test('is waited for as a person, which uses up no time', () => {
    const release = acted();
    release.report('eu', { kind: 'succeeded' });
    const paused = { status: 'PROGRESSING', message: 'the Rollout is paused' } as const;
    const looked: Outcome = { kind: 'observed', health: paused, recheckAfter: 5 * SECOND, waitsFor: 'PERSON' };
    for (let looks = 0; looks < 100; looks += 1) {
      release.report('eu', looked);
      expect(release.picture).toBe('dev SUCCEEDED, eu SUSPENDED');
      release.wake();
    }
    release.report('eu', looked);
    expect(waitingFor(release.plan, release.state, NO_FACTS, release.now)).toMatchObject([
      { kind: 'HEALTH', who: 'a person', message: expect.stringContaining('the Rollout is paused') },
    ]);
    release.wake();
    release.report('eu', { kind: 'observed', health: { status: 'HEALTHY' } });
    expect(release.promotion('eu').status).toBe('SUCCEEDED');
  });
});

describe('a target that runs the change', () => {
  test('is healthy from then on: what was seen before was the version before', () => {
    const release = acted();
    release.report('eu', runsOther);
    release.wake();
    release.report('eu', { kind: 'succeeded' });
    expect(changedAt(release.plan.promotions[1]!, release.promotion('eu'), 0)).toBe(release.now);
    expect(release.now).toBeGreaterThan(release.steps('eu')[0]?.endedAt as number);
  });

  test('is healthy from when it was told to run it, however late a look finds that', () => {
    const release = acted({ type: 'report' });
    const told = release.now + SECOND;
    release.now += MINUTE;
    release.report('eu', { kind: 'succeeded', runsSince: told });
    expect(changedAt(release.plan.promotions[1]!, release.promotion('eu'), 0)).toBe(told);
    const ahead = acted({ type: 'report' });
    ahead.report('eu', { kind: 'succeeded', runsSince: ahead.now + MINUTE });
    expect(changedAt(ahead.plan.promotions[1]!, ahead.promotion('eu'), 0)).toBe(ahead.now);
  });

  test.each<[string, SyncSourceSpec | undefined, string]>([
    ['was seen to run it', HTTP, 'SYNC_AND_HEALTH'],
    ['was not asked', undefined, 'HEALTH_ONLY'],
  ])('its deployment is verified as far as its target %s', (_name, source, how) => {
    const release = started('dev > eu', { sync: () => source }).succeed('dev', 'eu');
    expect(release.last.deployments).toMatchObject([{ promotion: 1, verified: how }]);
  });
});
