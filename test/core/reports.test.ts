import { describe, expect, test } from 'vitest';
import type { Stimulus, StepState } from '../../src/core/release.ts';
import { approvalOf, flowOf, MINUTE, SECOND } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

type Of<K extends Stimulus['kind']> = Omit<Extract<Stimulus, { kind: K }>, 'kind'>;

const health = (more: Partial<Of<'health-reported'>> = {}): Stimulus => ({
  kind: 'health-reported',
  environment: 'eu',
  application: 'billing-eu',
  status: 'DEGRADED',
  ...more,
});
const rollout = (more: Partial<Of<'rollout-reported'>> = {}): Stimulus => ({
  kind: 'rollout-reported',
  environment: 'eu',
  attempt: 1,
  status: 'FAILED',
  message: 'pods crash',
  ...more,
});

describe('how a rollout went', () => {
  test.each<[string, string[], Partial<Of<'rollout-reported'>>, string[], string | undefined]>([
    ['failed', ['dev'], {}, ['RolloutReported'], 'RUNNING, stopping'],
    ['was rolled back', ['dev'], { status: 'ROLLED_BACK' }, ['RolloutReported'], 'RUNNING, stopping'],
    ['succeeded', ['dev'], { status: 'SUCCEEDED' }, ['RolloutReported'], 'RUNNING'],
    ['is not known', ['dev'], { status: 'UNKNOWN' }, ['RolloutReported'], 'RUNNING'],
    ['of another attempt', ['dev'], { attempt: 2 }, [], 'RUNNING'],
    ['elsewhere', ['dev'], { environment: 'asia' }, [], 'RUNNING'],
    ['before it began', [], {}, [], 'PENDING'],
    ['after its end', ['dev', 'eu'], {}, ['RolloutReported'], 'SUCCEEDED'],
  ])('%s', (_name, before, more, events, expected) => {
    const release = started('dev > eu > z').succeed(...before);
    release.tell(rollout(more));
    expect(release.eventTypes()).toEqual(events);
    const [step] = release.steps('eu');
    expect(`${step?.status}${step?.stop ? ', stopping' : ''}`).toBe(expected);
    expect(release.aborted).toEqual(expected === 'RUNNING, stopping' ? ['eu'] : []);
  });

  test('what waits fails at once, what is through stays, and nobody is told to abort where nothing runs', () => {
    const release = started('dev > eu > z').succeed('dev');
    release.report('eu', { kind: 'succeeded' });
    release.report('eu', { kind: 'pending', reason: 'rolling out' });
    release.tell(rollout());
    expect(release.stepsOf('eu')).toBe('ACTION SUCCEEDED, HEALTH FAILED');
    expect(release.aborted).toEqual([]);
  });

  test('of two that are at work, one running and one waiting, both are cut off', () => {
    const release = started('dev > eu > z', { applications: { dev: 2, eu: 2 } }).succeed('dev');
    release.report('eu', { kind: 'pending', reason: 'rolling out' }, 'billing-eu/ACTION');
    release.tell(rollout());
    expect(release.steps('eu').map((each) => (each.stop ? 'stopping' : each.status))).toEqual([
      'FAILED',
      'PENDING',
      'stopping',
      'PENDING',
    ]);
    expect(release.aborted).toEqual(['eu']);
  });
});

describe('the health of an application', () => {
  test.each<[string, string[], Partial<Of<'health-reported'>>, boolean]>([
    ['where it is at work', ['dev'], {}, true],
    ['elsewhere', ['dev'], { environment: 'asia' }, false],
    ['of an application that is not there', ['dev'], { application: 'shop' }, false],
    ['before it began', [], {}, false],
    ['after its end', ['dev', 'eu'], {}, false],
  ])('is told: %s', (_name, before, more, told) => {
    const release = started('dev > eu > z').succeed(...before);
    release.tell(health(more));
    expect(release.eventTypes()).toEqual(told ? ['HealthChanged'] : []);
  });

  const waiting = (): Play => {
    const release = started('dev > eu > z', { applications: { dev: 2, eu: 2 } }).succeed('dev');
    release.report('eu', { kind: 'succeeded' });
    release.report('eu', { kind: 'pending', reason: 'rolling out' });
    return release;
  };
  const looks = (release: Play): string[] =>
    release.steps('eu').map(({ status, outside }) => (status === 'WAITING' && outside ? 'outside' : status));

  test.each([
    ['billing-eu', ['SUCCEEDED', 'RUNNING', 'SUCCEEDED', 'outside']],
    ['billing-api-eu', ['SUCCEEDED', 'outside', 'SUCCEEDED', 'RUNNING']],
  ])('%s is looked at, and nothing else', (application, expected) => {
    const release = waiting();
    release.tell(health({ application, status: 'HEALTHY' }));
    expect(looks(release)).toEqual(expected);
  });

  test('told while it was looked at: the look is done again at once', () => {
    const release = waiting();
    release.tell(health({ status: 'HEALTHY' }), health({ status: 'HEALTHY', application: 'billing-api-eu' }));
    release.tell(health({ status: 'HEALTHY' }));
    release.report('eu', { kind: 'observed', health: { status: 'PROGRESSING' } }, 'billing-eu/HEALTH');
    expect(release.steps('eu').map((each) => each.status)).toEqual(['SUCCEEDED', 'RUNNING', 'SUCCEEDED', 'RUNNING']);
    release.report('eu', { kind: 'observed', health: { status: 'PROGRESSING' } }, 'billing-eu/HEALTH');
    expect(looks(release)).toEqual(['SUCCEEDED', 'outside', 'SUCCEEDED', 'RUNNING']);
  });
});

