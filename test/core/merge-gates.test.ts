import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PullRequestPolicy } from '../../src/core/definitions.ts';
import { DEFAULT_PULL_REQUEST } from '../../src/core/definitions.ts';
import { askGates } from '../../src/core/gates/index.ts';
import { askMerge, STATUS_LEAD } from '../../src/core/gates/merge.ts';
import type { BadVersion, EnvironmentHold } from '../../src/core/holds.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import type { Facts, Outcome } from '../../src/core/release.ts';
import { waitingFor } from '../../src/core/waiting.ts';
import type { ReleaseWindow } from '../../src/core/windows/index.ts';
import { approvalOf, at, flowOf, MINUTE, person, SECOND } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

const iso = (time: number): string => new Date(time).toISOString();

const windowOf = (kind: 'ALLOW' | 'DENY', from: number, to: number, more = {}): ReleaseWindow => ({
  name: `${kind.toLowerCase()}-window`,
  spec: {
    kind,
    timeZone: 'UTC',
    from: iso(from),
    to: iso(to),
    selector: { environments: { names: ['eu'] }, products: {} },
    holds: ['PROMOTE'],
    onClose: 'FINISH',
    runway: false,
    ...more,
  },
});

const holdOf = (since: number, until: number | null = null): EnvironmentHold => ({
  id: 'h-1',
  product: null,
  environment: 'eu',
  reason: 'audit',
  by: 'grace',
  since,
  until,
  rollback: null,
});

const markOf = (since: number): BadVersion => ({
  id: 'b-1',
  product: 'billing',
  digest: 'd',
  label: '1.4.2',
  scope: 'PRODUCT',
  group: null,
  environments: [],
  reason: 'loses invoices',
  by: 'grace',
  since,
  expiresAt: null,
  rollback: null,
});

const PULL_REQUEST = { number: 7, url: 'https://forge/7', branch: 'sluice/billing/eu/0' };

/** `dev > eu`, eu by pull request; dev has arrived. */
function proposed(
  more: Partial<PullRequestPolicy> = {},
  { facts = {}, approval }: { facts?: Partial<Facts>; approval?: ReturnType<typeof approvalOf> } = {},
): Play {
  const pullRequest = { ...DEFAULT_PULL_REQUEST, ...more };
  const drawn = flowOf('dev > eu', { steps: { eu: { policy: { action: 'pr', pullRequest }, approval } } });
  const play = started(drawn);
  play.facts = { ...NO_FACTS, ...facts };
  return play.succeed('dev');
}

/** Its pull request is open, and its merge is awaited. */
function open(play: Play): Play {
  play.report('eu', { kind: 'succeeded', outputs: {}, pullRequest: { state: 'OPEN', ...PULL_REQUEST } });
  play.report('eu', { kind: 'pending', reason: 'awaits its merge', waitsFor: 'PERSON', recheckAfter: 5 * MINUTE });
  return play;
}

function merged(play: Play, when?: number, by = 'grace'): Play {
  // The worker looks, because it was told.
  play.tell({ kind: 'pull-request-told', promotion: play.position('eu'), attempt: 1, via: 'POLL' });
  const pullRequest = { state: 'MERGED' as const, ...PULL_REQUEST, by, ...(when !== undefined && { at: when }) };
  play.report('eu', { kind: 'succeeded', commit: 'c'.repeat(40), changed: true, pullRequest } satisfies Outcome);
  return play;
}

const level = (play: Play) => play.promotion('eu').merge?.level;
const told = (play: Play) => play.last.work.filter(({ kind }) => kind === 'tell-merge').length;

