import { describe, expect, test } from 'vitest';
import { forecast } from '../../src/core/forecast.ts';
import type { Assumptions, ReleaseForecast } from '../../src/core/forecast.ts';
import type { EnvironmentHold } from '../../src/core/holds.ts';
import type { ReleasePlan } from '../../src/core/plan.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import type { Facts } from '../../src/core/release.ts';
import type { ReleaseWindow } from '../../src/core/windows/index.ts';
import { fc } from './property.ts';
import { approvalOf, at, flowOf, MINUTE, person, planOf } from './support/builders.ts';
import type { PlanOptions } from './support/builders.ts';
import { Play } from './support/play.ts';

const HOUR = 60 * MINUTE;
const WEEK = 7 * 24 * HOUR;
const NOBODY: Assumptions = { people: null, work: {} };

const officeHours = (more: object = {}): ReleaseWindow => ({
  name: 'office-hours',
  spec: {
    kind: 'ALLOW',
    timeZone: 'UTC',
    cron: '0 9 * * 1-5',
    duration: 8 * HOUR,
    selector: {},
    holds: ['PROMOTE'],
    onClose: 'FINISH',
    runway: false,
    ...more,
  } as ReleaseWindow['spec'],
});

const hold = (environment: string, until: number | null): EnvironmentHold =>
  ({ id: 'h-1', environment, product: null, reason: 'an audit', by: 'ada', since: 0, until }) as EnvironmentHold;

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const clock = (time: number | null): string =>
  time === null
    ? 'unknown'
    : `${DAYS[Math.floor((time - at('Mon 00:00')) / (24 * HOUR)) % 7]} ${new Date(time).toISOString().slice(11, 16)}`;

/** `eu Fri 17:20 - Fri 17:20`: when each starts and ends. */
function picture(plan: ReleasePlan, { promotions }: ReleaseForecast): string[] {
  return promotions.flatMap(({ start, end }, position) => {
    const { own, name } = plan.promotions[position] as ReleasePlan['promotions'][number];
    return own === undefined ? [`${name} ${clock(start)} - ${clock(end)}`] : [];
  });
}

/** `APPROVAL Fri 16:50 - Fri 17:20`: what a promotion waits for. */
function waitsOf(plan: ReleasePlan, { promotions }: ReleaseForecast, name: string): string[] {
  const found = promotions[plan.promotions.findIndex((each) => each.name === name)];
  return (found?.waits ?? []).map(({ kind, from, until }) => `${kind} ${clock(from)} - ${clock(until)}`);
}

interface Case {
  flow: Parameters<typeof flowOf>;
  plan?: PlanOptions;
  facts?: Partial<Facts>;
  assume?: Partial<Assumptions>;
  from?: string;
  expected: string[];
  waits?: Record<string, string[]>;
}

