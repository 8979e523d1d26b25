import { describe, expect, test } from 'vitest';
import { NO_FACTS } from '../../src/core/release.ts';
import type { Stimulus } from '../../src/core/release.ts';
import { waitingFor } from '../../src/core/waiting.ts';
import { approvalOf, flowOf, planOf } from './support/builders.ts';
import type { Drawn, PlanOptions } from './support/builders.ts';
import { Play, started } from './support/play.ts';

/** What a person wants of one environment alone. */
const say = (release: Play, stimulus: Stimulus): string | null => {
  const { refused } = release.tell(stimulus);
  return refused.get(stimulus)?.message ?? null;
};
const retry = (release: Play, name: string): string | null =>
  say(release, { kind: 'retry', by: 'ada', promotion: release.position(name) });
const skip = (release: Play, name: string, reason = 'the region is closed'): string | null =>
  say(release, { kind: 'skip', by: 'ada', promotion: release.position(name), reason });

const regions = (options: Parameters<typeof flowOf>[1] = {}, plan: PlanOptions = {}): Play =>
  started(flowOf('dev > {us, eu, asia} as regions > asia-2', options), plan).succeed('dev');
const forked = (drawn: Drawn = flowOf('dev > {us, eu} > us-2', FORK)): Play => started(drawn).succeed('dev');
const FORK = { steps: { 'us-2': { dependsOn: ['us'] } } };