describe('the status of an open pull request', () => {
  test('is green while all of its gates hold, and told once', () => {
    const play = open(proposed());
    expect(level(play)).toMatchObject({ state: 'SUCCESS' });
    play.later(MINUTE);
    expect(told(play)).toBe(0);
    expect(play.promotion('eu').merge?.judgements).toHaveLength(1);
    expect(play.promotion('eu').status).toBe('SUSPENDED');
  });

  test.each([
    ['a hold', { holds: { eu: [holdOf(at('10:00'))] } }, 'on hold: audit (grace)'],
    ['a mark on the version', { badVersions: { eu: [markOf(at('10:00'))] } }, 'marked bad'],
    ['a window that closes it', { windows: { eu: [windowOf('DENY', at('10:00'), at('12:00'))] } }, 'closed'],
  ])('turns red with %s, and green again without it', (_, facts, words) => {
    const play = open(proposed());
    play.facts = { ...NO_FACTS, ...facts };
    play.later(SECOND);
    expect(level(play)).toMatchObject({ state: 'PENDING', description: expect.stringContaining(words) as string });
    expect(told(play)).toBe(1);
    expect(play.promotion('eu').status).toBe('SUSPENDED');
    expect(waitingFor(play.plan, play.state, play.facts, play.now).map(({ kind }) => kind)).toHaveLength(2);
    play.facts = NO_FACTS;
    play.later(SECOND);
    expect(level(play)).toMatchObject({ state: 'SUCCESS' });
  });

  test('is judged anew only where something is new, also after a database has kept it with its keys in another order', () => {
    const turned = <T>(value: T): T => {
      if (Array.isArray(value)) return value.map(turned) as T;
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .map(([key, each]) => [key, turned<unknown>(each)] as const)
          .toReversed(),
      ) as T;
    };
    const play = open(proposed());
    play.facts = { ...NO_FACTS, holds: { eu: [holdOf(play.now)] } };
    play.later(SECOND);
    play.state = turned(play.state);
    play.later(SECOND);
    expect(play.promotion('eu').merge!.judgements).toHaveLength(2);
    expect(play.last.changed).toEqual([]);
  });

  test('trap 6: red is told a minute before a known closing', () => {
    const closes = at('10:30');
    const play = open(proposed({}, { facts: { windows: { eu: [windowOf('ALLOW', at('09:00'), closes)] } } }));
    expect(level(play)?.state).toBe('SUCCESS');
    expect(play.state.wakeAt).toBe(play.now + 5 * MINUTE);
    while (play.state.wakeAt !== null && play.state.wakeAt < closes - STATUS_LEAD) {
      play.wake();
      if (play.running('eu').length > 0)
        play.report('eu', { kind: 'pending', reason: 'awaits', waitsFor: 'PERSON', recheckAfter: 5 * MINUTE });
      expect(level(play)?.state).toBe('SUCCESS');
    }
    play.wake();
    expect(play.now).toBe(closes - STATUS_LEAD);
    expect(level(play)).toEqual({ state: 'PENDING', description: `eu closes ${iso(closes)}: too late to merge` });
    // A merge in that last minute is inside the gates.
    merged(play, closes - SECOND);
    expect(play.eventTypes()).not.toContain('PullRequestMergedOutsideGates');
  });

  test('the end of an override is a closing as well', () => {
    const windows = { eu: [windowOf('DENY', at('09:00'), at('18:00'))] };
    const play = proposed({ open: 'AT_ONCE' }, { facts: { windows } });
    open(play);
    expect(level(play)?.state).toBe('PENDING');
    const override = { windows: ['deny-window'], reason: 'outage', by: 'ada', expiresAt: play.now + 10 * MINUTE };
    play.tell({ kind: 'override-windows', promotion: 1, ...override });
    expect(level(play)?.state).toBe('SUCCESS');
    play.later(9 * MINUTE);
    expect(level(play)).toMatchObject({ state: 'PENDING', description: expect.stringContaining('too late') as string });
  });

  test('is red once its release is terminated, and no status follows that one', () => {
    const play = open(proposed());
    play.tell({ kind: 'terminate', reason: 'never mind', by: 'ada' });
    expect(play.promotion('eu').status).toBe('TERMINATED');
    expect(level(play)).toEqual({ state: 'FAILURE', description: 'eu was terminated: never mind' });
    const { generation } = play.promotion('eu').merge!;
    play.facts = { ...NO_FACTS, holds: { eu: [holdOf(play.now)] } };
    play.later(MINUTE);
    expect(play.promotion('eu').merge!.generation).toBe(generation);
  });

  test('ends with the merge: nothing is told after it', () => {
    const play = merged(open(proposed()));
    expect(level(play)).toBeNull();
    expect(told(play)).toBe(1);
    play.facts = { ...NO_FACTS, holds: { eu: [holdOf(play.now)] } };
    play.later(MINUTE);
    expect(told(play)).toBe(0);
  });

  test('trap 32: its description fits into 140 characters', () => {
    const reason = 'a very long story '.repeat(40);
    const play = open(proposed({}, { facts: {} }));
    play.facts = { ...NO_FACTS, holds: { eu: [{ ...holdOf(play.now), reason }] } };
    play.later(SECOND);
    expect(level(play)!.description.length).toBeLessThanOrEqual(140);
  });
});

