import { describe, expect, test } from 'vitest';
import type { GateAnswer } from '../../src/core/gates/answer.ts';
import { askGates } from '../../src/core/gates/index.ts';
import { letsPass, marks } from '../../src/core/holds.ts';
import type { BadVersion, EnvironmentHold } from '../../src/core/holds.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import type { Facts } from '../../src/core/release.ts';
import { waitingFor } from '../../src/core/waiting.ts';
import { at, MINUTE } from './support/builders.ts';
import { started } from './support/play.ts';

const holdOf = (more: Partial<EnvironmentHold> = {}): EnvironmentHold => ({
  id: 'h-1',
  product: null,
  environment: 'eu',
  reason: 'audit',
  by: 'grace',
  since: at('09:00'),
  until: null,
  rollback: null,
  ...more,
});

const markOf = (more: Partial<BadVersion> = {}): BadVersion => ({
  id: 'b-1',
  product: 'billing',
  digest: 'd',
  label: '1.4.2',
  scope: 'PRODUCT',
  group: null,
  environments: [],
  reason: 'loses invoices',
  by: 'grace',
  since: at('09:00'),
  expiresAt: null,
  rollback: null,
  ...more,
});

function ask(facts: Partial<Facts>, gate: GateAnswer['gate']): GateAnswer | undefined {
  const { plan, state, now } = started('dev > eu').succeed('dev');
  return askGates(plan, state, 1, { ...NO_FACTS, ...facts }, now).find((each) => each.gate === gate);
}

describe('a hold', () => {
  // Releases of these tests are created at 10:00.
  test.each([
    ['a person holds it', [holdOf()], 'wait', undefined],
    ['until later', [holdOf({ until: at('11:00') })], 'wait', at('11:00')],
    ['the longest counts', [holdOf({ until: at('11:00') }), holdOf({ until: at('12:00') })], 'wait', at('12:00')],
    ['one has no end', [holdOf({ until: at('11:00') }), holdOf()], 'wait', undefined],
    ['it was until now', [holdOf({ until: at('10:00') })], undefined, undefined],
    ['a rollback made it before the release', [holdOf({ rollback: 'r-0' })], 'pass', undefined],
    ['a rollback made it afterwards', [holdOf({ rollback: 'r-0', since: at('10:00') })], 'wait', undefined],
    ['a rollback and a person', [holdOf({ rollback: 'r-0' }), holdOf({ id: 'h-2' })], 'wait', undefined],
  ] as const)('%s', (_, holds, verdict, recheckAt) => {
    const answer = ask({ holds: { eu: [...holds] }, byPerson: true }, 'HOLD');
    expect(answer?.verdict).toBe(verdict);
    expect(answer?.recheckAt).toBe(recheckAt);
  });

  test('of a rollback lets nobody pass whom no person triggered', () => {
    expect(ask({ holds: { eu: [holdOf({ rollback: 'r-0' })] }, byPerson: false }, 'HOLD')?.verdict).toBe('wait');
    expect(letsPass(holdOf(), { createdAt: at('10:00'), byPerson: true })).toBe(false);
  });

  test('says why, names who holds it, and waits for its end at exactly that time', () => {
    const play = started('dev > eu');
    play.facts = { ...NO_FACTS, holds: { eu: [holdOf({ until: at('11:00') })] } };
    play.succeed('dev');
    expect(play.picture).toContain('eu WAITING');
    const [reason] = waitingFor(play.plan, play.state, play.facts, play.now);
    expect(reason).toMatchObject({
      kind: 'HOLD',
      holds: ['h-1'],
      message: 'eu: eu is on hold: audit (grace)',
      earliest: at('11:00'),
    });
    expect(play.state.wakeAt).toBe(at('11:00'));
    play.wake();
    expect(play.picture).toContain('eu RUNNING');
  });

  test('of a rollback ends with the start of whoever goes there again, and the release tells it', () => {
    const play = started('dev > eu');
    play.facts = { ...NO_FACTS, holds: { eu: [holdOf({ rollback: 'r-0' })] }, byPerson: true };
    play.succeed('dev');
    expect(play.last.lifted).toEqual(['h-1']);
    expect(play.events.map(({ event }) => event.type)).toContain('HoldLifted');
    expect(play.picture).toContain('eu RUNNING');
  });
});

describe('a bad version', () => {
  test.each([
    ['marked', [markOf()], 'wait', undefined],
    ['until later', [markOf({ expiresAt: at('10:30') })], 'wait', at('10:30')],
    ['it was until now', [markOf({ expiresAt: at('10:00') })], undefined, undefined],
  ] as const)('%s', (_, list, verdict, recheckAt) => {
    const answer = ask({ badVersions: { eu: [...list] }, byPerson: true }, 'VERSION');
    expect(answer?.verdict).toBe(verdict);
    expect(answer?.recheckAt).toBe(recheckAt);
  });

  test.each([
    ['the product: anywhere', markOf(), [], true],
    ['its environment', markOf({ scope: 'ENVIRONMENT', environments: ['eu'] }), [], true],
    ['another environment', markOf({ scope: 'ENVIRONMENT', environments: ['asia'] }), [], false],
    ['a member when it was marked', markOf({ scope: 'GROUP', group: 'regions', environments: ['eu'] }), [], true],
    ['a member since then', markOf({ scope: 'GROUP', group: 'regions', environments: ['asia'] }), ['regions'], true],
    ['a member of another group', markOf({ scope: 'GROUP', group: 'regions', environments: ['asia'] }), ['x'], false],
  ])('marked for %s', (_, mark, groups, concerned) => {
    expect(marks(mark, 'eu', groups)).toBe(concerned);
  });

  test('holds what waits, beside every other gate, until the last of them is over', () => {
    const play = started('dev > eu');
    const holds = { eu: [holdOf({ until: at('10:00') + 5 * MINUTE })] };
    play.facts = { ...NO_FACTS, holds, badVersions: { eu: [markOf({ expiresAt: at('10:30') })] } };
    play.succeed('dev');
    const kinds = waitingFor(play.plan, play.state, play.facts, play.now).map(({ kind }) => kind);
    expect(kinds).toEqual(['HOLD', 'VERSION']);
    expect(play.state.wakeAt).toBe(at('10:30'));
  });
});

test('a gate that passed while another one waited counts for nothing once it no longer holds', () => {
  const release = started('dev > eu');
  release.facts = { ...NO_FACTS, heldBy: { eu: { id: 'r-0', called: 'billing#1' } } };
  release.succeed('dev');
  // The other release leaves; by then somebody holds the environment, which nobody did before.
  release.facts = { ...NO_FACTS, holds: { eu: [holdOf()] } };
  release.tell({ kind: 'tick' });
  expect([release.picture, release.promotion('eu').evidence]).toEqual(['dev SUCCEEDED, eu WAITING', null]);
  release.facts = NO_FACTS;
  release.tell({ kind: 'tick' });
  expect(release.picture).toBe('dev SUCCEEDED, eu RUNNING');
  // All of them, of one moment.
  const evidence = release.promotion('eu').evidence ?? [];
  expect(evidence.map(({ gate }) => gate)).toEqual(expect.arrayContaining(['DEPENDENCIES', 'ENVIRONMENT']));
  expect(evidence.every(({ verdict }) => verdict === 'pass')).toBe(true);
});