describe('a person skips an environment', () => {
  test('that has not started: it ends, its reason is told, and its dependents go on as if it had succeeded', () => {
    const release = started('dev > eu > asia');
    expect(skip(release, 'eu')).toBeNull();
    release.succeed('dev');
    expect(release.picture).toBe('dev SUCCEEDED, eu SKIPPED, asia RUNNING');
    expect(release.events.find(({ event }) => event.type === 'PromotionSkipped')).toMatchObject({
      actor: 'ada',
      event: { environment: 'eu', before: 'PENDING', reason: 'the region is closed', byPerson: true, by: 'ada' },
    });
    expect(release.succeed('asia').state.status).toBe('SUCCEEDED');
  });

  test('that waits for an approval: nobody is asked any more', () => {
    const approval = approvalOf('1 of grace');
    const release = started(flowOf('dev > eu > asia', { steps: { eu: { approval } } })).succeed('dev');
    expect(release.picture).toBe('dev SUCCEEDED, eu SUSPENDED');
    skip(release, 'eu');
    expect(release.picture).toBe('dev SUCCEEDED, eu SKIPPED, asia RUNNING');
    expect(waitingFor(release.plan, release.state, release.facts, release.now)).toEqual([]);
  });

  test('that is at work: it is told to stop, and its dependents start when nothing of it runs any more', () => {
    const release = started('dev > eu > asia').succeed('dev');
    skip(release, 'eu');
    expect(release.picture).toBe('dev SUCCEEDED, eu RUNNING');
    expect(release.aborted).toEqual(['eu']);
    release.report('eu', { kind: 'aborted' });
    expect(release.picture).toBe('dev SUCCEEDED, eu SKIPPED, asia RUNNING');
    expect(release.promotion('eu').problem).toBeNull();
    expect(release.succeed('asia').state.status).toBe('SUCCEEDED');
  });

  test('whose health is never reported: it stops waiting at once', () => {
    const release = started('dev > eu > asia').succeed('dev');
    release.report('eu', { kind: 'succeeded' }, 'ACTION');
    release.report('eu', { kind: 'pending', reason: 'waiting for a health report' });
    skip(release, 'eu');
    expect(release.picture).toBe('dev SUCCEEDED, eu SKIPPED, asia RUNNING');
    expect(release.stepsOf('eu')).toBe('ACTION SUCCEEDED, HEALTH TERMINATED');
  });

  test('whose last step succeeds before it has stopped: it has succeeded', () => {
    const release = started('dev > eu > asia').succeed('dev');
    release.report('eu', { kind: 'succeeded' }, 'ACTION');
    skip(release, 'eu');
    release.report('eu', { kind: 'succeeded' });
    expect(release.picture).toBe('dev SUCCEEDED, eu SUCCEEDED, asia RUNNING');
  });

  test('whose group had failed: that it is asked anew is told, also where nothing else begins', () => {
    const release = started(flowOf('dev > {us, eu} as regions > asia-2')).succeed('dev');
    release.tell({ kind: 'terminate', reason: 'changed my mind', by: 'ada' });
    for (const region of ['us', 'eu']) release.report(region, { kind: 'aborted' });
    expect(release.state.status).toBe('TERMINATED');
    // It waits for its turn, so that nothing follows by itself.
    release.facts = { ...NO_FACTS, behind: { id: 'r-0', called: 'billing#1' } };
    skip(release, 'us');
    expect(release.state.status).toBe('QUEUED');
    expect(release.state.groups.map(({ status }) => status)).toEqual(['FAILED']);
    skip(release, 'eu');
    const told = release.events.map(({ event }) => event.type);
    expect(told.slice(told.lastIndexOf('PromotionSkipped'))).toContain('ReleaseRetried');
    expect(release.state.groups.map(({ status }) => status)).not.toContain('FAILED');
  });

  test('that failed, after the end of the release: the release goes on behind it', () => {
    const release = started('dev > eu > asia').succeed('dev').fail('eu');
    expect(release.state.status).toBe('FAILED');
    expect(skip(release, 'eu')).toBeNull();
    expect(release.picture).toBe('dev SUCCEEDED, eu SKIPPED, asia RUNNING');
    expect(release.events.at(-4)?.event).toMatchObject({ type: 'ReleaseRetried', environments: ['asia'] });
    expect(release.succeed('asia').state.status).toBe('SUCCEEDED');
  });

  test('that failed and was the last one: the release ends as if it had succeeded', () => {
    const release = started('dev > eu').succeed('dev').fail('eu');
    skip(release, 'eu');
    expect(release.state.status).toBe('SUCCEEDED');
  });

  test('and is retried: what came after it, and waited for something else, waits for it again', () => {
    const held = { id: 'r-0', called: 'billing#1' };
    const release = started('dev > eu > asia', {});
    release.facts = { ...NO_FACTS, heldBy: { eu: held, asia: held } };
    release.succeed('dev');
    skip(release, 'eu');
    expect(release.picture).toBe('dev SUCCEEDED, eu SKIPPED, asia WAITING');
    expect(retry(release, 'eu')).toBeNull();
    expect(release.picture).toBe('dev SUCCEEDED, eu WAITING');
    const told = release.events.map(({ event }) => event);
    expect(told.filter(({ type }) => type === 'PromotionWaiting').at(-1)).toMatchObject({
      environment: 'asia',
      before: 'WAITING',
      status: 'PENDING',
    });
    release.facts = NO_FACTS;
    release.tell({ kind: 'tick' });
    release.succeed('eu');
    expect(release.picture).toBe('dev SUCCEEDED, eu SUCCEEDED, asia RUNNING');
  });

  test('for whose failure others were being stopped: what is cut short of them ends, and waits for nothing', () => {
    const flow = flowOf('dev > {eu, us} > asia', {
      onFailure: 'STOP',
      steps: { eu: { policy: { preAction: 'both' } } },
    });
    const release = started(flow, { workflows: { both: ['one', 'two'] } }).succeed('dev');
    const [one, two] = release.plan.promotions[release.position('eu')]!.steps.map(({ id }) => id) as [string, string];
    release.report('eu', { kind: 'pending', reason: 'it lasts' }, one);
    release.fail('us');
    expect(
      release
        .promotion('eu')
        .steps.map(({ status }) => status)
        .slice(0, 2),
    ).toEqual(['TERMINATED', 'RUNNING']);
    skip(release, 'us');
    release.report('eu', { kind: 'succeeded' }, two);
    expect(release.promotion('eu').status).toBe('TERMINATED');
    expect(release.state.endedAt).not.toBeNull();
  });

  test('and a retry of the release leaves it out, one of the environment does not', () => {
    const release = started('dev > {eu, us} > asia', {}).succeed('dev').fail('eu').succeed('us');
    skip(release, 'eu');
    release.fail('asia').tell({ kind: 'retry', by: 'ada' });
    expect(release.picture).toBe('dev SUCCEEDED, eu SKIPPED, us SUCCEEDED, asia RUNNING');
    expect(retry(release, 'eu')).toBeNull();
    expect(release.picture).toBe('dev SUCCEEDED, eu RUNNING, us SUCCEEDED, asia RUNNING');
    expect(release.state.skips).toEqual({});
  });

  test.each([
    ['has succeeded', (release: Play) => skip(release.succeed('eu'), 'eu'), /^eu has succeeded: nothing/],
    [
      'is skipped already',
      (release: Play) => (skip(release, 'asia'), skip(release, 'asia')),
      /^asia is skipped already by ada: the region/,
    ],
    [
      'belongs to a release that is being terminated',
      (release: Play) => (release.tell({ kind: 'terminate', reason: 'no', by: null }), skip(release, 'eu')),
      /TERMINATING: do it when it has ended/,
    ],
  ])('is refused where it %s', (_, act, message) => {
    expect(act(started('dev > eu > asia').succeed('dev'))).toMatch(message);
  });

  test('is refused for a hook', () => {
    const release = new Play(planOf('dev > eu', { hooks: { onStart: 'tests' }, workflows: { tests: ['run'] } }));
    expect(skip(release, 'ON_START')).toMatch(/retry the release/);
  });
});

