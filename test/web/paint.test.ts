import { expect, test } from 'vitest';
import { asIn, byRelease, inOrder } from '../../web/app/src/parts/in-order.ts';
import { opened, painted, standingProblem } from '../../web/app/src/release/paint.ts';

type Read = Parameters<typeof opened>[0];
type Change = Parameters<typeof painted>[1];

const planned = (name: string) => ({ name, dependsOn: [], production: false, environment: name, group: null });
const at = (name: string, sequence: number, status: string) => ({ name, sequence, status });
const reason = (name: string, message: string) => ({ message, promotion: { name } });

const READ = {
  sequence: 7,
  status: 'RUNNING',
  lastCursor: 'a',
  skeleton: { promotions: [planned('dev'), planned('eu')] },
  promotions: [at('dev', 7, 'SUCCEEDED'), at('eu', 7, 'SUSPENDED')],
  groups: [{ name: 'regions', status: 'WAITING' }],
  waitingFor: [reason('eu', 'needs an approval'), { message: 'its turn', promotion: null }],
} as unknown as Read;

const changeOf = (sequence: number, status: string, waits: object[]): Change =>
  ({
    cursor: 'b',
    sequence,
    release: { sequence, status: 'RUNNING' },
    groups: [{ name: 'regions', status: 'PASSED' }],
    promotions: [{ ...at('eu', sequence, status), waitingFor: waits }],
  }) as unknown as Change;

test('a change is painted over what was opened: its promotions, their reasons, its gates and its cursor', () => {
  const { promotions, waitingFor, groups, lastCursor } = painted(opened(READ), changeOf(9, 'RUNNING', []));
  expect(promotions).toMatchObject([
    { name: 'dev', status: 'SUCCEEDED', planned: planned('dev') },
    { name: 'eu', status: 'RUNNING', sequence: 9, planned: planned('eu') },
  ]);
  expect(waitingFor.map(({ message }) => message)).toEqual(['its turn']);
  expect([groups[0]!.status, lastCursor]).toEqual(['PASSED', 'b']);
});

test('a change that is older than what is shown paints nothing over it', () => {
  const { promotions, waitingFor, sequence } = painted(
    opened(READ),
    changeOf(6, 'PENDING', [reason('eu', 'waits for dev')]),
  );
  expect(promotions[1]).toMatchObject({ status: 'SUSPENDED', sequence: 7 });
  expect([sequence, waitingFor.map(({ message }) => message)]).toEqual([7, ['needs an approval', 'its turn']]);
});

const wrong = (environment: string | null, attempt: number | null = 1) => ({ message: 'no', environment, attempt });
const EU = wrong('eu');
const GATE = wrong(null, null);

test.each([
  ['that its environment still has', 'FAILED', 'FAILED', 1, EU, EU],
  ['of an environment that was skipped gives way to the next', 'FAILED', 'SKIPPED', 1, GATE, GATE],
  ['of an attempt before is over', 'RUNNING', 'RUNNING', 2, EU, undefined],
  ['of a release that got through is over', 'SUCCEEDED', 'SKIPPED', 1, GATE, undefined],
])('a problem %s', (_what, status, there, attempt, last, expected) => {
  const promotions = [{ ...at('eu', 7, there), attempt }];
  const release = { status, promotions, problem: { first: EU, last } } as unknown as Parameters<
    typeof standingProblem
  >[0];
  expect(standingProblem(release)).toBe(expected);
});

test('the members of a group stand by name in its place of the flow, as people count', () => {
  const of = (name: string, group: string | null = null) => ({ name, group });
  const flow = [
    of('zero'),
    of('site-1', 'sites'),
    of('site-10', 'sites'),
    of('site-2', 'sites'),
    of('alone'),
    of('a-1', 'last'),
  ];
  const names = inOrder(flow).map(({ name }) => name);
  expect(names).toEqual(['zero', 'site-1', 'site-2', 'site-10', 'alone', 'a-1']);
  const reasons = ['elsewhere', 'alone', 'site-10', 'zero', 'site-2'];
  expect(reasons.sort(asIn(names, (each) => each))).toEqual(['zero', 'site-2', 'site-10', 'alone', 'elsewhere']);
});

test('a release that is opened has everything in that order, whatever order it was read in', () => {
  const sites = ['site-1', 'site-10', 'site-2'].map((name) => ({ ...planned(name), group: 'sites' }));
  const read = {
    ...READ,
    skeleton: { promotions: sites },
    promotions: sites.map(({ name }) => at(name, 7, 'PENDING')).reverse(),
  };
  const { promotions, skeleton } = opened(read as unknown as Read);
  for (const list of [promotions, skeleton.promotions])
    expect(list.map(({ name }) => name)).toEqual(['site-1', 'site-2', 'site-10']);
});

test('what a release asks stands together and as people count, the oldest release first', () => {
  const asked = (uuid: string, name: string, group: string | null) => ({
    name,
    group: group === null ? null : { name: group },
    release: { uuid },
  });
  const inbox = [
    asked('one', 'r13-1', 'sites'),
    asked('one', 'r13-10', 'sites'),
    asked('one', 'r13-2', 'sites'),
    asked('one', 'after-10', null),
    asked('two', 'r13-10', 'sites'),
    asked('two', 'r13-9', 'sites'),
  ];
  expect(byRelease(inbox).map(({ name, release }) => `${release.uuid} ${name}`)).toEqual([
    'one r13-1',
    'one r13-2',
    'one r13-10',
    'one after-10',
    'two r13-9',
    'two r13-10',
  ]);
});
