import { describe, expect, test } from 'vitest';
import type { ApprovalSpec } from '../../../src/core/definitions.ts';
import type { ReleaseEvent } from '../../../src/core/events.ts';
import { NO_FACTS } from '../../../src/core/release.ts';
import type { Outcome } from '../../../src/core/release.ts';
import { waitingFor } from '../../../src/core/waiting.ts';
import { approvalOf, flowOf, MINUTE, person } from '../support/builders.ts';
import { started } from '../support/play.ts';
import type { Play } from '../support/play.ts';

const ID = 'billing-eu/PRE_ACTION/sign-off';
const asks = (approval: ApprovalSpec, question: string | null = null): Outcome => ({
  kind: 'asked',
  question,
  approval,
});

/** eu has reached its pre-action `sign-off`, which asks. */
function asking(approval: ApprovalSpec, question: string | null = null, workflow = ['sign-off']): Play {
  const drawn = flowOf('dev > eu', { steps: { eu: { policy: { preAction: 'gate' } } } });
  const play = started(drawn, { workflows: { gate: workflow } }).succeed('dev');
  play.report('eu', asks(approval, question), 'sign-off');
  return play;
}

const said = (play: Play, type: string): ReleaseEvent[] =>
  play.events.map(({ event }) => event).filter((each) => each.type === type);