describe('a look at the health', () => {
  const http = { type: 'http', url: 'https://eu.example/health', failureThreshold: 2 } as const;
  const looked = (more: object): StepState => {
    const release = started('dev > eu > z', { applications: { dev: 2, eu: 2 }, health: () => http });
    release.succeed('dev').report('eu', { kind: 'succeeded' });
    release.report('eu', { kind: 'observed', ...more } as never, 'billing-api-eu/HEALTH');
    const step = release.steps('eu')[3] as StepState;
    return { ...step, recheckAt: step.recheckAt === null ? null : step.recheckAt - release.now };
  };

  test.each<[string, object, Partial<StepState>]>([
    [
      'bad once of twice',
      { health: { status: 'DEGRADED' } },
      {
        outside: false,
        recheckAt: 5 * SECOND,
        badLooks: 1,
        reason: 'billing-api-eu is DEGRADED (1 of 2 times in a row)',
      },
    ],
    [
      'bad, and its source says when',
      { health: { status: 'DEGRADED' }, recheckAfter: 7 * SECOND },
      { recheckAt: 7 * SECOND },
    ],
    [
      'on its way',
      { health: { status: 'PROGRESSING', message: '1 of 3' } },
      { outside: true, recheckAt: 30 * SECOND, reason: 'billing-api-eu is PROGRESSING: 1 of 3' },
    ],
    [
      'on its way, and its source says when',
      { health: { status: 'PROGRESSING' }, recheckAfter: 7 * SECOND },
      { outside: false, recheckAt: 7 * SECOND },
    ],
    ['good', { health: { status: 'HEALTHY' } }, { status: 'SUCCEEDED', outside: false, recheckAt: null, reason: null }],
  ])('finds it %s', (_name, more, expected) => {
    expect(looked(more)).toMatchObject(expected);
  });
});

describe('what a group hears', () => {
  const regions = (status: 'ASKING' | 'WAITING'): Play => {
    const release = started(
      flowOf('dev > {eu, asia, us} as regions > z', {
        groups: { regions: { gate: { policy: 'AT_LEAST', count: 2 } } },
      }),
      {
        applications: { dev: 2, eu: 2, asia: 2, us: 2 },
      },
    );
    release.succeed('dev', 'eu', 'asia');
    if (status === 'WAITING') release.answer('regions', { eu: 'PROGRESSING', asia: 'PROGRESSING' });
    release.now += SECOND;
    return release;
  };

  test.each<[string, Partial<Of<'health-reported'>>, boolean]>([
    ['a member is well', { status: 'HEALTHY' }, true],
    ['its other application is', { status: 'HEALTHY', application: 'billing-api-eu' }, true],
    ['what was known', { status: 'PROGRESSING' }, false],
    ['of another environment', { status: 'HEALTHY', environment: 'dev', application: 'billing-dev' }, false],
    ['of an application that is not there', { status: 'HEALTHY', application: 'shop' }, false],
    ['of a member that is still at work', { status: 'HEALTHY', environment: 'us', application: 'billing-us' }, false],
  ])('it waits, and hears: %s', (_name, more, asks) => {
    const release = regions('WAITING');
    release.tell(health(more));
    expect(release.group('regions').status).toBe(asks ? 'ASKING' : 'WAITING');
  });

  test('while it is asked, the newest news of each member are kept, and asked about once more', () => {
    const release = regions('ASKING');
    release.tell(health({ environment: 'mars' }), health({ application: 'shop' }));
    expect(release.group('regions').news).toEqual([]);
    release.tell(health({ status: 'DEGRADED' }), health({ environment: 'asia', application: 'billing-asia' }));
    release.tell(health({ status: 'HEALTHY' }));
    const [eu, asia] = [release.position('eu'), release.position('asia')];
    expect(release.group('regions').news).toEqual([
      { member: asia, status: 'DEGRADED' },
      { member: eu, status: 'HEALTHY' },
    ]);
    release.answer('regions');
    expect(release.group('regions').status).toBe('ASKING');
    release.answer('regions');
    expect(release.group('regions').status).toBe('PASSED');
  });

  test("another member's status is no answer to a member's news", () => {
    const release = regions('ASKING');
    release.succeed('us').tell(health({ status: 'PROGRESSING' }));
    release.answer('regions', { us: 'PROGRESSING' });
    expect(release.group('regions').status).toBe('ASKING');
  });
});

