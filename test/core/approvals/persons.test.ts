import { describe, expect, test } from 'vitest';
import { mayApprove, whyNot } from '../../../src/core/approvals/may-decide.ts';
import { mayBeOne, personsOf } from '../../../src/core/approvals/person.ts';
import type { Act } from '../../../src/core/approvals/person.ts';
import type { Caller } from '../../../src/core/caller.ts';
import type { ApprovalSpec } from '../../../src/core/definitions.ts';
import { waitingFor } from '../../../src/core/waiting.ts';
import { approvalOf, flowOf, MINUTE, person } from '../support/builders.ts';
import { started } from '../support/play.ts';
import type { Play } from '../support/play.ts';

/** `ada<bob<*eve`: ada, with what bob made, with what eve made who is ADMIN without limits; `?` is nobody in particular. */
function act(picture: string): Act {
  const [name = '', ...makers] = picture.split('<');
  if (makers.length === 0) return { name };
  return {
    name,
    makers: makers.map((each) => ({
      name: each === '?' ? null : each.replace('*', ''),
      unlimited: each.startsWith('*'),
    })),
  };
}
const by = (picture: string): Caller => ({ ...person('ada'), ...act(picture) });

describe('two acts can have been one person', () => {
  test.each([
    ['ada', 'ada', true],
    ['ada', 'bob', false],
    ['ada', 'bob<ada', true],
    ['ada', 'bob<*ada', true],
    ['ada<bob', 'bob', true],
    ['ada<eve', 'bob<eve', true],
    ['ada<eve<mary', 'bob<linus<mary', true],
    ['ada<eve', 'bob<linus', false],
    ['ada<eve', 'bob<linus<eve', true],
    ['ada<*eve', 'bob<*eve', false],
    ['ada<*eve', 'bob<eve', true],
    ['ada<eve', 'bob<*eve', true],
    ['ada<?', 'bob<?', false],
    ['ada<?<eve', 'bob<?<eve', true],
    ['ada<*eve<linus', 'bob<*eve<linus', true],
  ])('%s and %s: %s', (a, b, one) => {
    expect(mayBeOne(act(a), act(b))).toBe(one);
    expect(mayBeOne(act(b), act(a))).toBe(one);
  });

  test.each([
    [[], []],
    [['ada'], [0]],
    [
      ['ada', 'bob', 'ada'],
      [0, 1, 0],
    ],
    [
      ['ada', 'bob', 'mary', 'bob<ada'],
      [0, 0, 1, 0],
    ],
    [
      ['ada', 'bob', 'mary', 'linus', 'eve<mary<bob'],
      [0, 1, 1, 2, 1],
    ],
    [
      ['mary', 'ada', 'bob', 'bob<ada', 'eve<bob'],
      [0, 1, 1, 1, 1],
    ],
    [
      ['ada', 'bob', 'mary<bob', 'mary<ada', 'eve'],
      [0, 0, 0, 0, 1],
    ],
  ])('%j are %j', (acts, persons) => {
    expect(personsOf(acts.map(act))).toEqual(persons);
  });
});

function asking(approval: ApprovalSpec, more: Partial<Play['state']> = {}): Play {
  const play = started(flowOf('dev > eu > z', { steps: { eu: { approval } } })).succeed('dev');
  play.state = { ...play.state, ...more };
  return play;
}
const may = (play: Play, who: Caller | null): boolean =>
  mayApprove(play.plan, play.state, { promotion: play.position('eu') }, who, play.now);