describe('a skipped member leaves the count of its group', () => {
  test('ALL is all that are left', () => {
    const release = regions();
    skip(release, 'asia');
    release.report('asia', { kind: 'aborted' });
    release.succeed('us', 'eu').answer('regions');
    expect(release.picture).toBe('dev SUCCEEDED, asia SKIPPED, eu SUCCEEDED, us SUCCEEDED, asia-2 RUNNING');
    expect(release.group('regions').reason).toBe('2 of 2 in regions are healthy, 2 needed');
  });

  test.each([
    ['50 % of five, one skipped', { percent: 50 }, ['e'], 2],
    ['50 % of five, three skipped', { percent: 50 }, ['c', 'd', 'e'], 1],
    ['three of five, one skipped', { count: 3 }, ['e'], 3],
    ['three of five, three skipped', { count: 3 }, ['c', 'd', 'e'], 2],
  ])('%s', (_, gate, skipped, required) => {
    const flow = flowOf('dev > {a, b, c, d, e} as all > z', {
      groups: { all: { gate: { policy: 'AT_LEAST', ...gate } } },
    });
    const release = started(flow);
    for (const each of skipped) skip(release, each);
    release.succeed('dev');
    for (const each of ['a', 'b', 'c', 'd'].slice(0, required - 1)) release.succeed(each);
    expect(release.group('all').status).toBe('OPEN');
    release.succeed(['a', 'b', 'c', 'd'][required - 1] as string);
    expect(release.group('all').status).toBe('ASKING');
  });

  test('a group of which all were skipped lets its dependents start', () => {
    const release = started(flowOf('dev > {us, eu} as regions > asia-2'));
    skip(release, 'us');
    skip(release, 'eu');
    release.succeed('dev');
    release.answer('regions');
    expect(release.picture).toBe('dev SUCCEEDED, eu SKIPPED, us SKIPPED, asia-2 RUNNING');
  });

  test('a member that failed is skipped: the gate is asked of the others, and the release goes on', () => {
    const release = regions().succeed('us', 'eu').fail('asia');
    expect(release.picture).toBe('dev SUCCEEDED, asia FAILED, eu SUCCEEDED, us SUCCEEDED, asia-2 SKIPPED');
    expect(release.state.status).toBe('FAILED');
    skip(release, 'asia');
    release.answer('regions');
    expect(release.picture).toBe('dev SUCCEEDED, asia SKIPPED, eu SUCCEEDED, us SUCCEEDED, asia-2 RUNNING');
    expect(release.succeed('asia-2').state.status).toBe('SUCCEEDED');
  });

  test('a gate that waits for the health of its members is asked again at once', () => {
    const groups = { regions: { gate: { policy: 'AT_LEAST' as const, percent: 50 } } };
    const release = regions({ groups }).succeed('us', 'eu');
    release.answer('regions', { eu: 'UNKNOWN' });
    expect(release.group('regions').status).toBe('WAITING');
    skip(release, 'asia');
    release.report('asia', { kind: 'aborted' });
    expect(release.asked).toEqual(['regions']);
    release.answer('regions', { eu: 'UNKNOWN' });
    expect(release.picture).toBe('dev SUCCEEDED, asia SKIPPED, eu SUCCEEDED, us SUCCEEDED, asia-2 RUNNING');
  });
});

