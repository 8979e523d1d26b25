import { expect, test } from 'vitest';
import type { Caller, Maker } from '../../../src/core/caller.ts';
import type { ApprovalRule, ApprovalSpec } from '../../../src/core/definitions.ts';
import { NO_FACTS } from '../../../src/core/release.ts';
import { flowOf, MINUTE, person } from '../support/builders.ts';
import { started } from '../support/play.ts';
import type { Play } from '../support/play.ts';
import { fc } from '../property.ts';

/**
 * Any rules, any people, any order of words and of time, against an oracle that knows no matching: it tries every assignment.
 * `SLUICE_SIM_PRINT=1` prints what was reached.
 */
const bot = (picture: string, ...makers: Maker[]): Caller => ({ ...person(picture), kind: 'SERVICE_ACCOUNT', makers });
const by = (name: string): Maker => ({ name, unlimited: false });
const byAdmin = (name: string): Maker => ({ name, unlimited: true });
const PEOPLE = ['ada @sre', 'grace @sre', 'linus', 'mary @sre %lead', 'joan %lead'].map(person);
const HATS = [
  person('ada @sre'),
  // Ada's own, two that a limited admin made, two that an ADMIN without limits made, and a link that came by a messenger.
  bot('ada-bot %lead', by('ada')),
  bot('left %lead', by('mallory')),
  bot('right @sre', by('left'), by('mallory')),
  bot('ci @sre', byAdmin('root')),
  bot('board %lead', byAdmin('root')),
  { ...person('linus'), makers: [byAdmin('messenger'), byAdmin('root')] },
];
const INITIATORS = [
  { name: 'ada' },
  { name: 'mallory' },
  { name: 'ci', makers: [byAdmin('root')] },
  { name: 'other', makers: [by('mallory')] },
  null,
];

const rule = fc.record({
  count: fc.integer({ min: 1, max: 2 }),
  users: fc.subarray(['ada', 'grace', 'linus']),
  groups: fc.subarray(['sre']),
  roles: fc.subarray(['lead']),
});
const spec = fc.record<ApprovalSpec>({
  rules: fc.array(rule, { maxLength: 3 }),
  forbidInitiator: fc.boolean(),
  expiry: fc.constantFrom(5 * MINUTE, 1_000 * MINUTE),
  onExpiry: fc.constantFrom('FAIL', 'WAIT'),
});
const who = fc.option(fc.constantFrom(...PEOPLE, ...HATS, ...HATS), { nil: null, freq: 12 });
const act = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('approve' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reject' as const), who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('time' as const), minutes: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('world' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('retry' as const) }) },
);

interface Act {
  name: string;
  makers?: readonly Maker[];
}

/** In words of names: somebody's name, and the names of those who made what they came with. */
function areOne(a: Act | null, b: Act | null): boolean {
  if (a === null || b === null) return a === b;
  const hands = (of: Act): string[] => [of.name, ...(of.makers ?? []).map((each) => String(each.name))];
  const common = hands(a).filter((each) => hands(b).includes(each));
  const trusted = (name: string): boolean =>
    [a, b].every((of) => of.name !== name && of.makers?.find((each) => each.name === name)?.unlimited === true);
  return common.some((name) => !trusted(name));
}

/** What has been agreed so far, told from the words alone. */
class Oracle {
  yes: (Caller | null)[] = [];
  no: (Caller | null)[] = [];
  readonly spec: ApprovalSpec;
  readonly initiator: Act | null;
  asked: number;
  attempt = 1;

  constructor(approval: ApprovalSpec, initiator: Act | null, asked: number) {
    this.spec = approval;
    this.initiator = initiator;
    this.asked = asked;
  }

  get rules(): ApprovalRule[] {
    return this.spec.rules.length > 0 ? this.spec.rules : [{ count: 1 }];
  }

  fits({ users = [], groups = [], roles = [] }: ApprovalRule, by: Caller | null): boolean {
    if (users.length + groups.length + roles.length === 0) return true;
    if (by === null) return false;
    return (
      users.includes(by.name) ||
      groups.some((each) => by.groups.includes(each)) ||
      roles.some((each) => by.roles.includes(each))
    );
  }

  /** The most seats that these people can fill, by trying everything; those who can be one person fill one. */
  best(people: (Caller | null)[]): number {
    let persons: (Caller | null)[][] = [];
    for (const each of people) {
      const joined = persons.filter((those) => those.some((one) => areOne(one, each)));
      persons = [...persons.filter((those) => !joined.includes(those)), [...joined.flat(), each]];
    }
    return this.filled(
      persons,
      this.rules.map((each) => each.count),
    );
  }

  filled([first, ...rest]: (Caller | null)[][], seats: number[]): number {
    if (first === undefined) return 0;
    let most = this.filled(rest, seats);
    this.rules.forEach((each, index) => {
      if ((seats[index] as number) === 0 || !first.some((one) => this.fits(each, one))) return;
      const left = seats.map((free, at) => (at === index ? free - 1 : free));
      most = Math.max(most, 1 + this.filled(rest, left));
    });
    return most;
  }

