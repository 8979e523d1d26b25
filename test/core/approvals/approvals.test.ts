import { describe, expect, test } from 'vitest';
import type { ApprovalSpec, OnFailure } from '../../../src/core/definitions.ts';
import { DAY } from '../../../src/core/definitions.ts';
import { NO_FACTS } from '../../../src/core/release.ts';
import { waitingFor } from '../../../src/core/waiting.ts';
import type { ReleaseWindow } from '../../../src/core/windows/index.ts';
import { approvalOf, at, flowOf, MINUTE, person, planOf } from '../support/builders.ts';
import type { PlanOptions } from '../support/builders.ts';
import { Play, started } from '../support/play.ts';

const grace = person('grace @sre');
const linus = person('linus');

/** dev is through, and staging asks; ada triggered. */
function asking(
  approval: ApprovalSpec,
  picture = 'dev > staging > eu',
  options: PlanOptions & { onFailure?: OnFailure } = {},
): Play {
  const { onFailure = 'FINISH_RUNNING', ...plan } = options;
  return started(flowOf(picture, { onFailure, steps: { staging: { approval } } }), plan).succeed('dev');
}

const closedUntil = (opens: number, holds: ReleaseWindow['spec']['holds']): ReleaseWindow =>
  ({
    name: 'freeze',
    spec: {
      kind: 'DENY',
      timeZone: 'UTC',
      from: '2026-01-01T00:00:00Z',
      to: new Date(opens).toISOString(),
      holds,
      runway: false,
      onClose: 'FINISH',
    },
  }) as unknown as ReleaseWindow;