describe('whether a button is shown', () => {
  test.each<[string, string, Caller | null, boolean]>([
    ['to who counts', '1 of grace', person('grace'), true],
    ['not to others', '1 of grace', person('linus'), false],
    ['not to who triggered', '1', person('ada'), false],
    ['not to nobody', '1', null, false],
  ])('%s', (_what, rules, who, shown) => {
    expect(may(asking(approvalOf(rules)), who)).toBe(shown);
  });

  test('not to who has said so already, and to the next one', () => {
    const play = asking(approvalOf('3'));
    play.decide('approve', 'eu', person('grace'));
    play.decide('approve', 'eu', person('mary'));
    expect(may(play, person('grace'))).toBe(false);
    expect(may(play, person('linus'))).toBe(true);
  });

  test('to nobody in particular once, where nobody in particular triggered', () => {
    const play = asking(approvalOf('2'), { initiator: null });
    expect(may(play, null)).toBe(true);
    play.decide('approve', 'eu', null);
    expect(may(play, null)).toBe(false);
    expect(may(play, person('grace'))).toBe(true);
  });

  test('to nobody before it is asked', () => {
    const play = started(flowOf('dev > eu', { steps: { eu: { approval: approvalOf('1') } } }));
    expect(may(play, person('grace'))).toBe(false);
  });
});

