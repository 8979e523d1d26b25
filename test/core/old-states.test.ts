import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Draft } from '../../src/core/draft.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import { advance } from './support/advance.ts';
import { planOf, SECOND } from './support/builders.ts';
import { frozen } from './support/frozen.ts';
import { Play } from './support/play.ts';

// A decision never touches the state that it was made from: a process remembers that state, and decides on it again when the save is lost.
// So all tests of the core, its properties and the simulation decide on frozen states (support/advance.ts).

const CORE = import.meta.dirname;

test('every test of the core decides on states that are frozen', () => {
  const files = readdirSync(CORE, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const direct = files.filter((file) => {
    const imports =
      readFileSync(join(CORE, file), 'utf8').match(/^import \{[^}]*\} from '[./]+src\/core\/advance\.ts'/gm) ?? [];
    return imports.some((each) => /\badvance\b(?=[ ,])/.test(each));
  });
  expect(direct).toEqual([join('support', 'advance.ts')]);
});

test('a frozen state throws when a part of it is written, however deep', () => {
  const { state } = new Play(planOf('dev > eu'));
  const draft = new Draft(planOf('dev > eu'), frozen(state), NO_FACTS, 0);
  expect(() => (state.promotions[0]!.steps[0]!.tries = 7)).toThrow(TypeError);
  expect(() => (draft.state.promotions[0]!.attempt = 7)).toThrow(TypeError);
  draft.step(0, 0).tries = 7;
  expect(state.promotions[0]?.steps[0]?.tries).toBe(0);
});

test('a decision shares with the state before it what it did not change', () => {
  const release = new Play(planOf('dev > eu'));
  release.tell({ kind: 'tick' });
  const before = release.state;
  const [step] = release.running('dev');
  const soon = release.outcome('dev', step!, { kind: 'pending', reason: 'soon', recheckAfter: SECOND });
  const decision = advance(release.plan, before, [soon], NO_FACTS, release.now);
  if (decision === 'NEEDS_FACTS') throw new Error('facts were given');
  const { state, changed } = decision;
  expect(changed).toEqual([0]);
  expect(state.promotions[0]).not.toBe(before.promotions[0]);
  expect(state.promotions[1]).toBe(before.promotions[1]);
  const ofPromotion = ['evidence', 'approval', 'overrides', 'merge', 'problem'] as const;
  for (const each of ofPromotion) expect(state.promotions[0]![each]).toBe(before.promotions[0]![each]);
  const ofRelease = ['terminating', 'rollbacks', 'moving', 'limited', 'heard', 'firstProblem', 'lastProblem'] as const;
  for (const each of ofRelease) expect(state[each]).toBe(before[each]);
});