describe('what is told twice', () => {
  test('each key is remembered, and heard once', () => {
    const release = started('dev > eu').succeed('dev');
    for (const key of ['a', 'b', 'a', 'b']) release.tell({ ...health(), key });
    expect(release.state.heard.map((each) => each.key)).toEqual(['a', 'b']);
    expect(release.events.filter(({ event }) => event.type === 'HealthChanged')).toHaveLength(2);
  });

  test('the same override counts once; with another reason, person, window or end it is another', () => {
    const release = started(flowOf('dev > eu', { steps: { eu: { approval: approvalOf('1') } } })).succeed('dev');
    const first = { windows: ['office'], reason: 'hotfix', by: 'ada', expiresAt: release.now + MINUTE };
    const others = [{ windows: ['night'] }, { reason: 'again' }, { by: 'grace' }, { expiresAt: first.expiresAt + 1 }];
    for (const each of [{}, {}, ...others, ...others])
      release.tell({ kind: 'override-windows', promotion: 1, ...first, ...each });
    expect(release.promotion('eu').overrides).toMatchObject([first, ...others]);
  });
});

describe('an end that somebody asked for on a condition', () => {
  test.each<[string, Of<'terminate'>['onlyIf'], boolean]>([
    ['none', undefined, true],
    ['waits for its turn', 'QUEUED', false],
    ['is at work in eu', { atWorkIn: 'eu' }, true],
    ['is at work in dev, where it is through', { atWorkIn: 'dev' }, false],
    ['is at work in z, where it has not begun', { atWorkIn: 'z' }, false],
  ])('%s', (_name, onlyIf, ends) => {
    const release = started('dev > eu > z').succeed('dev');
    release.tell({ kind: 'terminate', reason: 'newer', by: null, onlyIf });
    expect(release.state.terminating).toEqual(ends ? { reason: 'newer', by: null } : null);
  });
});

test.each([
  ['r-7', 'r-7'],
  [null, undefined],
])('a rollback that is joined tells the release that it comes from: %s', (release, origin) => {
  const play = started('dev > eu');
  play.tell({ kind: 'rollback-joined', environment: 'eu', cause: 'REPORTED', reason: 'pods crash', release });
  expect(play.last.events.map(({ event }) => event)).toEqual([
    { type: 'RollbackJoined', causedIn: 'eu', cause: 'REPORTED', reason: 'pods crash', origin },
  ]);
});

describe('what an effect leaves behind', () => {
  test.each([
    [undefined, true],
    [true, true],
    [false, false],
  ])('a commit that changed something (%s): %s', (changed, expected) => {
    const release = started('dev > eu').succeed('dev');
    release.report('eu', { kind: 'succeeded', commit: 'c0ffee', changed, outputs: { url: 'x' } });
    expect(release.last.events.map(({ event }) => event)).toContainEqual(
      expect.objectContaining({ type: 'ActionCommitted', commit: 'c0ffee', changed: expected }),
    );
    expect(release.steps('eu')[0]?.outputs).toEqual({ url: 'x' });
    expect(release.last.deployments).toMatchObject([{ commit: 'c0ffee', verified: null }]);
  });

  test.each<[string, (release: Play) => void, boolean]>([
    ['failed', (release) => release.fail('eu'), false],
    ['failed at the last try', (release) => release.report('eu', { kind: 'transient', message: 'no route' }), true],
    [
      'was cut off',
      (release) => {
        release.tell({ kind: 'terminate', reason: 'enough', by: 'ada' });
        release.report('eu', { kind: 'aborted' });
      },
      true,
    ],
  ])('nobody can say whether a change that %s was made: %s', (_name, play, unclear) => {
    const release = started('dev > eu').succeed('dev');
    const [planned] = release.plan.promotions[1]?.steps ?? [];
    Object.assign(planned as object, { retry: { limit: 0, backoff: SECOND, maxDelay: SECOND } });
    play(release);
    expect(release.steps('eu')[0]?.unclear).toBe(unclear);
  });
});