describe('an approval', () => {
  test('is asked for when the dependencies are met, not before, and then it waits for a person alone', () => {
    const play = started(flowOf('dev > staging', { steps: { staging: { approval: approvalOf('1') } } }));
    expect(play.promotion('staging')).toMatchObject({ approval: null, status: 'PENDING' });
    expect(play.decide('approve', 'staging', grace)).toMatchObject({
      code: 'WRONG_STATE',
      message: 'staging is not asked for yet: it waits for dev',
    });
    play.later(MINUTE);
    play.succeed('dev');
    const requestedAt = play.now;
    expect(play.promotion('staging')).toMatchObject({
      approval: { requestedAt, expiresAt: requestedAt + DAY },
      status: 'SUSPENDED',
    });
    expect(play.state.status).toBe('SUSPENDED');
    expect(play.eventTypes().slice(-2)).toEqual(['ApprovalRequested', 'PromotionWaiting']);
  });

  test.each([
    ['billing#41 is before it', { id: 'r-41', called: 'billing#41' }, ', and release billing#41 goes first'],
    ['its turn has come this moment', null, ''],
  ])('is not asked for while its release waits for its turn: %s', (_name, behind, first) => {
    const flow = flowOf('dev > staging', { steps: { staging: { approval: approvalOf('1') } } });
    const play = new Play(planOf(flow));
    play.facts = { ...NO_FACTS, behind };
    expect(play.decide('approve', 'staging', grace)).toMatchObject({
      code: 'WRONG_STATE',
      message: `staging is not asked for yet: its release waits for its turn${first}`,
    });
  });

  test('starts the promotion in the decision that grants it', () => {
    const play = asking(approvalOf('1'));
    expect(play.decide('approve', 'staging', grace, 'looks good')).toBeNull();
    expect(play.eventTypes()).toEqual(['ApprovalGiven', 'ApprovalGranted', 'PromotionStarted', 'StepStarted']);
    expect(play.last.events[0]?.event).toMatchObject({ by: 'grace', comment: 'looks good', via: 'API', missing: 0 });
    expect(play.dispatched).toEqual(['staging']);
    expect(play.promotion('staging').evidence?.at(-1)).toMatchObject({ gate: 'APPROVAL', reason: 'approved by grace' });
  });

  test('by the same person twice counts once, and is no mistake', () => {
    const play = asking(approvalOf('2'));
    play.decide('approve', 'staging', grace);
    expect(play.decide('approve', 'staging', grace)).toBeNull();
    expect(play.last.events).toEqual([]);
    expect(play.promotion('staging')).toMatchObject({
      status: 'SUSPENDED',
      approval: { decisions: [{ by: 'grace' }] },
    });
  });

  test('of two rules: who fits both leaves the seat to who fits one', () => {
    const play = asking(approvalOf('1 of @sre, linus; 1 of linus'));
    expect(play.decide('approve', 'staging', linus)).toBeNull();
    const [reason] = waitingFor(play.plan, play.state, play.facts, play.now);
    expect(reason).toMatchObject({ kind: 'APPROVAL', rules: [{ missing: 0 }, { missing: 1 }] });
    expect(play.decide('approve', 'staging', grace)).toBeNull();
    expect(play.picture).toContain('staging RUNNING');
  });

  test('that would not help is refused with what is missing', () => {
    const play = asking(approvalOf('1 of @sre; 1 of linus'));
    play.decide('approve', 'staging', grace);
    expect(play.decide('approve', 'staging', person('mary @sre'))).toMatchObject({
      code: 'NOT_AN_APPROVER',
      message: 'mary cannot give what is missing for staging: the approval of 1 of linus',
    });
  });

  test.each([
    ['somebody whom no rule names', '1 of ada2', 'linus', 'NOT_AN_APPROVER'],
    ['a member of the group', '1 of @sre', 'grace @sre', null],
    ['a holder of the role', '1 of %lead', 'grace %lead', null],
    ['a group is no user', '1 of sre', 'grace @sre', 'NOT_AN_APPROVER'],
    ['a rule that names nobody', '1', 'linus', null],
    ['the initiator', '1', 'ada', 'NOT_AN_APPROVER'],
    ['nobody in particular, for a rule that names people', '1 of grace', null, 'NOT_AN_APPROVER'],
    ['nobody in particular, where the initiator may not', '1', null, 'NOT_AN_APPROVER'],
  ])('of %s', (_, rules, who, code) => {
    const play = asking(approvalOf(rules));
    expect(play.decide('approve', 'staging', who === null ? null : person(who))?.code ?? null).toBe(code);
  });

  test('of the initiator counts where the flow says so', () => {
    const play = asking(approvalOf('1', { forbidInitiator: false }));
    expect(play.decide('approve', 'staging', person('ada'))).toBeNull();
    expect(play.picture).toContain('staging RUNNING');
  });

  test('of nobody in particular counts where nobody in particular triggered, once', () => {
    const play = asking(approvalOf('2'));
    play.state = { ...play.state, initiator: null };
    expect(play.decide('approve', 'staging', null)).toBeNull();
    expect(play.decide('approve', 'staging', null)).toBeNull();
    expect(play.promotion('staging').approval?.decisions).toHaveLength(1);
    expect(play.promotion('staging').status).toBe('SUSPENDED');
  });

  test('without rules asks for one of anyone', () => {
    const play = asking({ ...approvalOf('1'), rules: [] });
    expect(play.promotion('staging').status).toBe('SUSPENDED');
    play.decide('approve', 'staging', linus);
    expect(play.picture).toContain('staging RUNNING');
  });

  test('of a workflow step, and of each member of a group', () => {
    const approval = approvalOf('1');
    const flow = flowOf('dev > [check] > {us, eu} as regions', {
      steps: { check: { approval }, regions: { approval } },
    });
    const play = started(flow).succeed('dev');
    play.decide('approve', 'check', grace);
    play.succeed('check');
    expect(play.picture).toBe('dev SUCCEEDED, check SUCCEEDED, eu SUSPENDED, us SUSPENDED');
    play.decide('approve', 'us', grace);
    expect(play.picture).toBe('dev SUCCEEDED, check SUCCEEDED, eu SUSPENDED, us RUNNING');
  });

  test('needs facts only for what depends on them: a window that could hold it, and the start', () => {
    const play = asking(approvalOf('2'));
    const before = play.state;
    play.facts = { ...NO_FACTS, windows: { staging: [closedUntil(at('12:00'), ['APPROVE'])] } };
    expect(play.decide('approve', 'staging', grace)).toEqual({
      code: 'WINDOW_CLOSED',
      message: 'staging takes no approvals now: inside the DENY window freeze; opens 2026-01-05T12:00:00.000Z',
      path: ['environment'],
      closed: { windows: ['freeze'], nextOpen: at('12:00') },
    });
    expect(play.state.promotions).toEqual(before.promotions);
    expect(play.decide('reject', 'staging', linus)).toBeNull();
  });
});