describe('a pull request that is opened at once', () => {
  const windows = { eu: [windowOf('ALLOW', at('22:00'), at('23:00'))] };
  const grace = person('grace');

  test('is opened although windows and approvals hold it, which hold its merge', () => {
    const play = open(proposed({ open: 'AT_ONCE' }, { facts: { windows }, approval: approvalOf('1 of grace') }));
    expect(play.promotion('eu').status).toBe('SUSPENDED');
    expect(level(play)?.state).toBe('PENDING');
    const kinds = waitingFor(play.plan, play.state, play.facts, play.now).map(({ kind }) => kind);
    expect(kinds).toEqual(['ACTION', 'WINDOW', 'APPROVAL']);
    expect(play.events.map(({ event }) => event.type)).toContain('ApprovalRequested');
    expect(play.decide('approve', 'eu', grace)).toBeNull();
    expect(level(play)).toMatchObject({ state: 'PENDING', description: expect.stringContaining('closed') as string });
    play.now = at('22:00');
    play.tell({ kind: 'tick' });
    expect(level(play)?.state).toBe('SUCCESS');
  });

  test('trap 7: it is never green while one approval of several is awaited', () => {
    const play = open(proposed({ open: 'AT_ONCE' }, { approval: approvalOf('2 of grace, alan') }));
    play.decide('approve', 'eu', grace);
    expect(level(play)?.state).toBe('PENDING');
    play.decide('approve', 'eu', person('alan'));
    expect(level(play)?.state).toBe('SUCCESS');
  });

  test('a rejection ends it, and turns it red', () => {
    const play = open(proposed({ open: 'AT_ONCE' }, { approval: approvalOf('1 of grace') }));
    expect(play.decide('reject', 'eu', grace, 'not today')).toBeNull();
    expect(play.promotion('eu')).toMatchObject({
      status: 'FAILED',
      problem: { message: 'rejected by grace: not today' },
    });
    expect(level(play)).toMatchObject({ state: 'FAILURE' });
  });

  test('an approval that comes too late ends it', () => {
    const play = open(proposed({ open: 'AT_ONCE' }, { approval: approvalOf('1 of grace', { expiry: 3 * MINUTE }) }));
    play.later(3 * MINUTE);
    expect(play.promotion('eu').status).toBe('FAILED');
    expect(play.events.map(({ event }) => event.type)).toContain('ApprovalExpired');
  });

  test('holds keep it from being opened', () => {
    const play = proposed({ open: 'AT_ONCE' }, { facts: { holds: { eu: [holdOf(at('09:00'))] } } });
    expect(play.promotion('eu')).toMatchObject({ status: 'WAITING', startedAt: null });
  });

  test('by default it opens when all gates hold, and no later decision is taken', () => {
    const play = proposed({}, { facts: { windows }, approval: approvalOf('1 of grace') });
    expect(play.promotion('eu').startedAt).toBeNull();
    play.decide('approve', 'eu', grace);
    play.now = at('22:00');
    play.tell({ kind: 'tick' });
    open(play);
    expect(play.decide('reject', 'eu', grace)).toMatchObject({ code: 'WRONG_STATE' });
  });
});