describe('a person retries one environment', () => {
  test('after the end of its release: it goes on from its point of failure, and what comes after it follows', () => {
    const release = started('dev > eu > asia').succeed('dev');
    release.report('eu', { kind: 'succeeded' }, 'ACTION');
    release.fail('eu');
    expect(release.state.status).toBe('FAILED');
    expect(retry(release, 'eu')).toBeNull();
    expect(release.picture).toBe('dev SUCCEEDED, eu RUNNING');
    expect(release.stepsOf('eu')).toBe('ACTION SUCCEEDED, HEALTH RUNNING');
    expect(release.promotion('eu').attempt).toBe(2);
    expect(release.succeed('eu', 'asia').state.status).toBe('SUCCEEDED');
  });

  test('while its release goes on', () => {
    const release = forked().fail('us');
    expect(release.picture).toBe('dev SUCCEEDED, us FAILED, eu RUNNING, us-2 SKIPPED');
    expect(retry(release, 'us')).toBeNull();
    expect(release.picture).toBe('dev SUCCEEDED, us RUNNING, eu RUNNING');
    expect(release.succeed('us', 'eu', 'us-2').state.status).toBe('SUCCEEDED');
  });

  test('and what was left out because of it comes back, on other branches as well', () => {
    const steps = { 'us-2': { dependsOn: ['us'] }, 'eu-2': { dependsOn: ['eu'] } };
    const release = forked(flowOf('dev > {us, eu} > {us-2, eu-2}', { steps })).fail('us').succeed('eu');
    expect(release.picture).toBe('dev SUCCEEDED, us FAILED, eu SUCCEEDED, us-2 SKIPPED, eu-2 SKIPPED');
    retry(release, 'us');
    expect(release.picture).toBe('dev SUCCEEDED, us RUNNING, eu SUCCEEDED, eu-2 RUNNING');
  });

  test('also members of groups that failed because all of theirs were left out', () => {
    const flow = flowOf('dev > {us, eu} > {us-2, us-3} as more', { steps: { more: { dependsOn: ['us'] } } });
    flow.environments.push('eu-2');
    flow.spec.steps.push({ environment: 'eu-2', dependsOn: ['eu'] });
    const release = started(flow).succeed('dev').fail('us').succeed('eu');
    expect(release.group('more').status).toBe('FAILED');
    retry(release, 'us');
    release.succeed('us', 'eu-2', 'us-2', 'us-3').answer('more');
    expect(release.state.status).toBe('SUCCEEDED');
  });

  test('of two that failed: the other one stays failed, and only what comes after the retried one begins', () => {
    const steps = { 'us-2': { dependsOn: ['us'] }, 'eu-2': { dependsOn: ['eu'] }, asia: { dependsOn: ['us', 'eu'] } };
    const release = forked(flowOf('dev > {us, eu} > {us-2, eu-2, asia}', { steps })).fail('us').fail('eu');
    retry(release, 'us');
    release.succeed('us', 'us-2');
    expect(release.picture).toBe('dev SUCCEEDED, us SUCCEEDED, eu FAILED, us-2 SUCCEEDED, eu-2 SKIPPED, asia SKIPPED');
    expect(release.state.status).toBe('FAILED');
    retry(release, 'eu');
    expect(release.succeed('eu', 'eu-2', 'asia').state.status).toBe('SUCCEEDED');
  });

  test.each(['FINISH_RUNNING', 'CONTINUE', 'STOP'] as const)(
    'of a group of which two failed (%s): the other failure does not keep it from starting',
    (onFailure) => {
      const release = regions({ onFailure }).fail('us');
      if (onFailure === 'STOP') {
        release.report('eu', { kind: 'failed', message: 'broken' });
        release.report('asia', { kind: 'failed', message: 'broken' });
      } else release.fail('eu').succeed('asia');
      expect(release.state.status).toBe('FAILED');
      expect(retry(release, 'us')).toBeNull();
      expect(release.promotion('us').status).toBe('RUNNING');
      release.succeed('us');
      expect(release.group('regions').status).toBe('FAILED');
      expect(release.state.status).toBe('FAILED');
    },
  );

  test('of a quorum: its success opens the gate that its failure had shut', () => {
    const groups = { regions: { gate: { policy: 'AT_LEAST' as const, count: 2 } } };
    const release = regions({ groups }).succeed('asia').fail('us').fail('eu');
    expect(release.picture).toBe('dev SUCCEEDED, asia SUCCEEDED, eu FAILED, us FAILED, asia-2 SKIPPED');
    retry(release, 'us');
    release.succeed('us').answer('regions');
    expect(release.picture).toBe('dev SUCCEEDED, asia SUCCEEDED, eu FAILED, us SUCCEEDED, asia-2 RUNNING');
  });

  test('a later failure stops the flow as before', () => {
    const steps = { 'us-2': { dependsOn: ['us'] } };
    const release = forked(flowOf('dev > {us, eu} > us-2', { steps })).fail('us').fail('eu');
    retry(release, 'us');
    release.fail('us');
    expect(release.picture).toBe('dev SUCCEEDED, us FAILED, eu FAILED, us-2 SKIPPED');
  });

  test('of a terminated release: the others stay terminated, and nothing stops it', () => {
    const release = regions();
    release.tell({ kind: 'terminate', reason: 'wrong day', by: 'ada' });
    for (const each of ['us', 'eu', 'asia']) release.report(each, { kind: 'aborted' });
    expect(release.state.status).toBe('TERMINATED');
    retry(release, 'eu');
    expect(release.promotion('eu').status).toBe('RUNNING');
    release.succeed('eu');
    expect(release.picture).toBe('dev SUCCEEDED, asia TERMINATED, eu SUCCEEDED, us TERMINATED, asia-2 SKIPPED');
    expect(release.state.status).toBe('FAILED');
  });

  test('runs the hooks of the end once more', () => {
    const hooks = { onSuccess: 'tell', onFail: 'shout' };
    const release = started('dev > eu', { hooks, workflows: { tell: ['run'], shout: ['run'] } });
    release.succeed('dev').fail('eu').succeed('ON_FAIL');
    expect(release.state.status).toBe('FAILED');
    retry(release, 'eu');
    release.succeed('eu', 'ON_SUCCESS');
    expect(release.picture).toBe('dev SUCCEEDED, eu SUCCEEDED, ON_SUCCESS SUCCEEDED, ON_FAIL SKIPPED');
    expect(release.state.status).toBe('SUCCEEDED');
  });

  test.each([
    ['has succeeded', 'dev', /^dev has succeeded/],
    ['depends on what failed', 'asia', /^asia could not start, eu did not succeed: retry or skip that first/],
  ])('is refused where it %s', (_, name, message) => {
    const release = started('dev > eu > asia').succeed('dev').fail('eu');
    expect(retry(release, name)).toMatch(message);
    expect(release.last).toMatchObject({ events: [], work: [], changed: [] });
  });

  test('is refused while it runs, and while the hooks of the end do', () => {
    const release = started('dev > eu', { hooks: { onFail: 'shout' }, workflows: { shout: ['run'] } }).succeed('dev');
    expect(retry(release, 'eu')).toMatch(/^eu is RUNNING/);
    release.fail('eu');
    expect(retry(release, 'eu')).toMatch(/its last steps run/);
  });

  test('its limits count anew, those of the others go on', () => {
    const release = forked(
      flowOf('dev > {us, eu} > us-2', { steps: { ...FORK.steps, us: { timeout: 60_000 }, eu: { timeout: 60_000 } } }),
    );
    release.later(50_000);
    release.fail('us');
    retry(release, 'us');
    release.later(20_000);
    expect(release.picture).toBe('dev SUCCEEDED, us RUNNING, eu RUNNING');
    expect(release.promotion('eu').steps.some(({ stop }) => stop !== null)).toBe(true);
    expect(release.promotion('us').steps.some(({ stop }) => stop !== null)).toBe(false);
  });
});