describe('a release that is not there yet', () => {
  test.each<[string, Case]>([
    [
      'without anything in its way is through at once',
      { flow: ['dev > eu'], expected: ['dev', 'eu'].map((each) => `${each} Mon 10:00 - Mon 10:00`) },
    ],
    [
      'waits for a soak, and what comes behind it does',
      {
        flow: ['dev > staging > eu', { steps: { staging: { soak: 30 * MINUTE } } }],
        expected: ['dev Mon 10:00 - Mon 10:00', 'staging Mon 10:00 - Mon 10:30', 'eu Mon 10:30 - Mon 10:30'],
        waits: { eu: ['DEPENDENCIES Mon 10:00 - Mon 10:30'] },
      },
    ],
    [
      'on Friday at 16:50 is approved in time, meets a closed window, and goes on on Monday',
      {
        flow: ['dev > eu', { steps: { eu: { approval: approvalOf('1') } }, maxAge: WEEK }],
        facts: { windows: { eu: [officeHours()] } },
        assume: { people: 30 * MINUTE },
        from: 'Fri 16:50',
        expected: ['dev Fri 16:50 - Fri 16:50', 'eu Mon 09:00 - Mon 09:00'],
        waits: { eu: ['APPROVAL Fri 16:50 - Fri 17:20', 'WINDOW Fri 17:20 - Mon 09:00'] },
      },
    ],
    [
      'starts where a hold and a window let it through together',
      {
        flow: ['dev > eu', { maxAge: WEEK }],
        facts: { windows: { eu: [officeHours()] }, holds: { eu: [hold('eu', at('Sat 12:00'))] } },
        from: 'Thu 10:00',
        expected: ['dev Thu 10:00 - Thu 10:00', 'eu Mon 09:00 - Mon 09:00'],
        waits: { eu: ['HOLD Thu 10:00 - Sat 12:00', 'WINDOW Sat 12:00 - Mon 09:00'] },
      },
    ],
    [
      'never starts behind a hold without an end',
      {
        flow: ['dev > eu > asia'],
        facts: { holds: { eu: [hold('eu', null)] } },
        expected: ['dev Mon 10:00 - Mon 10:00', 'eu unknown - unknown', 'asia unknown - unknown'],
        waits: { eu: ['HOLD Mon 10:00 - unknown'], asia: ['DEPENDENCIES Mon 10:00 - unknown'] },
      },
    ],
    [
      'has no time behind people of whom nothing is assumed; windows are told all the same',
      {
        flow: ['dev > eu', { steps: { eu: { approval: approvalOf('1') } } }],
        facts: { windows: { eu: [officeHours()] } },
        from: 'Tue 20:00',
        expected: ['dev Tue 20:00 - Tue 20:00', 'eu unknown - unknown'],
        waits: { eu: ['APPROVAL Tue 20:00 - unknown', 'WINDOW Tue 20:00 - Wed 09:00'] },
      },
    ],
    [
      'fails where people take longer than the approval is asked for',
      {
        flow: ['dev > eu', { steps: { eu: { approval: approvalOf('1', { expiry: HOUR }) } } }],
        assume: { people: HOUR },
        expected: ['dev Mon 10:00 - Mon 10:00', 'eu unknown - unknown'],
        waits: { eu: ['APPROVAL Mon 10:00 - unknown'] },
      },
    ],
    [
      'is still approved later where the approval waits on',
      {
        flow: ['dev > eu', { steps: { eu: { approval: approvalOf('1', { expiry: HOUR, onExpiry: 'WAIT' }) } } }],
        assume: { people: 2 * HOUR },
        expected: ['dev Mon 10:00 - Mon 10:00', 'eu Mon 12:00 - Mon 12:00'],
      },
    ],
    [
      'waits for its turn as long as the other release does',
      {
        flow: ['dev > eu'],
        facts: { behind: { id: 'r-0', called: 'billing#1' } },
        expected: ['dev unknown - unknown', 'eu unknown - unknown'],
        waits: { dev: ['TURN Mon 10:00 - unknown'] },
      },
    ],
    [
      'runs two members of a group at once, in their order, and goes on when all are through',
      {
        flow: ['dev > {a, b, c} as all > z', { groups: { all: { maxParallel: 2 } } }],
        assume: { work: { a: 20 * MINUTE, b: 10 * MINUTE, c: 30 * MINUTE, z: 5 * MINUTE } },
        expected: [
          'dev Mon 10:00 - Mon 10:00',
          'a Mon 10:00 - Mon 10:20',
          'b Mon 10:00 - Mon 10:10',
          'c Mon 10:10 - Mon 10:40',
          'z Mon 10:40 - Mon 10:45',
        ],
        waits: { c: ['GROUP Mon 10:00 - Mon 10:10'] },
      },
    ],
    [
      'needs two of three members, healthy for as long as the gate says',
      {
        flow: [
          'dev > {a, b, c} as all > z',
          { groups: { all: { gate: { policy: 'AT_LEAST', count: 2, soak: 10 * MINUTE } } } },
        ],
        assume: { work: { a: 20 * MINUTE, b: 10 * MINUTE, c: 30 * MINUTE } },
        expected: [
          'dev Mon 10:00 - Mon 10:00',
          'a Mon 10:00 - Mon 10:20',
          'b Mon 10:00 - Mon 10:10',
          'c Mon 10:00 - Mon 10:30',
          'z Mon 10:30 - Mon 10:30',
        ],
      },
    ],
    [
      'needs one of two, where any is enough',
      {
        flow: ['dev > {a, b} > z', { steps: { z: { dependsOnPolicy: { policy: 'ANY' } } } }],
        assume: { work: { a: 20 * MINUTE, b: 10 * MINUTE } },
        expected: [
          'dev Mon 10:00 - Mon 10:00',
          'a Mon 10:00 - Mon 10:20',
          'b Mon 10:00 - Mon 10:10',
          'z Mon 10:10 - Mon 10:10',
        ],
      },
    ],
    [
      'is over at its maxAge, and nothing begins after that',
      {
        flow: ['dev > eu', { maxAge: 24 * HOUR }],
        facts: { windows: { eu: [officeHours()] } },
        from: 'Fri 18:00',
        expected: ['dev Fri 18:00 - Fri 18:00', 'eu unknown - unknown'],
        waits: { eu: ['WINDOW Fri 18:00 - Mon 09:00', 'MAX_AGE Sat 18:00 - unknown'] },
      },
    ],
    [
      'tells the spread of a window and does not draw from it',
      {
        flow: ['dev > eu', { maxAge: WEEK }],
        facts: { windows: { eu: [officeHours({ jitter: HOUR })] } },
        from: 'Mon 08:00',
        expected: ['dev Mon 08:00 - Mon 08:00', 'eu Mon 09:00 - Mon 09:00'],
      },
    ],
    [
      'soaks after the work that is assumed',
      {
        flow: ['dev > eu', { steps: { eu: { soak: 30 * MINUTE } } }],
        assume: { work: { eu: 15 * MINUTE } },
        expected: ['dev Mon 10:00 - Mon 10:00', 'eu Mon 10:00 - Mon 10:45'],
      },
    ],
    [
      'begins with what runs before everything else',
      {
        flow: ['dev > eu'],
        plan: { hooks: { onStart: 'tests' }, workflows: { tests: ['run'] } },
        assume: { work: { ON_START: 10 * MINUTE } },
        expected: ['dev Mon 10:10 - Mon 10:10', 'eu Mon 10:10 - Mon 10:10'],
      },
    ],
  ])('%s', (_what, { flow, plan: options, facts, assume, from = 'Mon 10:00', expected, waits = {} }) => {
    const plan = planOf(flowOf(...flow), options);
    const found = forecast(plan, { ...NO_FACTS, ...facts }, at(from), { ...NOBODY, ...assume });
    expect(picture(plan, found)).toEqual(expected);
    for (const [name, each] of Object.entries(waits)) expect(waitsOf(plan, found, name), name).toEqual(each);
  });

  test('names the windows, who is asked, and the spread', () => {
    const plan = planOf(flowOf('dev > eu', { steps: { eu: { approval: approvalOf('2 of @sre') } }, maxAge: WEEK }));
    const facts = { ...NO_FACTS, windows: { eu: [officeHours({ jitter: 10 * MINUTE })] } };
    const found = forecast(plan, facts, at('Mon 08:00'), { people: 5 * MINUTE, work: {} });
    expect(found.promotions[1]?.waits).toMatchObject([
      { kind: 'APPROVAL', who: expect.stringContaining('sre'), assumed: true },
      {
        kind: 'WINDOW',
        windows: ['office-hours'],
        assumed: false,
        message: expect.stringMatching(/^eu: eu is closed: .*; its start is spread over the 10m after that$/),
      },
    ]);
  });

  test('lets a workflow wait and ask people, each for as long as it says', () => {
    const plan = planOf('dev > [checks]', { workflows: { checks: ['pause: wait > people: approval'] } });
    const [pause] = plan.promotions[1]!.steps;
    if (pause?.work.kind === 'action') pause.work.action.parameters = { duration: '20m' };
    const found = forecast(plan, NO_FACTS, at('10:00'), { people: 5 * MINUTE, work: {} });
    expect(picture(plan, found)).toEqual(['dev Mon 10:00 - Mon 10:00', 'checks Mon 10:00 - Mon 10:25']);
    expect(waitsOf(plan, found, 'checks')).toEqual(['APPROVAL Mon 10:20 - Mon 10:25']);
  });

  test('a pull request is opened at once where it says so; its windows and its people hold the merge', () => {
    const plan = planOf(flowOf('dev > eu', { steps: { eu: { approval: approvalOf('1') } }, maxAge: WEEK }));
    const eu = plan.promotions[1]!;
    eu.pullRequest = { open: 'AT_ONCE', merge: 'MANUAL' } as typeof eu.pullRequest;
    eu.steps = [
      { ...eu.steps[0]!, id: 'propose', work: { kind: 'propose', applications: [0] }, needs: [] },
      { ...eu.steps[0]!, id: 'merge', work: { kind: 'merge' }, needs: [0] },
    ];
    const facts = { ...NO_FACTS, windows: { eu: [officeHours()] } };
    const found = forecast(plan, facts, at('Fri 16:50'), { people: 30 * MINUTE, work: {} });
    expect(picture(plan, found)[1]).toBe('eu Fri 16:50 - Mon 09:00');
    expect(waitsOf(plan, found, 'eu')).toEqual([
      'APPROVAL Fri 16:50 - Fri 17:20',
      'MERGE Fri 16:50 - Fri 17:20',
      'WINDOW Fri 17:20 - Mon 09:00',
    ]);
  });
});