  get granted(): boolean {
    return this.best(this.yes) === this.rules.reduce((sum, each) => sum + each.count, 0);
  }

  late(now: number): boolean {
    return !this.granted && this.spec.onExpiry === 'FAIL' && now >= this.asked + this.spec.expiry;
  }

  answer(kind: 'approve' | 'reject', by: Caller | null, over: boolean, now: number): string | null {
    const same = (each: Caller | null): boolean => each?.name === by?.name;
    if ((kind === 'approve' ? this.yes : this.no).some(same)) return null;
    if (over || this.late(now) || (kind === 'approve' && this.granted)) return 'WRONG_STATE';
    if (!this.rules.some((each) => this.fits(each, by))) return 'NOT_AN_APPROVER';
    if (kind === 'reject') return null;
    if (this.spec.forbidInitiator && this.initiator !== null && (by === null || areOne(this.initiator, by))) {
      count(by !== null && by.name !== this.initiator.name ? 'initiator by another hat' : 'initiator');
      return 'NOT_AN_APPROVER';
    }
    const more = this.best([...this.yes, by]) - this.best(this.yes);
    if (more > 0) return null;
    const hats = this.yes.filter((each) => areOne(each, by));
    if (hats.length === 0) return 'NOT_AN_APPROVER';
    const another = this.rules.some((each) => this.fits(each, by) && !hats.some((hat) => this.fits(each, hat)));
    count(more === 0 && another ? 'second hat, another rule' : 'second hat refused');
    return more === 0 && another ? null : 'NOT_AN_APPROVER';
  }
}

const reached = new Map<string, number>();
const count = (what: string): void => void reached.set(what, (reached.get(what) ?? 0) + 1);

function standing(play: Play): string {
  return play.promotion('staging').status;
}

function whatWaits(granted: boolean, held: boolean): string {
  if (held) return 'WAITING';
  return granted ? 'RUNNING' : 'SUSPENDED';
}

test('never starts without its approvals, and says no to nobody who may', () => {
  fc.assert(
    fc.property(spec, fc.constantFrom(...INITIATORS), fc.array(act, { maxLength: 25 }), (approval, initiator, acts) => {
      const play = started(flowOf('dev > staging', { steps: { staging: { approval } } }));
      play.state = { ...play.state, initiator: initiator?.name ?? null, initiatorMakers: initiator?.makers };
      play.succeed('dev');
      let oracle = new Oracle(approval, initiator, play.now);
      let held = false;
      let over = false;
      for (const each of acts) {
        if (each.kind === 'time') play.later(each.minutes * MINUTE);
        else if (each.kind === 'world') {
          held = !held;
          play.facts = held ? { ...NO_FACTS, heldBy: { staging: { id: 'r-0', called: 'billing#1' } } } : NO_FACTS;
          play.later(0);
        } else if (each.kind === 'retry') {
          if (play.state.status !== 'FAILED') continue;
          play.tell({ kind: 'retry', by: null });
          count('retried');
          [oracle, over] = [new Oracle(approval, initiator, play.now), false];
        } else {
          const expected = oracle.answer(each.kind, each.who, over, play.now);
          const refused = play.decide(each.kind, 'staging', each.who);
          expect(refused?.code ?? null).toBe(expected);
          count(`${each.kind} ${expected ?? 'taken'}`);
          const list = each.kind === 'approve' ? oracle.yes : oracle.no;
          if (expected === null && !list.some((one) => one?.name === each.who?.name)) list.push(each.who);
          if (each.who === null && expected === null) count('taken from nobody in particular');
        }
        const bad = oracle.no.length > 0 || oracle.late(play.now);
        const should: string = over ? standing(play) : bad ? 'FAILED' : whatWaits(oracle.granted, held);
        expect(standing(play)).toBe(should);
        over ||= should === 'FAILED' || should === 'RUNNING';
        count(`is ${should}`);
        if (should === 'WAITING' && oracle.granted) count('granted, and waits for something else');
        if (oracle.no.length === 0 && bad) count('late');
        const open = play.promotion('staging').approval;
        if (!over && open?.expiredAt === null && !oracle.granted) {
          expect(play.state.wakeAt).toBeLessThanOrEqual(open.expiresAt);
        }
        if (open !== null && open.expiredAt !== null && !over) count('expired, and waits on');
      }
    }),
    { numRuns: 1_000 },
  );
  if (process.env.SLUICE_SIM_PRINT) console.log(Object.fromEntries([...reached].sort(([a], [b]) => (a < b ? -1 : 1))));
  const never = [
    ...['approve', 'reject'].flatMap((kind) =>
      ['taken', 'WRONG_STATE', 'NOT_AN_APPROVER'].map((how) => `${kind} ${how}`),
    ),
    ...['RUNNING', 'WAITING', 'SUSPENDED', 'FAILED'].map((status) => `is ${status}`),
    'retried',
    'late',
    'expired, and waits on',
    'granted, and waits for something else',
    'taken from nobody in particular',
    'initiator',
    'initiator by another hat',
    'second hat refused',
    'second hat, another rule',
  ].filter((what) => (reached.get(what) ?? 0) < 3);
  expect(never).toEqual([]);
}, 60_000);