describe('an approval and the other gates', () => {
  test('starts nothing that a window holds, is kept while it waits, and starts at the opening', () => {
    const play = asking(approvalOf('1'));
    play.facts = { ...NO_FACTS, windows: { staging: [closedUntil(at('12:00'), ['PROMOTE'])] } };
    play.later(MINUTE);
    expect(play.promotion('staging').status).toBe('WAITING');
    play.decide('approve', 'staging', grace);
    expect(play.promotion('staging')).toMatchObject({ status: 'WAITING', startedAt: null });
    play.wake();
    expect(play.now).toBe(at('12:00'));
    expect(play.picture).toContain('staging RUNNING');
  });

  test('that was given in time stays given, however long something else holds the promotion', () => {
    const play = asking(approvalOf('1', { expiry: MINUTE }));
    play.facts = { ...NO_FACTS, heldBy: { staging: { id: 'r-0', called: 'billing#1' } } };
    play.decide('approve', 'staging', grace);
    play.later(60 * MINUTE);
    expect(play.promotion('staging').status).toBe('WAITING');
    play.facts = NO_FACTS;
    play.later(MINUTE);
    expect(play.picture).toContain('staging RUNNING');
  });

  test('both are told at once: the window with its time, the approval with who', () => {
    const play = asking(approvalOf('1 of @sre, linus; 1'));
    play.facts = { ...NO_FACTS, windows: { staging: [closedUntil(at('12:00'), ['PROMOTE'])] } };
    const reasons = waitingFor(play.plan, play.state, play.facts, play.now);
    expect(reasons.map(({ kind, who, earliest }) => [kind, who, earliest])).toEqual([
      ['WINDOW', 'freeze', at('12:00')],
      ['APPROVAL', '1 of linus or group sre and 1 person who may approve', null],
      ['DEPENDENCIES', 'staging', null],
    ]);
  });

  test('is told before it is asked for, too', () => {
    const play = started(flowOf('dev > staging', { steps: { staging: { approval: approvalOf('1 of @sre') } } }));
    const reasons = waitingFor(play.plan, play.state, play.facts, play.now);
    expect(reasons.map(({ message }) => message)).toEqual([
      'staging: will need the approval of 1 of group sre',
      'staging: waits for dev',
    ]);
  });
});

describe('a rejection', () => {
  test('fails the environment for good, with what was said, and the flow goes by onFailure', () => {
    const play = asking(approvalOf('2'), 'dev > {staging, eu} > asia');
    play.decide('approve', 'staging', linus);
    expect(play.decide('reject', 'staging', grace, 'not on a Friday')).toBeNull();
    expect(play.promotion('staging')).toMatchObject({
      status: 'FAILED',
      problem: { message: 'rejected by grace: not on a Friday' },
    });
    expect(play.picture).toBe('dev SUCCEEDED, staging FAILED, eu RUNNING, asia SKIPPED');
    expect(play.decide('approve', 'staging', person('mary'))).toMatchObject({ code: 'WRONG_STATE' });
  });

  test.each<[OnFailure, string]>([
    ['FINISH_RUNNING', 'dev SUCCEEDED, staging FAILED, eu RUNNING, asia SKIPPED, us SKIPPED'],
    ['CONTINUE', 'dev SUCCEEDED, staging FAILED, eu RUNNING, asia SKIPPED'],
    ['STOP', 'dev SUCCEEDED, staging FAILED, eu RUNNING, asia SKIPPED, us SKIPPED'],
  ])('with %s: %s', (onFailure, picture) => {
    const play = started(
      flowOf('dev > {staging, eu} > asia > us', {
        onFailure,
        steps: { staging: { approval: approvalOf('1') }, us: { dependsOn: ['eu'] } },
      }),
    ).succeed('dev');
    play.decide('reject', 'staging', grace);
    expect(play.picture).toBe(picture);
    expect(play.aborted).toEqual(onFailure === 'STOP' ? ['eu'] : []);
  });

  test('counts as a failure in its group, which may tolerate it', () => {
    const flow = flowOf('dev > {us, eu} as regions > asia', {
      steps: { regions: { approval: approvalOf('1') } },
      groups: { regions: { gate: { policy: 'ANY' }, maxFailures: 1 } },
    });
    const play = started(flow).succeed('dev');
    play.decide('reject', 'us', grace);
    play.decide('approve', 'eu', grace);
    play.succeed('eu');
    play.answer('regions');
    play.succeed('asia');
    expect(play.picture).toBe('dev SUCCEEDED, eu SUCCEEDED, us FAILED, asia SUCCEEDED');
  });

  test('after the approval and before the start counts, too', () => {
    const play = asking(approvalOf('1'));
    play.facts = { ...NO_FACTS, heldBy: { staging: { id: 'r-0', called: 'billing#1' } } };
    play.decide('approve', 'staging', linus);
    expect(play.decide('reject', 'staging', grace)).toBeNull();
    expect(play.promotion('staging').status).toBe('FAILED');
  });

  test('of the initiator counts, of somebody whom no rule names it does not', () => {
    expect(asking(approvalOf('1 of linus')).decide('reject', 'staging', grace)).toMatchObject({
      code: 'NOT_AN_APPROVER',
    });
    const play = asking(approvalOf('1'));
    expect(play.decide('reject', 'staging', person('ada'))).toBeNull();
    expect(play.promotion('staging').status).toBe('FAILED');
  });
});