/** The same release played through the state machine: work ends as assumed, people answer as assumed. Name → when it started. */
function played(
  plan: ReleasePlan,
  facts: Facts,
  from: number,
  { people, work }: Assumptions,
): Map<string, number | null> {
  const play = new Play(plan, from);
  play.facts = facts;
  play.tell({ kind: 'tick' });
  for (let turns = 0; turns < 2_000 && play.state.endedAt === null; turns += 1) {
    const later: number[] = play.state.wakeAt === null ? [] : [play.state.wakeAt];
    let moved = false;
    plan.promotions.forEach(({ name, steps }, position) => {
      const { startedAt, approval } = play.state.promotions[position]!;
      if (approval && approval.decisions.length === 0 && startedAt === null) {
        const answers = approval.requestedAt + (people as number);
        if (answers > play.now) later.push(answers);
        else {
          play.decide('approve', name, person('grace'));
          moved = true;
        }
      }
      if (startedAt === null) return;
      const done = startedAt + (work[name] ?? 0);
      for (const index of play.running(name)) {
        if (steps[index]?.work.kind !== 'soak' && done > play.now) later.push(done);
        else {
          play.tell(play.outcome(name, index, { kind: 'succeeded' }));
          moved = true;
        }
      }
    });
    plan.groups.forEach(({ name }, position) => {
      if (play.state.groups[position]?.status !== 'ASKING') return;
      play.answer(name);
      moved = true;
    });
    if (moved) continue;
    const next = later.filter((each) => each > play.now);
    if (next.length === 0) break;
    play.later(Math.min(...next) - play.now);
  }
  return new Map(plan.promotions.map(({ name }, position) => [name, play.state.promotions[position]!.startedAt]));
}