describe('why somebody can be who triggered it', () => {
  test.each<[string, string, Partial<Play['state']>, RegExp]>([
    ['themselves', 'ada', {}, /too, unless the step's approval says `forbidInitiator: false`: another person has to$/],
    ['by a token of their making', 'bob<ada', {}, /: ada made the token or link of bob$/],
    ['by a token of a token', 'bob<eve<ada', {}, /: ada made the token or link of bob$/],
    [
      'whose token they made',
      'bob',
      { initiatorMakers: act('x<eve<bob').makers ?? [] },
      /: bob made the token of ada$/,
    ],
    [
      'by tokens of one maker',
      'bob<eve',
      { initiatorMakers: act('x<eve').makers ?? [] },
      /: one person made the tokens of ada and of bob$/,
    ],
    ['by a link that nobody made', 'bob<?', {}, /: the maker of the link of bob is unknown/],
    ['by a link that nobody made, later', 'bob<eve<?', {}, /: the maker of the link of bob is unknown/],
  ])('%s', (_what, who, more, message) => {
    const refused = asking(approvalOf('1'), more).decide('approve', 'eu', by(who));
    expect(refused).toMatchObject({ code: 'NOT_AN_APPROVER' });
    expect(refused?.message).toMatch(message);
  });

  test('of a rollback the refusal names what the policy can say, and who may agree then', () => {
    const refused = (spec: ApprovalSpec): string | undefined => {
      const play = asking(spec);
      const restores = { from: { label: '2', digest: '2' }, to: { label: '1', digest: '1' }, origin: 'r' };
      const promotions = play.plan.promotions.map((each) => ({ ...each, restores }));
      const back = { ...play.plan, promotions, rollback: { targets: [] } as never };
      const wish = { kind: 'approve', promotion: play.position('eu'), attempt: 1, by: person('ada') } as const;
      return whyNot(back, play.state, wish, play.now, null)?.message;
    };
    expect(refused(approvalOf('1'))).toBe(
      "ada started the rollback and may not approve eu too, unless the policy's approval says `forbidInitiator: false`: another person has to",
    );
    expect(refused(approvalOf('1', { forbidInitiator: false }))).toBeUndefined();
    expect(refused(approvalOf('1 of grace'))).toContain('it needs the approval of 1 of grace');
  });

  test('somebody else is taken, also with a token of somebody else', () => {
    for (const who of ['bob', 'bob<eve']) expect(asking(approvalOf('1')).decide('approve', 'eu', by(who))).toBeNull();
  });
});

describe('one person counts once', () => {
  test('whoever made the token of the other brings no second approval', () => {
    const play = asking(approvalOf('2'));
    play.decide('approve', 'eu', by('bob'));
    expect(play.decide('approve', 'eu', by('eve<bob'))?.message).toMatch(/^eve cannot approve eu beside bob: /);
    expect(play.decide('approve', 'eu', by('linus'))).toBeNull();
    expect(play.picture).toContain('eu RUNNING');
  });

  test('a second hat may be for another rule, and is no second approval', () => {
    const play = asking(approvalOf('1 of bob, linus; 1 of eve, linus; 1 of mary'));
    play.decide('approve', 'eu', by('bob'));
    expect(play.decide('approve', 'eu', by('eve<bob'))).toBeNull();
    expect(play.picture).not.toContain('eu RUNNING');
    expect(play.decide('approve', 'eu', by('eve<linus<bob'))).toBeNull();
    expect(play.last.events).toEqual([]);
  });

  test('a second hat for the rule that the first one fits is refused', () => {
    const play = asking(approvalOf('2 of bob, eve, linus; 1 of mary'));
    play.decide('approve', 'eu', by('bob'));
    expect(play.decide('approve', 'eu', by('eve<bob'))).toMatchObject({ code: 'NOT_AN_APPROVER' });
  });
});

describe('what a decision says of itself', () => {
  test.each<[string, string, string[] | undefined]>([
    ['a person with nothing of others', 'bob', undefined],
    ['with a token of their own', 'bob<bob', undefined],
    ['with a link of somebody', 'bob<eve', ['eve']],
    ['each once', 'bob<eve<*eve<bob<mary', ['eve', 'mary']],
  ])('%s', (_what, who, broughtBy) => {
    const play = asking(approvalOf('1'));
    play.decide('approve', 'eu', by(who));
    const given = play.last.events.find(({ event }) => event.type === 'ApprovalGiven')?.event;
    expect(given && 'broughtBy' in given ? given.broughtBy : undefined).toEqual(broughtBy);
    const [decision] = play.promotion('eu').approval?.decisions ?? [];
    expect(decision?.makers?.map(({ name }) => name)).toEqual(
      broughtBy &&
        act(who)
          .makers?.map(({ name }) => name)
          .filter((name) => name !== 'bob'),
    );
    expect(decision && 'makers' in decision).toBe(broughtBy !== undefined);
  });

  test('a link that nobody in particular made is told as one', () => {
    const play = asking(approvalOf('1', { forbidInitiator: false }));
    play.decide('approve', 'eu', by('bob<?'));
    expect(play.last.events[0]?.event).toMatchObject({ broughtBy: ['a person without a name'] });
  });

  test('an approval that is open says who has approved, and who is missing still', () => {
    const play = asking(approvalOf('1 of bob; 1 of eve'));
    const reason = (): string | undefined => waitingFor(play.plan, play.state, play.facts, play.now)[0]?.message;
    expect(reason()).toBe('eu: needs the approval of 1 of bob and 1 of eve');
    play.decide('approve', 'eu', by('bob'));
    play.later(MINUTE);
    expect(reason()).toBe('eu: needs the approval of 1 of eve; approved by bob');
  });

  test('decisions about what is not there are refused', () => {
    const play = asking(approvalOf('1'));
    const stimulus = { kind: 'approve', promotion: 9, attempt: 1, by: by('bob'), comment: null, via: 'API' } as const;
    expect(play.tell(stimulus).refused.get(stimulus)).toMatchObject({ code: 'NOT_FOUND' });
  });

  test.each<[string, (play: Play) => void, RegExp]>([
    ['where none is needed', () => {}, /^z needs no approval$/],
    ['where it has started', (play) => play.succeed('eu'), /needs no approval$/],
  ])('%s', (_what, before, message) => {
    const play = asking(approvalOf('1'));
    before(play);
    expect(play.decide('approve', 'z', by('bob'))?.message).toMatch(message);
  });

  test('a promotion that runs or has ended takes no more', () => {
    const play = asking(approvalOf('1'));
    play.decide('approve', 'eu', by('bob'));
    expect(play.decide('approve', 'eu', by('eve'))?.message).toBe('eu has started already, there is nothing to decide');
    play.fail('eu');
    expect(play.decide('approve', 'eu', by('eve'))?.message).toBe('eu is FAILED already, there is nothing to decide');
  });
});