describe('trap 5: a merge outside the gates', () => {
  const outside = (play: Play) =>
    play.events.flatMap(({ event }) => (event.type === 'PullRequestMergedOutsideGates' ? [event] : []));

  test.each([
    ['on hold', { holds: { eu: [holdOf(at('10:00'))] } }, 'HOLD'],
    ['marked bad', { badVersions: { eu: [markOf(at('10:00'))] } }, 'VERSION'],
    ['outside its window', { windows: { eu: [windowOf('DENY', at('10:00'), at('12:00'))] } }, 'WINDOW'],
  ])('%s: it is recorded, and goes on to health', (_, facts, gate) => {
    const play = open(proposed());
    play.facts = { ...NO_FACTS, ...facts };
    play.later(SECOND);
    const when = play.now + SECOND;
    play.later(MINUTE);
    merged(play, when);
    expect(outside(play)).toMatchObject([{ unmet: [{ gate }], by: 'grace', when: iso(when), number: 7 }]);
    expect(play.stepsOf('eu')).toMatch(/HEALTH RUNNING/);
    expect(play.last.work.some(({ kind }) => kind === 'roll-back')).toBe(false);
  });

  test('before the approval', () => {
    const play = open(proposed({ open: 'AT_ONCE' }, { approval: approvalOf('1 of grace') }));
    play.later(MINUTE);
    const when = play.now;
    play.later(MINUTE);
    play.decide('approve', 'eu', person('grace'));
    merged(play, when);
    expect(outside(play)).toMatchObject([{ unmet: [{ gate: 'APPROVAL' }] }]);
  });

  test('ROLL_BACK takes that environment back', () => {
    const play = open(proposed({ onMergeOutsideGates: 'ROLL_BACK' }));
    play.facts = { ...NO_FACTS, holds: { eu: [holdOf(play.now)] } };
    play.later(SECOND);
    merged(play, play.now);
    expect(play.last.work).toContainEqual(
      expect.objectContaining({ kind: 'roll-back', cause: 'MERGED_OUTSIDE_GATES' }),
    );
  });

  test('trap 6: the time of the merge counts, and not when it was heard of', () => {
    const play = open(proposed());
    const inside = play.now + SECOND;
    play.later(MINUTE);
    play.facts = { ...NO_FACTS, holds: { eu: [holdOf(play.now)] } };
    play.tell({ kind: 'tick' });
    merged(play, inside);
    expect(outside(play)).toEqual([]);
  });

  test('a host tells the second alone: gates that held in it let it through', () => {
    const play = open(proposed({ open: 'AT_ONCE' }, { approval: approvalOf('1 of grace') }));
    play.now = at('10:30') + 400;
    play.decide('approve', 'eu', person('grace'));
    play.now = at('10:31');
    expect(outside(merged(play, at('10:30')))).toEqual([]);
    const early = open(proposed({ open: 'AT_ONCE' }, { approval: approvalOf('1 of grace') }));
    early.now = at('10:30') + 400;
    early.decide('approve', 'eu', person('grace'));
    early.now = at('10:31');
    expect(outside(merged(early, at('10:30') - SECOND))).toHaveLength(1);
  });

  test('a hold that was lifted before the merge was heard of counts', () => {
    const play = open(proposed());
    play.facts = { ...NO_FACTS, holds: { eu: [holdOf(play.now)] } };
    play.later(SECOND);
    const when = play.now + SECOND;
    play.later(MINUTE);
    play.facts = NO_FACTS;
    play.tell({ kind: 'tick' });
    merged(play, when);
    expect(outside(play)).toHaveLength(1);
  });

  test('while Sluice was away its known times count', () => {
    const windows = { eu: [windowOf('ALLOW', at('10:00'), at('11:00')), windowOf('ALLOW', at('15:00'), at('16:00'))] };
    const late = open(proposed({}, { facts: { windows } }));
    late.now = at('17:00');
    expect(outside(merged(late, at('13:00')))).toHaveLength(1);
    const inTime = open(proposed({}, { facts: { windows } }));
    inTime.now = at('17:00');
    expect(outside(merged(inTime, at('15:30')))).toEqual([]);
  });
});

test('property: what is asked before a merge is what is asked before a start, without dependencies, group and lock', () => {
  fc.assert(
    fc.property(
      fc.record({
        hold: fc.boolean(),
        mark: fc.boolean(),
        held: fc.boolean(),
        windows: fc.array(
          fc.record({
            kind: fc.constantFrom('ALLOW' as const, 'DENY' as const),
            from: fc.integer({ min: -60, max: 60 }),
            length: fc.integer({ min: 1, max: 90 }),
          }),
          { maxLength: 3 },
        ),
        approve: fc.boolean(),
        later: fc.integer({ min: 0, max: 90 }),
      }),
      ({ hold, mark, held, windows, approve, later }) => {
        const play = proposed({ open: 'AT_ONCE' }, { approval: approvalOf('1 of grace') });
        open(play);
        if (approve) play.decide('approve', 'eu', person('grace'));
        const { now } = play;
        const eu = windows.map(({ kind, from, length }, index) => ({
          ...windowOf(kind, now + from * MINUTE, now + (from + length) * MINUTE),
          name: `w-${index}`,
        }));
        play.facts = {
          ...NO_FACTS,
          heldBy: held ? { eu: { id: 'r-0', called: 'billing#1' } } : {},
          ...(hold && { holds: { eu: [holdOf(now)] } }),
          ...(mark && { badVersions: { eu: [markOf(now)] } }),
          windows: { eu },
        };
        play.later(later * MINUTE);
        const all = askGates(play.plan, play.state, 1, play.facts, play.now);
        const asked = askMerge(play.plan, play.state, 1, play.facts, play.now);
        expect(asked).toEqual(all.filter(({ gate }) => !['DEPENDENCIES', 'GROUP', 'ENVIRONMENT'].includes(gate)));
        // Green if and only if all hold, and none is about to close.
        const holds = asked.every(({ verdict }) => verdict === 'pass');
        const soon = [...Array(61).keys()].some((second) =>
          askMerge(play.plan, play.state, 1, play.facts, play.now + second * SECOND).some(
            ({ verdict }) => verdict !== 'pass',
          ),
        );
        expect(level(play)?.state === 'SUCCESS').toBe(holds && !soon);
      },
    ),
    { numRuns: 300 },
  );
});