describe('its time', () => {
  test('over with FAIL: the environment fails and says what was missing', () => {
    const play = asking(approvalOf('1 of @sre', { expiry: 10 * MINUTE }));
    play.wake();
    expect(play.eventTypes()).toEqual(['ApprovalExpired', 'PromotionFailed', 'PromotionSkipped', 'ReleaseFailed']);
    expect(play.promotion('staging').problem?.message).toBe(
      'not approved in time, by 2026-01-05T10:10:00.000Z: needs the approval of 1 of group sre',
    );
  });

  test('over with WAIT: told once, and an approval still starts it', () => {
    const play = asking(approvalOf('1', { expiry: 10 * MINUTE, onExpiry: 'WAIT' }));
    play.wake();
    expect(play.eventTypes()).toEqual(['ApprovalExpired']);
    expect(play.promotion('staging').status).toBe('SUSPENDED');
    expect(play.state.wakeAt).toBe(play.state.deadline);
    play.later(MINUTE);
    expect(play.last.events).toEqual([]);
    expect(play.decide('approve', 'staging', grace)).toBeNull();
    expect(play.picture).toContain('staging RUNNING');
  });

  test('over and nobody looked: an approval that comes now is late', () => {
    const play = asking(approvalOf('1', { expiry: 10 * MINUTE }));
    play.now += 10 * MINUTE;
    expect(play.decide('approve', 'staging', grace)).toMatchObject({ code: 'WRONG_STATE' });
    expect(play.promotion('staging').status).toBe('FAILED');
  });

  test('is over a millisecond before it is not', () => {
    const play = asking(approvalOf('1', { expiry: 10 * MINUTE }));
    play.now += 10 * MINUTE - 1;
    expect(play.decide('approve', 'staging', grace)).toBeNull();
  });
});

describe('a retry', () => {
  test('asks again, as a new attempt; what was said about the old one does not count', () => {
    const play = asking(approvalOf('1'));
    const old = { kind: 'approve', promotion: 1, attempt: 1, by: linus, comment: null, via: 'LINK' } as const;
    play.decide('reject', 'staging', grace);
    play.tell({ kind: 'retry', by: 'ada' });
    expect(play.promotion('staging')).toMatchObject({ attempt: 2, status: 'SUSPENDED', approval: { decisions: [] } });
    expect(play.tell(old).refused.get(old)).toMatchObject({
      code: 'WRONG_STATE',
      message: 'staging is in attempt 2, this decision is about attempt 1',
    });
    play.decide('approve', 'staging', linus);
    play.fail('staging');
    play.tell({ kind: 'retry', by: 'ada' });
    expect(play.promotion('staging')).toMatchObject({ attempt: 3, status: 'SUSPENDED' });
  });

  test('of a release that was terminated while it asked: terminating asks nobody any more', () => {
    const play = asking(approvalOf('1'));
    play.tell({ kind: 'terminate', reason: 'enough', by: 'ada' });
    expect(play.promotion('staging').status).toBe('TERMINATED');
    expect(play.decide('approve', 'staging', grace)).toMatchObject({ code: 'WRONG_STATE' });
  });
});