test('for any flow, windows, holds, approvals and durations: what is foreseen is what the release then does', () => {
  const reached: Record<string, number> = {};
  const minutes = fc.integer({ min: 0, max: 600 }).map((each) => each * MINUTE);
  const NAMES = ['a', 'b', 'c', 'd'];
  const pictures = [
    'dev > a > b > c',
    'dev > {a, b} > c > d',
    'dev > {a, b, c} as all > d',
    'dev > a > {b, c, d} as all',
    'dev > {a, b} as all > {c, d} as rest',
  ];
  const each = <T>(value: fc.Arbitrary<T>) => fc.record(Object.fromEntries(NAMES.map((name) => [name, value])));
  fc.assert(
    fc.property(
      fc.record({
        drawn: fc.constantFrom(...pictures),
        soaks: each(fc.option(minutes, { nil: 0 })),
        asked: each(fc.boolean()),
        closed: each(fc.constantFrom('', 'office', 'freeze')),
        held: each(fc.option(fc.integer({ min: 1, max: 72 }), { freq: 4, nil: null })),
        work: each(minutes),
        people: minutes,
        maxParallel: fc.integer({ min: 1, max: 3 }),
        any: fc.boolean(),
        from: fc.integer({ min: 0, max: 7 * 24 * 60 - 1 }),
      }),
      ({ drawn, soaks, asked, closed, held, work, people, maxParallel, any, from }) => {
        const steps = Object.fromEntries(
          NAMES.map((name) => [
            name,
            {
              ...(soaks[name] && { soak: soaks[name] }),
              ...(asked[name] && { approval: approvalOf('1', { expiry: WEEK }) }),
              ...(any && { dependsOnPolicy: { policy: 'ANY' as const } }),
            },
          ]),
        );
        const groups = { all: { maxParallel }, rest: { maxParallel } };
        const flow = flowOf(drawn, {
          steps,
          groups: drawn.includes('as') ? groups : {},
          maxAge: 52 * WEEK,
          timeout: 52 * WEEK,
        });
        const plan = planOf(flow, { health: () => ({ type: 'none' }) });
        const now = at('Mon 00:00') + from * MINUTE;
        const freeze = officeHours({ kind: 'DENY', cron: '0 12 * * *', duration: 5 * HOUR });
        const windows = Object.fromEntries(
          NAMES.flatMap((name) => (closed[name] ? [[name, [closed[name] === 'office' ? officeHours() : freeze]]] : [])),
        );
        const holds = Object.fromEntries(
          NAMES.flatMap((name) => (held[name] == null ? [] : [[name, [hold(name, now + held[name] * HOUR)]]])),
        );
        const facts = { ...NO_FACTS, windows, holds };
        const found = forecast(plan, facts, now, { people, work });
        const real = played(plan, facts, now, { people, work });
        plan.promotions.forEach(({ name }, position) => {
          const { start = null, waits = [] } = found.promotions[position] ?? {};
          expect(`${name} ${clock(start)} ${start}`).toBe(`${name} ${clock(real.get(name) ?? null)} ${real.get(name)}`);
          for (const { kind } of waits) reached[kind] = (reached[kind] ?? 0) + 1;
        });
      },
    ),
    { numRuns: 100 },
  );
  for (const kind of ['DEPENDENCIES', 'GROUP', 'HOLD', 'WINDOW', 'APPROVAL'])
    expect(reached[kind], kind).toBeGreaterThan(5);
});