describe('a step that asks people', () => {
  test('waits for them without any time to look, and is looked at once more when they agree', () => {
    const play = asking(approvalOf('2 of @sre'), 'Is the migration reversible?');
    expect(play.picture).toBe('dev SUCCEEDED, eu SUSPENDED');
    expect(play.steps('eu')[0]).toMatchObject({
      status: 'WAITING',
      outside: true,
      waitsFor: 'PERSON',
      recheckAt: null,
    });
    expect(said(play, 'ApprovalRequested')).toMatchObject([{ environment: 'eu', step: ID, needed: '2 of group sre' }]);
    expect(play.decide('approve', 'eu', person('grace @sre'), null, 0)).toBeNull();
    expect(play.steps('eu')[0]?.status).toBe('WAITING');
    expect(play.decide('approve', 'eu', person('linus @sre'), 'tried it', 0)).toBeNull();
    expect(play.steps('eu')[0]?.status).toBe('RUNNING');
    expect(play.dispatched).toEqual(['eu']);
    expect(said(play, 'ApprovalGranted')).toMatchObject([{ step: ID, approvedBy: 'grace, linus' }]);
    play.succeed('eu');
    expect(play.state.status).toBe('SUCCEEDED');
  });

  test('says of whom it waits, as an approval does', () => {
    const play = asking(approvalOf('1 of grace'), 'Is it quiet there?');
    expect(waitingFor(play.plan, play.state, NO_FACTS, play.now)).toMatchObject([
      {
        kind: 'APPROVAL',
        step: 0,
        who: '1 of grace',
        message: expect.stringContaining('Is it quiet there?: needs the approval of 1 of grace'),
      },
    ]);
  });

  test('fails with what was said when a person rejects', () => {
    const play = asking(approvalOf('1'));
    play.decide('reject', 'eu', person('grace'), 'not before Monday', 0);
    expect(play.state.firstProblem).toMatchObject({ message: 'rejected by grace: not before Monday', step: ID });
    expect(play.state.status).toBe('FAILED');
  });

  test.each([
    ['a person who is not asked', '1 of grace', 'linus', 'NOT_AN_APPROVER'],
    ['the initiator', '1', 'ada', 'NOT_AN_APPROVER'],
  ])('takes no word of %s', (_who, rules, name, code) => {
    const play = asking(approvalOf(rules));
    expect(play.decide('approve', 'eu', person(name), null, 0)).toMatchObject({ code });
    expect(play.steps('eu')[0]).toMatchObject({ status: 'WAITING', asked: { approval: { decisions: [] } } });
  });

  test('the start of the promotion and its steps are asked about apart', () => {
    const play = asking(approvalOf('1'));
    expect(play.decide('approve', 'eu', person('grace'))).toMatchObject({
      code: 'WRONG_STATE',
      message: expect.stringContaining(`eu needs no approval to start, and asks in ${ID}`),
    });
    expect(play.decide('approve', 'eu', person('grace'), null, 1)).toMatchObject({ code: 'WRONG_STATE' });
  });

  test('a step that runs beside it has its own way', () => {
    const play = asking(approvalOf('1'), null, ['sign-off', 'load > report']);
    expect(play.picture).toBe('dev SUCCEEDED, eu RUNNING');
    play.report('eu', { kind: 'succeeded' }, 'load');
    play.report('eu', { kind: 'succeeded' }, 'report');
    expect(play.picture).toBe('dev SUCCEEDED, eu SUSPENDED');
    play.decide('approve', 'eu', person('grace'), null, 0);
    expect(play.succeed('eu').state.status).toBe('SUCCEEDED');
  });

  test('asked once more by a second job, it is the same question with the same answers', () => {
    const play = asking(approvalOf('2'));
    play.decide('approve', 'eu', person('grace'), null, 0);
    const { asked } = play.steps('eu')[0]!;
    Object.assign(play.steps('eu')[0]!, { status: 'RUNNING' });
    play.later(MINUTE);
    play.report('eu', asks(approvalOf('2')));
    expect(play.steps('eu')[0]).toMatchObject({ status: 'WAITING', asked });
    expect(said(play, 'ApprovalRequested')).toHaveLength(1);
  });

  test('a second worker that comes to another end does not answer for the people who were asked', () => {
    const play = asking(approvalOf('1'));
    play.tell(play.outcome('eu', 0, { kind: 'succeeded' }));
    expect([play.steps('eu')[0]?.status, play.last.changed]).toEqual(['WAITING', []]);
    Object.assign(play.steps('eu')[0]!, { status: 'RUNNING' });
    play.report('eu', { kind: 'succeeded' });
    expect(play.steps('eu')[0]).toMatchObject({ status: 'WAITING', recheckAt: null });
  });

  test('an answer that comes during a look is kept, and leads to another look', () => {
    const play = asking(approvalOf('1'));
    Object.assign(play.steps('eu')[0]!, { status: 'RUNNING' });
    play.decide('approve', 'eu', person('grace'), null, 0);
    play.report('eu', asks(approvalOf('1')));
    expect(play.steps('eu')[0]?.status).toBe('RUNNING');
    expect(play.dispatched).toEqual(['eu']);
  });

  test('its time over, it fails and says what was missing', () => {
    const play = asking(approvalOf('1 of grace', { expiry: 10 * MINUTE }));
    expect(play.state.wakeAt).toBe(play.now + 10 * MINUTE);
    play.wake();
    expect(play.state.status).toBe('FAILED');
    expect(play.state.firstProblem?.message).toContain('not approved in time');
    expect(said(play, 'ApprovalExpired')).toMatchObject([{ step: ID }]);
  });

  test('or waits on, is told once, and can still be approved', () => {
    const play = asking(approvalOf('1', { expiry: 10 * MINUTE, onExpiry: 'WAIT' }));
    play.wake();
    play.later(MINUTE);
    expect(play.picture).toBe('dev SUCCEEDED, eu SUSPENDED');
    expect(said(play, 'ApprovalExpired')).toHaveLength(1);
    play.decide('approve', 'eu', person('grace'), null, 0);
    expect(play.succeed('eu').state.status).toBe('SUCCEEDED');
  });

  test('a retry asks again', () => {
    const play = asking(approvalOf('1'));
    play.decide('reject', 'eu', person('grace'), null, 0);
    play.tell({ kind: 'retry', by: 'ada' });
    expect(play.steps('eu')[0]).toMatchObject({ status: 'RUNNING', asked: null });
  });

  test("waiting for people uses up nothing of a limit of the environment, and the action's own timeout ends it", () => {
    const drawn = flowOf('dev > eu', { steps: { eu: { timeout: MINUTE, policy: { preAction: 'gate' } } } });
    const play = started(drawn, { workflows: { gate: ['sign-off'] } }).succeed('dev');
    const planned = play.plan.promotions[1]!.steps[0]!;
    if (planned.work.kind === 'action') planned.work.action.type = 'approval';
    planned.timeout = 5 * MINUTE;
    play.report('eu', asks(approvalOf('1')));
    play.later(4 * MINUTE);
    expect(play.picture).toBe('dev SUCCEEDED, eu SUSPENDED');
    play.wake();
    expect(play.state.firstProblem?.message).toBe('not done within 5m');
  });
});

test('a pause of a workflow is time that passes: the promotion is WAITING until then', () => {
  const drawn = flowOf('dev > eu', { steps: { eu: { policy: { preAction: 'pause' } } } });
  const play = started(drawn, { workflows: { pause: ['rest'] } }).succeed('dev');
  const { work } = play.plan.promotions[1]!.steps[0]!;
  if (work.kind === 'action') work.action.type = 'wait';
  play.report('eu', { kind: 'pending', reason: 'waits', recheckAfter: 10 * MINUTE });
  expect(play.picture).toBe('dev SUCCEEDED, eu WAITING');
  play.wake();
  expect(play.succeed('eu').state.status).toBe('SUCCEEDED');
});
